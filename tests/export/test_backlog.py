"""What waits stays in order and within its bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aotel.export.backlog import Backlog

_sizes = st.lists(st.integers(0, 50), max_size=30)


def filled(sizes: list[int], *, max_items: int = 1000, max_bytes: int = 100_000) -> Backlog[int]:
    backlog: Backlog[int] = Backlog(max_items, max_bytes)
    for number, size in enumerate(sizes):
        backlog.add(number, size)
    return backlog


@given(_sizes, st.integers(0, 100))
def test_everything_comes_out_in_order(sizes: list[int], portion: int) -> None:
    backlog = filled(sizes)
    out: list[int] = []
    while taken := backlog.take(portion):
        assert len(taken) == 1 or sum(size for _, size in taken) <= portion
        out.extend(item for item, _ in taken)
    assert out == list(range(len(sizes)))


@given(_sizes, st.integers(0, 100))
def test_put_back_is_as_if_not_taken(sizes: list[int], portion: int) -> None:
    backlog = filled(sizes)
    backlog.put_back(backlog.take(portion))
    assert [item for item, _ in backlog.take(10_000)] == list(range(len(sizes)))


@given(_sizes, st.integers(0, 10), st.integers(0, 200))
def test_trim_drops_the_oldest_beyond_the_bounds(sizes: list[int], max_items: int, max_bytes: int) -> None:
    backlog = filled(sizes, max_items=max_items, max_bytes=max_bytes)
    dropped = backlog.trim()
    kept = backlog.take(10_000)
    assert [item for item, _ in kept] == list(range(dropped, len(sizes)))
    assert len(kept) <= max_items
    assert sum(size for _, size in kept) <= max_bytes
    if dropped:
        more = sizes[dropped - 1 :]
        assert len(more) > max_items or sum(more) > max_bytes


def test_clear_says_how_much_it_was() -> None:
    backlog = filled([1, 2, 3])
    assert backlog.clear() == 3
    assert len(backlog) == 0
    assert backlog.take(10) == []
