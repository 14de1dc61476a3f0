"""The window of known envelopes: what is in it, what leaves it, and what a failed write takes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from aotel.audit import AuditLog
from aotel.pod import duplicates
from aotel.pod.duplicates import KEYS, Duplicates
from aotel.pod.stamp import key_of_json
from tests.pod.pod_process import envelope

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def keys(numbers: range) -> list[bytes]:
    return [b"%d" % number for number in numbers]


def key(number: int) -> bytes:
    found = key_of_json(json.dumps(envelope("p_1", number)))
    assert found is not None
    return found


def test_a_key_is_new_once() -> None:
    window = Duplicates()
    assert window.add(b"a")
    assert not window.add(b"a")
    assert window.add(b"b")


@given(st.integers(1, 20), st.lists(st.integers(0, 40), max_size=200))
def test_the_latest_are_remembered_and_the_rest_is_bounded(size: int, numbers: list[int]) -> None:
    window = Duplicates(size)
    order: list[int] = []
    for number in numbers:
        known = number in order[-size:]
        assert window.add(b"%d" % number) <= (not known)
        if number not in order[-size:]:
            order.append(number)
        window.keep()
        assert len(window) <= 2 * size


def test_a_failed_write_is_forgotten() -> None:
    window = Duplicates(4)
    for each in keys(range(3)):
        window.add(each)
    window.keep()
    for each in keys(range(3, 9)):  # two generations of them
        window.add(each)
    window.take_back()
    assert [window.add(each) for each in keys(range(3, 9))] == [True] * 6


def test_the_default_is_what_the_protocol_promises() -> None:
    window = Duplicates()
    for each in keys(range(KEYS)):
        window.add(each)
    window.keep()
    assert not any(window.add(each) for each in keys(range(KEYS)))


def test_the_end_of_a_log_is_known_again(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p", rotate_bytes=4000)
    for number in range(40):
        log.append("agent_coat", json.dumps(envelope("p_1", number)))
        log.append("bad_request", "{}")
        log.append("agent_coat", '{"no":"key"}')
        log.write()
    log.close()
    assert list(tmp_path.glob("audit.jsonl.*")), "the log should be in several files"
    window = Duplicates.of_log(tmp_path, 10)
    assert len(window) == 10
    assert [window.add(key(number)) for number in range(30, 40)] == [False] * 10
    assert window.add(key(29))


def test_the_order_in_the_log_is_the_order_of_forgetting(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p")
    for number in range(4):
        log.append("agent_coat", json.dumps(envelope("p_1", number)))
    log.write()
    log.close()
    window = Duplicates.of_log(tmp_path, 4)
    for number in range(4, 7):
        window.add(key(number))
    assert not any(window.add(key(number)) for number in range(4))  # the elder generation is still there
    assert [window.add(key(number)) for number in range(7, 9)] == [True, True]
    assert [window.add(key(number)) for number in range(2)] == [True, True]


def test_no_more_of_a_log_is_read_than_a_start_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(tmp_path, pod_id="p")
    for number in range(20):
        log.append("agent_coat", json.dumps(envelope("p_1", number)))
    log.write()
    log.close()
    monkeypatch.setattr(duplicates, "_MOST_READ", 5 * len(json.dumps(envelope("p_1", 0))))
    assert 5 <= len(Duplicates.of_log(tmp_path)) <= 6


def test_a_log_that_is_not_there_is_no_trouble(tmp_path: Path) -> None:
    assert len(Duplicates.of_log(tmp_path)) == 0
