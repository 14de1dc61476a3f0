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

from aotel.audit import AuditLog, NoLogError, locate, newest_first, read, scanning, tail
from tests.audit.logs import write

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 30), st.integers(10, 200))
def test_newest_first_is_what_is_read_the_other_way_round(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], step: int, size: int
) -> None:
    log = write(tmp_path_factory.mktemp("log"), ["x" * length for length in lengths], rotate_bytes=size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "_STEP", step)
        assert list(newest_first(log)) == list(read(log))[::-1]


def test_lines_that_are_too_long_are_passed_over_from_either_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, ["a", "b", "c"])
    file = tmp_path / "audit.jsonl"
    first, second, third = file.read_bytes().splitlines(keepends=True)
    monkeypatch.setattr(scanning, "LONGEST", 1000)
    monkeypatch.setattr(scanning, "_STEP", 300)
    file.write_bytes(first + b"x" * 5000 + b"\n" + second + b"y" * 1000 + b"\n" + third)
    bad: list[int] = []
    assert values(read(tmp_path, on_bad_line=lambda _, number: bad.append(number))) == ["a", "b", "c"]
    assert bad == [2, 4]
    assert values(newest_first(tmp_path)) == ["c", "b", "a"]


def test_names_of_files_are_no_patterns(tmp_path: Path) -> None:
    write(tmp_path, range(9), rotate_bytes=1000)
    (tmp_path / "audit.jsonl").rename(tmp_path / "a[u]*.jsonl")
    for number, file in enumerate(sorted(tmp_path.glob("audit.jsonl.*")), 1):
        file.rename(tmp_path / f"a[u]*.jsonl.{number}")
    (tmp_path / "a[u]*.jsonl.1.gz").write_bytes(b"no part of it")
    assert values(read(tmp_path / "a[u]*.jsonl")) == [*range(9)]


def test_files_may_change_while_they_are_read(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p", rotate_bytes=1500, fsync="none")
    found: list[int] = []
    entries = read(tmp_path)
    for number in range(200):
        log.append("claim", str(number))
        log.write()
        if number > 20 and number % 2:
            found.append(int(next(entries).detail))
    log.close()
    found += [int(entry.detail) for entry in entries]
    assert found == list(range(200))


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Follower]:
    follower = Follower(tmp_path)
    yield follower
    follower.end()


class Follower:
    """Follows a log in a thread."""

    def __init__(self, path: Path) -> None:
        self.found: list[str] = []
        self.bad: list[int] = []
        self._path = path
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        goes_on = lambda: not self._ended.is_set()  # noqa: E731
        for entry in read(self._path, follow=goes_on, on_bad_line=lambda _, number: self.bad.append(number)):
            self.found.append(str(json.loads(entry.detail)))

    def wait_for(self, *expected: str) -> None:
        deadline = time.monotonic() + 20
        while self.found != [*expected] and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.found == [*expected]

    def end(self) -> None:
        self._ended.set()
        self._thread.join(10)


def line_of(directory: Path, value: str) -> bytes:
    return (write(directory, [value]) / "audit.jsonl").read_bytes()


def test_following_a_log_that_is_not_there_yet(follow: Follower, tmp_path: Path) -> None:
    time.sleep(0.2)
    write(tmp_path, ["a"])
    follow.wait_for("a")


def test_following_half_a_line_until_it_is_whole(
    follow: Follower, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    line = line_of(tmp_path_factory.mktemp("other"), "a")
    for part in (line[:50], line[50:100], line[100:]):
        with (tmp_path / "audit.jsonl").open("ab") as file:
            file.write(part)
        time.sleep(0.25)
    follow.wait_for("a")
    assert follow.bad == []


def test_following_over_half_a_line_that_is_put_aside(follow: Follower, tmp_path: Path) -> None:
    write(tmp_path, ["a"])
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"timestamp":"torn"')
    follow.wait_for("a")
    time.sleep(0.25)  # so that it has seen the half line
    log = AuditLog(tmp_path, pod_id="p")
    log.append("claim", '"b"')
    log.write()
    log.close()
    deadline = time.monotonic() + 20
    while len(follow.found) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [follow.found[0], "'bytes': 19" in follow.found[1], follow.found[2]] == ["a", True, "b"]
    assert follow.bad == []


def test_following_while_old_files_are_removed(follow: Follower, tmp_path: Path) -> None:
    """The identity of a file that was removed is given to the next one that is made."""
    expected: list[str] = []
    log = AuditLog(tmp_path, pod_id="p", rotate_bytes=600, fsync="none")
    for number in range(30):
        log.append("claim", f'"{number}"')
        log.write()
        expected.append(str(number))
        follow.wait_for(*expected)
        for old in tmp_path.glob("audit.jsonl.*"):
            old.unlink()
    log.close()


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
    with pytest.raises(NoLogError, match=r"no run is recorded in .* yet: record one with `aotel run"):
        locate(None, runs)
    first = write(runs / "20260101T000000Z-writer", ["a"])
    second = write(runs / "20260102T000000Z-reader", ["a"])
    (runs / "latest").symlink_to(first.name)
    assert locate(None, runs) == first.resolve()
    assert locate("latest", runs) == runs / "latest"
    assert locate("writer", runs) == first
    assert locate(first.name, runs) == first
    assert locate(str(first), runs) == first
    assert locate(str(first / "audit.jsonl"), runs) == first / "audit.jsonl"
    with pytest.raises(NoLogError, match="no audit log in 'nobody', and no run of that name in"):
        locate("nobody", runs)
    with pytest.raises(NoLogError, match="'er' is the end of several runs: 20260101T000000Z-writer, 2026"):
        locate("er", runs)
    with pytest.raises(NoLogError, match="no audit log in ''"):
        locate("", runs)
    assert locate("ader", runs) == second


def test_the_latest_run_of_a_name_is_meant(tmp_path: Path) -> None:
    write(tmp_path / "20260101T000000Z-writer", ["a"])
    write(tmp_path / "20260103T000000Z-ghostwriter", ["a"])
    later = write(tmp_path / "20260102T000000Z-writer", ["a"])
    (tmp_path / "20260104T000000Z-writer").mkdir()  # it has no log
    assert locate("writer", tmp_path) == later
    again = write(tmp_path / "20260104T000000Z-other-2", ["a"])
    assert locate("other", tmp_path) == again


def test_the_latest_run_where_nothing_leads_to_it(tmp_path: Path) -> None:
    write(tmp_path / "20260101T000000Z-writer", ["a"])
    later = write(tmp_path / "20260102T000000Z-reader", ["a"])
    write(tmp_path / "a-copy", ["a"])
    assert locate(None, tmp_path) == later
    (tmp_path / "latest").symlink_to("gone")
    assert locate(None, tmp_path) == later


def test_a_log_whose_newest_file_is_gone_is_one(tmp_path: Path) -> None:
    log = write(tmp_path / "log", range(9), rotate_bytes=1000)
    (log / "audit.jsonl").unlink()
    assert locate(str(log), tmp_path) == log
    with pytest.raises(NoLogError):
        locate(str(log / "audit.jsonl"), tmp_path)


def test_times_in_other_forms(tmp_path: Path) -> None:
    entry = {"pod_id": "p", "action": "claim", "detail": "1", "success": True}
    times = ["2026-01-01T00:00:00Z", "2026-01-01T01:00:01+01:00", "2026-01-01T00:00:02.5Z", "sometime"]
    text = "".join(json.dumps({"timestamp": time_, **entry}) + "\n" for time_ in times)
    (tmp_path / "audit.jsonl").write_text(text, encoding="utf-8")
    since = datetime(2026, 1, 1, 0, 0, 1, tzinfo=timezone.utc)
    assert [found.timestamp for found in read(tmp_path, since=since)] == times[1:]
