"""What was read before: remembered within bounds, never mixed up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from aotel.instrumentation.recall import Recall


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2_000_000)), max_size=200))
def test_what_is_remembered_is_what_was_put(puts: list[tuple[int, int]]) -> None:
    recall = Recall()
    for key, size in puts:
        recall.put(key, f"value of {key}", size)
        assert recall.get(key) in {f"value of {key}", None}


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=200))
def test_memory_is_bounded(sizes: list[int]) -> None:
    recall = Recall()
    for key, size in enumerate(sizes):
        recall.put(key, None, size)
    held = [entry[1] for generation in (recall._young, recall._old) for entry in generation.values()]
    assert sum(held) <= 2 * 8_000_000


def test_many_small_entries_are_bounded_too() -> None:
    recall = Recall()
    for key in range(100_000):
        recall.put(key, key, 0)
    assert len(recall._young) + len(recall._old) < 40_000


def test_what_is_used_survives_what_is_not() -> None:
    recall = Recall()
    recall.put("used", "kept", 0)
    for key in range(60_000):
        recall.put(key, key, 0)
        assert recall.get("used") == "kept"
    assert recall.get(0) is None


def test_what_is_too_large_is_not_remembered() -> None:
    recall = Recall()
    recall.put("small", 1, 10)
    recall.put("large", 2, 8_000_000)
    assert recall.get("large") is None
    assert recall.get("small") == 1


def test_threads_find_what_belongs_to_their_key() -> None:
    recall = Recall()

    def work(seed: int) -> None:
        for step in range(5_000):
            key = (seed + step) % 50
            recall.put(key, key, 50_000)
            assert recall.get(key) in {key, None}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
