"""Journals: whatever becomes of a process, what it added is delivered by it or the next one, within bounds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from aotel.journal import Journal, JournalError, Reader, SegmentDirectory

if TYPE_CHECKING:
    from pathlib import Path

LEAST = 64 << 10  # bytes of the smallest segment there is


def journal(path: Path, max_bytes: int = 16 << 20, kind: str = "envelopes") -> Journal:
    return Journal(SegmentDirectory(path, kind, max_bytes), {"pid": os.getpid()})


def everything(of: Journal | Reader) -> list[bytes]:
    reader = of.reader() if isinstance(of, Journal) else of
    found: list[bytes] = []
    while True:
        _, records = reader.read(100, 1 << 20)
        if not records:
            return found
        found += records
        reader.settle()


def files(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def test_what_is_added_is_read_once_in_order_over_many_segments(tmp_path: Path) -> None:
    made = journal(tmp_path / "j", LEAST * 8 * 4)
    written = [b"%d" % number * 100 for number in range(2000)]
    for number, payload in enumerate(written):
        made.append(payload)
        if number % 100 == 0:
            made.prepare()
    assert len(files(tmp_path / "j")) > 3
    reader = made.reader()
    assert reader.waiting
    assert everything(reader) == written
    assert everything(reader) == []
    assert not reader.waiting
    made.clean()
    assert len(files(tmp_path / "j")) <= 2
    made.close()
    assert files(tmp_path / "j") == []


def test_records_are_read_by_number_and_by_size(tmp_path: Path) -> None:
    made = journal(tmp_path / "j")
    for size in (10, 10, 10, 5000, 10):
        made.append(bytes(size))
    reader = made.reader()
    for items, size, lengths in ((2, 10**6, [10, 10]), (9, 100, [10]), (9, 100, [5000]), (9, 100, [10]), (9, 9, [])):
        assert [len(each) for each in reader.read(items, size)[1]] == lengths
        reader.settle()
    made.close()


def test_what_was_not_settled_is_read_again(tmp_path: Path) -> None:
    made = journal(tmp_path / "j", LEAST * 8 * 4)
    written = [b"%d" % number * 100 for number in range(1000)]
    for payload in written:
        made.append(payload)
    reader = made.reader()
    for start in (0, 10, 20):
        assert reader.read(10, 10**6)[1] == reader.read(10, 10**6)[1] == written[start : start + 10]
        reader.settle()
    made.close()
    again = journal(tmp_path / "j", LEAST * 8 * 4)
    again.adopt()
    assert everything(again) == written[30:]
    again.close()


def test_readers_go_at_their_own_pace_and_keep_what_the_slowest_has_not_settled(tmp_path: Path) -> None:
    made = journal(tmp_path / "j", LEAST * 8)
    written = [b"%d" % number * 100 for number in range(1000)]
    fast, slow = made.reader(), made.reader()
    for payload in written:
        made.append(payload)
    assert everything(fast) == written
    before = files(tmp_path / "j")
    made.clean()
    assert files(tmp_path / "j") == before
    passed = 0
    for _ in range(50):
        passed += len(slow.read(10, 10**6)[1])
        slow.settle()
    made.clean()
    assert 1 < len(files(tmp_path / "j")) < len(before)
    made.append(b"more")
    assert everything(fast) == [b"more"]
    assert everything(slow) == [*written[passed:], b"more"]
    made.close()
    assert files(tmp_path / "j") == []


def test_what_a_process_leaves_is_taken_over_with_its_facts(tmp_path: Path) -> None:
    former = Journal(SegmentDirectory(tmp_path / "j", "envelopes", 16 << 20), {"pid": 1})
    for number in range(10):
        former.append(b"%d" % number)
    reader = former.reader()
    reader.read(4, 10**6)
    reader.settle()
    former.close()
    made = journal(tmp_path / "j")
    made.append(b"own")
    assert made.adopt() == 1
    reader = made.reader()
    found = []
    for _ in range(2):
        found.append(reader.read(100, 10**6))
        reader.settle()
    assert found == [({"pid": os.getpid()}, [b"own"]), ({"pid": 1}, [b"%d" % number for number in range(4, 10)])]
    made.close()
    assert files(tmp_path / "j") == []


def test_what_is_taken_over_reaches_readers_that_are_under_way(tmp_path: Path) -> None:
    made = journal(tmp_path / "j")
    reader = made.reader()
    made.append(b"one")
    assert everything(reader) == [b"one"]
    former = journal(tmp_path / "j")
    former.append(b"left over")
    former.close()
    assert made.adopt() == 1
    made.append(b"two")
    assert sorted(everything(reader)) == [b"left over", b"two"]
    made.close()
    assert files(tmp_path / "j") == []


def test_a_process_that_runs_is_not_taken_over(tmp_path: Path) -> None:
    other = journal(tmp_path / "j")
    other.append(b"mine")
    made = journal(tmp_path / "j")
    assert made.adopt() == 0
    assert everything(other) == [b"mine"]
    other.close()
    made.close()


def test_kinds_keep_apart(tmp_path: Path) -> None:
    other = journal(tmp_path / "j", kind="spans")
    other.append(b"span")
    other.close()
    made = journal(tmp_path / "j")
    assert made.adopt() == 0
    assert journal(tmp_path / "j", kind="spans").adopt() == 1


def test_past_the_bound_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    made = journal(tmp_path / "j", LEAST * 8)
    for number in range(2000):
        made.append(b"%06d" % number * 100)
    assert made.directory.bytes_used() <= LEAST * 8
    made.close()
    again = journal(tmp_path / "j", LEAST * 8)
    again.adopt()
    found = everything(again)
    assert found == [b"%06d" % number * 100 for number in range(2000 - len(found), 2000)]
    assert 400 < len(found) < 1000
    again.close()


def test_left_over_segments_make_room_and_are_counted(tmp_path: Path) -> None:
    former = journal(tmp_path / "j", LEAST * 8)
    for number in range(600):
        former.append(b"%06d" % number * 100)
    former.close()
    made = journal(tmp_path / "j", LEAST * 8)
    for number in range(300):
        made.append(b"%06d" % number * 100)
    made.adopt()
    kept = len(everything(made)) - 300
    assert made.directory.lost == 600 - kept
    assert 0 < made.directory.lost < 600
    made.close()


def test_no_room_beside_running_processes_is_said(tmp_path: Path) -> None:
    others = [journal(tmp_path / "j", LEAST * 8) for _ in range(8)]
    for other in others:
        other.append(b"x")
    made = journal(tmp_path / "j", LEAST * 8)
    with pytest.raises(JournalError, match="AOTEL_SPOOL_MAX_BYTES"):
        made.append(b"x")
    for other in others:
        assert everything(other) == [b"x"]
        other.close()
    made.append(b"x")
    made.close()


def test_a_record_larger_than_a_segment_has_one_of_its_own(tmp_path: Path) -> None:
    made = journal(tmp_path / "j")
    written = [b"small", bytes(3 << 20), b"small again"]
    for payload in written:
        made.append(payload)
        made.prepare()
    assert everything(made) == written
    made.close()


def test_the_directory_is_private(tmp_path: Path) -> None:
    made = journal(tmp_path / "a" / "j")
    assert (tmp_path / "a" / "j").stat().st_mode & 0o777 == 0o700
    made.close()
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(JournalError, match="chmod 700"):
        journal(tmp_path / "open")
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="file"):
        journal(tmp_path / "file")
    with pytest.raises(JournalError, match="file"):
        journal(tmp_path / "file" / "below")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir(mode=0o700)
    os.chown(tmp_path / "j", 12345, -1)
    with pytest.raises(JournalError, match="12345"):
        journal(tmp_path / "j")


def test_unfinished_segments_of_long_ago_are_removed(tmp_path: Path) -> None:
    made = journal(tmp_path / "j")
    for name, age in (("old.new", 3600), ("young.new", 0)):
        (tmp_path / "j" / name).touch()
        os.utime(tmp_path / "j" / name, (time.time() - age, time.time() - age))
    made.append(b"x")
    names = files(tmp_path / "j")
    assert "young.new" in names
    assert "old.new" not in names
    made.close()


def test_threads_add_at_once_while_one_reads(tmp_path: Path) -> None:
    made = journal(tmp_path / "j")
    found: list[bytes] = []
    done = threading.Event()

    def add(name: int) -> None:
        for number in range(2000):
            made.append(b"%d-%d" % (name, number))

    reader = made.reader()

    def ship() -> None:
        while not (done.is_set() and not reader.waiting):
            records = reader.read(64, 1 << 20)[1]
            found.extend(records)
            reader.settle()
            made.clean()
            made.prepare()
            time.sleep(0)

    threads = [threading.Thread(target=add, args=(name,)) for name in range(4)]
    shipper = threading.Thread(target=ship)
    for thread in (*threads, shipper):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    shipper.join()
    assert len(found) == len(set(found)) == 8000
    for name in range(4):
        own = [each for each in found if each.startswith(b"%d-" % name)]
        assert own == [b"%d-%d" % (name, number) for number in range(2000)]
    made.close()


def test_a_signal_handler_adds_in_the_middle(tmp_path: Path) -> None:
    made = journal(tmp_path / "j")
    added: list[bytes] = []

    def handler(*_: object) -> None:
        payload = b"signal-%d" % len(added)
        added.append(payload)
        made.append(payload)

    former = signal.signal(signal.SIGVTALRM, handler)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0005, 0.0005)
    try:
        for number in range(20_000):
            made.append(b"%d" % number)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, former)
    found = everything(made)
    assert [each for each in found if each.startswith(b"signal")] == added
    assert [each for each in found if not each.startswith(b"signal")] == [b"%d" % number for number in range(20_000)]
    made.close()


def test_a_forked_child_has_segments_of_its_own(tmp_path: Path) -> None:
    made = journal(tmp_path / "j")
    made.append(b"parent")
    pid = os.fork()
    if pid == 0:  # pragma: no cover - another process
        made.append(b"child")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    reader = made.reader()
    assert everything(reader) == [b"parent"]
    assert made.adopt() == 1
    assert everything(reader) == [b"child"]
    made.close()
    assert files(tmp_path / "j") == []


def test_the_lock_ends_with_the_parent_though_its_child_lives(tmp_path: Path) -> None:
    program = """
import os, sys, time
from pathlib import Path
from aotel.journal import Journal, SegmentDirectory
made = Journal(SegmentDirectory(Path(sys.argv[1]), "envelopes", 1 << 20), {})
made.append(b"parent")
if os.fork() == 0:
    sys.stdout.flush()
    print("up", flush=True)
    sys.stdin.read()
    os._exit(0)
time.sleep(0.05)
os._exit(0)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "j")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert process.wait(20) == 0
        made = journal(tmp_path / "j")
        assert made.adopt() == 1
        assert everything(made) == [b"parent"]
        made.close()


KILLED = """
import os, sys
from pathlib import Path
from aotel.journal import Journal, SegmentDirectory
made = Journal(SegmentDirectory(Path(sys.argv[1]), "envelopes", 64 << 20), {})
for number in range(10 ** 9):
    made.append(b"%d" % number * 20)
    os.write(1, b"%d\\n" % number)
"""


@pytest.mark.parametrize("attempt", range(5))
def test_what_was_added_survives_a_kill(attempt: int, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "j")], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(100 + 7919 * attempt)
        process.kill()
        rest = process.stdout.read()
        process.wait(20)
    made = journal(tmp_path / "j")
    made.adopt()
    found = everything(made)
    told = int(rest.rpartition(b"\n")[0].rpartition(b"\n")[2] or 0)
    assert found == [b"%d" % number * 20 for number in range(len(found))]
    assert len(found) >= told + 1
    made.close()
