"""Reading the log: from the start, from the end, while it grows, and whatever is in it."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.audit import AuditLog, NoLogError, locate, read, tail
from tests.audit.logs import write

if TYPE_CHECKING:
    from pathlib import Path


def values(entries: object) -> list[object]:
    return [json.loads(entry.detail) for entry in entries]  # type: ignore[attr-defined]


def test_lines_that_are_none_are_passed_over_and_told_of(tmp_path: Path) -> None:
    write(tmp_path, ["a", "b"])
    file = tmp_path / "audit.jsonl"
    first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + b"garbage\n\n\xff\n" + second)
    bad: list[tuple[str, int]] = []
    found = read(tmp_path, on_bad_line=lambda file, number: bad.append((file.name, number)))
    assert values(found) == ["a", "b"]
    assert bad == [("audit.jsonl", 2), ("audit.jsonl", 4)]


def test_lines_of_the_runtime_have_no_chain_and_are_read_all_the_same(tmp_path: Path) -> None:
    line = {"timestamp": "2026-01-01T00:00:00Z", "pod_id": "p", "action": "agent_coat", "detail": "{}", "success": True}
    (tmp_path / "audit.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert [entry.action for entry in read(tmp_path)] == ["agent_coat"]


def test_since(tmp_path: Path) -> None:
    write(tmp_path, ["a"])
    now = datetime.now(timezone.utc)
    assert values(read(tmp_path, since=now - timedelta(minutes=1))) == ["a"]
    assert values(read(tmp_path, since=now + timedelta(minutes=1))) == []


@given(st.integers(0, 40), st.integers(0, 40), st.integers(200, 3000))
def test_tail_is_the_end_of_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, written: int, asked: int, size: int
) -> None:
    log = write(tmp_path_factory.mktemp("log"), range(written), rotate_bytes=size)
    assert values(tail(log, asked)) == list(range(written))[max(written - asked, 0) :]


def test_tail_of_long_lines(tmp_path: Path) -> None:
    log = write(tmp_path, ["x" * 3_000_000, "y" * 1_500_000, "z"])
    assert [len(str(value)) for value in values(tail(log, 2))] == [1_500_000, 1]


def test_tail_leaves_half_a_line_out(tmp_path: Path) -> None:
    write(tmp_path, ["a"])
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"half')
    assert values(tail(tmp_path, 5)) == ["a"]


def test_following_a_log_that_grows_and_changes_files(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p", rotate_bytes=3000, fsync="none")
    log.append("claim", "0")
    log.write()
    found: list[int] = []
    ended = threading.Event()

    def follow() -> None:
        for entry in read(tmp_path, follow=lambda: not ended.is_set()):
            found.append(int(entry.detail))

    thread = threading.Thread(target=follow)
    thread.start()
    for number in range(1, 101):
        log.append("claim", str(number))
        log.write()
        time.sleep(0.002 if number % 7 else 0.05)
    log.close()
    deadline = time.monotonic() + 20
    while len(found) < 101 and time.monotonic() < deadline:
        time.sleep(0.01)
    ended.set()
    thread.join(10)
    assert found == list(range(101))


def test_where_a_log_is(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    first = write(runs / "20260101T000000Z-writer", ["a"])
    second = write(runs / "20260102T000000Z-reader", ["a"])
    with pytest.raises(NoLogError, match=r"no run is recorded in .* yet: record one with `aotel run"):
        locate(None, runs)
    (runs / "latest").symlink_to(second.name)
    assert locate(None, runs) == second.resolve()
    assert locate("writer", runs) == first
    assert locate(first.name, runs) == first
    assert locate(str(first), runs) == first
    assert locate(str(first / "audit.jsonl"), runs) == first / "audit.jsonl"
    with pytest.raises(NoLogError, match="no audit log in 'nobody', and no run of that name in"):
        locate("nobody", runs)
    with pytest.raises(NoLogError, match="'er' is the end of several runs: 20260101T000000Z-writer, 2026"):
        locate("er", runs)
