"""Writing the log: what is in it, and that nothing else is, whatever goes wrong."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.audit import AuditKeyError, AuditLockedError, AuditLog, AuditWriteError, read, verify
from tests.audit.logs import write

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_line_has_the_runtimes_keys_and_then_those_of_the_chain(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id='a "pod"', fsync="none")
    log.append("agent_coat", '{"kind":"x"}', agent="writer")
    log.append("claim", b"{}", success=False)
    written = log.write()
    log.close()
    first, second = map(json.loads, (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines())
    assert list(first) == ["timestamp", "pod_id", "action", "detail", "success", "agent", "seq", "prev", "hash"]
    assert (first["pod_id"], first["detail"], first["agent"]) == ('a "pod"', '{"kind":"x"}', "writer")
    assert (first["seq"], first["prev"], second["prev"]) == (1, "0" * 64, first["hash"])
    assert ("agent" in second, second["success"]) == (False, False)
    assert written == list(read(tmp_path))


def test_hash_is_that_of_the_contract(tmp_path: Path) -> None:
    write(tmp_path, ["é"])
    line = (tmp_path / "audit.jsonl").read_bytes()
    content, _, rest = line.partition(b',"hash":"')
    assert hashlib.sha256(b"0" * 64 + content).hexdigest() == rest[:64].decode()


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    write(tmp_path / "new" / "log", ["x"])
    assert (tmp_path / "new" / "log" / "audit.jsonl").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new" / "log").stat().st_mode & 0o777 == 0o700


def test_nothing_is_written_before_write(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p")
    log.append("claim", "{}")
    assert (tmp_path / "audit.jsonl").read_bytes() == b""
    assert len(log.write()) == 1
    assert log.write() == []
    log.close()


def test_one_writer(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p")
    with pytest.raises(AuditLockedError, match="being written by another process: stop that pod"):
        AuditLog(tmp_path, pod_id="p")
    log.close()
    AuditLog(tmp_path, pod_id="p").close()


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditWriteError, match="can't be opened"):
        AuditLog(tmp_path / "file" / "log", pod_id="p")


def test_chain_goes_on_after_a_restart_and_over_rotation(tmp_path: Path) -> None:
    for _ in range(3):
        write(tmp_path, range(20), rotate_bytes=2000)
    assert [json.loads(entry.detail) for entry in read(tmp_path)] == [*range(20)] * 3
    assert [entry.seq for entry in read(tmp_path)] == [*range(1, 61)]
    assert len(list(tmp_path.glob("audit.jsonl.*"))) > 3
    assert all(file.stat().st_size <= 2000 for file in tmp_path.glob("audit.jsonl*"))
    assert verify(tmp_path).ok


def test_an_entry_larger_than_a_file_may_be_is_written_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, ["x" * 5000, "y" * 5000], rotate_bytes=100)
    assert len(list(read(tmp_path))) == 2


@pytest.mark.parametrize("torn", [b"{", b'{"timestamp":"2026', b"\xff\x00", b"x" * 200_000])
def test_half_a_line_that_a_crash_left_is_put_aside_and_told_of(tmp_path: Path, torn: bytes) -> None:
    write(tmp_path, ["a", "b"])
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(torn)
    log = AuditLog(tmp_path, pod_id="p")
    log.close()
    assert log.recovered is not None
    assert log.recovered.read_bytes() == torn
    assert log.recovered.stat().st_mode & 0o777 == 0o600
    last = list(read(tmp_path))[-1]
    assert (last.action, last.success, json.loads(last.detail)["bytes"]) == ("torn_line", False, len(torn))
    assert verify(tmp_path).ok
    assert verify(tmp_path).lines == 3


def test_a_log_that_is_nothing_but_half_a_line(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_bytes(b'{"timest')
    AuditLog(tmp_path, pod_id="p").close()
    assert [entry.action for entry in read(tmp_path)] == ["torn_line"]
    assert verify(tmp_path).ok


_FILLS_UP = """
import json, resource, signal, sys
from pathlib import Path
from aotel.audit import AuditLog, AuditWriteError, verify
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write past the limit fails, as on a full disk
log = AuditLog(Path(sys.argv[1]), pod_id="p", fsync="none")
log.append("claim", json.dumps("fits")); log.write()
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
for _ in range(3):
    log.append("claim", json.dumps("x" * 600)); log.append("claim", json.dumps("y" * 600)); log.append("claim", '"z"')
    try:
        log.write()
    except AuditWriteError as error:
        print("failed", "can't be written" in str(error))
    print(verify(Path(sys.argv[1])))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.append("claim", json.dumps("after")); log.write(); log.close()
"""


def test_what_does_not_fit_on_the_disk_leaves_no_trace(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FILLS_UP, str(tmp_path)], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stdout.count("failed True") == 3
    assert done.stdout.count("lines=1") == 3
    assert done.stdout.count("half_line=False") == 3
    assert [json.loads(entry.detail) for entry in read(tmp_path)] == ["fits", "after"]
    assert verify(tmp_path).ok


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False, timeout=20
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here; test_what_does_not_fit_on_the_disk_leaves_no_trace stands in")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True, timeout=20)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte; return the file to be removed."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 512)
    return ballast


def test_full_disk(small_disk: Path) -> None:
    log = AuditLog(small_disk, pod_id="p", fsync="always", rotate_bytes=20_000)
    written: list[int] = []
    number = failures = 0
    for _ in range(3):
        for is_full in (False, True, False):
            ballast = fill(small_disk) if is_full else small_disk / "none"
            for _ in range(3):
                batch = list(range(number, number + 5))
                number += 5
                for each in batch:
                    log.append("claim", str(each) + " " * 1200)
                try:
                    log.write()
                    log.sync()
                    written += batch
                except AuditWriteError:
                    failures += 1
                verdict = verify(small_disk)
                assert (verdict.ok, verdict.half_line, verdict.lines) == (True, False, len(written))
            ballast.unlink(missing_ok=True)
    log.close()
    assert failures >= 3
    assert [int(entry.detail) for entry in read(small_disk)] == written
    assert len(list(small_disk.glob("audit.jsonl.*"))) > 2


def test_half_line_stays_where_it_is_until_there_is_room_to_put_it_aside(small_disk: Path) -> None:
    write(small_disk, ["a"])
    with (small_disk / "audit.jsonl").open("ab") as file:
        file.write(b"x" * 10_000)
    before = (small_disk / "audit.jsonl").read_bytes()
    ballast = fill(small_disk)
    for _ in range(2):
        with pytest.raises(AuditWriteError, match="can't be opened: No space left on device"):
            AuditLog(small_disk, pod_id="p")
    assert (small_disk / "audit.jsonl").read_bytes() == before
    assert not list(small_disk.glob("*.torn-*"))
    ballast.unlink()
    AuditLog(small_disk, pod_id="p").close()
    assert [entry.action for entry in read(small_disk)] == ["file_open", "torn_line"]


_OPENS_WHILE_FULL = """
import json, resource, signal, sys
from pathlib import Path
from aotel.audit import AuditLog, AuditWriteError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1]) / "audit.jsonl"
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
log = AuditLog(path.parent, pod_id="p", fsync="none")
log.append("claim", json.dumps("lost"))
try:
    log.write()
except AuditWriteError:
    print("failed")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.append("claim", json.dumps("after"))
print([entry.action for entry in log.write()])
log.close()
"""


def test_half_line_is_told_of_as_soon_as_the_log_can_be_written(tmp_path: Path) -> None:
    write(tmp_path, ["a"])
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b"half")
    done = subprocess.run(
        [sys.executable, "-c", _OPENS_WHILE_FULL, str(tmp_path)], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stdout.splitlines() == ["failed", "['torn_line', 'claim']"]
    assert [entry.action for entry in read(tmp_path)] == ["file_open", "torn_line", "claim"]
    assert verify(tmp_path).ok


_IS_KILLED = """
import sys
from pathlib import Path
from aotel.audit import AuditLog
log = AuditLog(Path(sys.argv[1]), pod_id="p", fsync="none", rotate_bytes=300_000)
number = int(sys.argv[2])
while True:
    for _ in range(50):
        log.append("claim", str(number) + " " * (number * 7919 % 3000))
        number += 1
    log.write()
    print(number, flush=True)
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(4)
    told = 0
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", _IS_KILLED, str(tmp_path), str(told)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            told = int(writer.stdout.readline())
            time.sleep(chance.uniform(0, 0.05))
            writer.kill()
            told = max([told, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        log = AuditLog(tmp_path, pod_id="p")
        log.close()
        written = [int(entry.detail) for entry in read(tmp_path) if entry.action == "claim"]
        assert written == list(range(len(written)))
        assert len(written) >= told
        assert verify(tmp_path).ok
        told = len(written)


def test_a_file_that_is_taken_away_is_noticed_and_the_gap_shows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog(tmp_path, pod_id="p")
    for number in range(3):
        log.append("claim", str(number))
        log.write()
        if number == 1:
            (tmp_path / "audit.jsonl").unlink()
    log.sync()
    log.close()
    assert [entry.detail for entry in read(tmp_path)] == ["2"]
    assert "was moved or deleted while it was written" in caplog.text
    found = verify(tmp_path).broken
    assert found is not None
    assert found.why == "it is line 3 of the log: those before it are missing"


@pytest.mark.parametrize(("first", "then"), [(None, b"k" * 32), (b"k" * 32, None), (b"k" * 32, b"l" * 32)])
def test_another_key_would_break_the_chain_and_is_refused(
    tmp_path: Path, first: bytes | None, then: bytes | None
) -> None:
    write(tmp_path, range(30), key=first)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b"half")
    with pytest.raises(AuditKeyError, match="open it with the key that it was written with"):
        AuditLog(tmp_path, pod_id="p", key=then)
    assert not list(tmp_path.glob("*.torn-*"))
    write(tmp_path, ["again"], key=first)
    assert verify(tmp_path, first).lines == 32  # one of them tells of the half line


def test_damaged_lines_do_not_keep_a_pod_from_starting(tmp_path: Path) -> None:
    write(tmp_path, range(5))
    file = tmp_path / "audit.jsonl"
    file.write_bytes(
        file.read_bytes().replace(b'"detail":"4"', b'"detail":"\0"').replace(b'"detail":"3"', b'"detail":"7"')
    )
    write(tmp_path, ["on"])
    found = verify(tmp_path).broken
    assert found is not None
    assert found.line == 4
    assert verify(tmp_path).lines == 3


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.lock"])
def test_links_and_pipes_are_no_logs(tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / name).symlink_to("victim")
    with pytest.raises(AuditWriteError, match=f"can't be opened: {name} is a symbolic link"):
        AuditLog(tmp_path, pod_id="p")
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(AuditWriteError, match=f"can't be opened: {name} is no regular file"):
        AuditLog(tmp_path, pod_id="p")
    (tmp_path / name).unlink()
    AuditLog(tmp_path, pod_id="p").close()
    assert (tmp_path / "victim").read_text() == "precious"


def test_what_cannot_be_utf_8_is_replaced(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p\udc80", fsync="none")
    log.append("claim", b'"\xff"')
    log.append("claim", '"\udcff"', agent="a\udcff")
    written = log.write()
    log.close()
    assert list(read(tmp_path)) == written
    assert [entry.detail for entry in written] == ['"\N{REPLACEMENT CHARACTER}"', f'"{chr(0xFFFD) * 3}"']
    assert verify(tmp_path).ok


def test_an_entry_that_nobody_could_read_is_refused(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p", fsync="none")
    with pytest.raises(
        ValueError, match=r"a line of the audit log may have 16,777,216 bytes, this one would have 17,\d"
    ):
        log.append("claim", "x" * (17 << 20))
    log.append("claim", "{}")
    log.write()
    log.close()
    assert verify(tmp_path).lines == 1


def test_closed_once_for_all(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p")
    log.close()
    log.close()
    log.sync()
    log.append("claim", "{}")
    with pytest.raises(AuditWriteError, match="it is closed"):
        log.write()
    assert (tmp_path / "audit.jsonl").read_bytes() == b""


_FORKS = """
import os, signal, sys
from pathlib import Path
from aotel.audit import AuditLockedError, AuditLog, AuditWriteError
path = Path(sys.argv[1])
log = AuditLog(path, pod_id="p")
log.append("claim", '"buffered before"')
read, write = os.pipe()
child = os.fork()
if not child:
    log.append("claim", '"of the child"')
    try:
        log.write()
    except AuditWriteError:
        os.write(write, b"closed ")
    log.close()
    try:
        AuditLog(path, pod_id="p")
    except AuditLockedError:
        os.write(write, b"locked\\n")
    signal.pause()
said = b""
while not said.endswith(b"\\n"):
    said += os.read(read, 100)
print(said.decode().strip())
log.write()
log.close()
AuditLog(path, pod_id="p").close()
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
"""


def test_a_forked_child_leaves_the_log_to_its_parent(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FORKS, str(tmp_path)], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stdout.strip() == "closed locked"
    assert [entry.detail for entry in read(tmp_path)] == ['"buffered before"']
    assert verify(tmp_path).ok


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
def test_files_that_nobody_syncs_do_not_pile_up(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    log = AuditLog(tmp_path, pod_id="p", rotate_bytes=1)
    for number in range(300):
        log.append("claim", str(number))
        log.write()
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 100
    log.close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert verify(tmp_path).lines == 300


def test_when_to_sync(tmp_path: Path) -> None:
    for policy, expected in (("none", False), ("always", True), ("interval", False)):
        log = AuditLog(tmp_path / policy, pod_id="p", fsync=policy, fsync_interval=3600)  # type: ignore[arg-type]
        assert not log.needs_sync
        log.append("claim", "{}")
        log.write()
        assert log.needs_sync == expected
        log.sync()
        assert not log.needs_sync
        log.close()
    log = AuditLog(tmp_path / "interval", pod_id="p", fsync="interval", fsync_interval=0)
    log.append("claim", "{}")
    log.write()
    assert log.needs_sync
    log.close()


def test_sync_in_another_thread_while_lines_are_written_and_files_change(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p", rotate_bytes=4000, fsync="interval", fsync_interval=0)
    done = threading.Event()

    def sync() -> None:
        while not done.is_set():
            log.sync()

    thread = threading.Thread(target=sync)
    thread.start()
    for number in range(300):
        log.append("claim", str(number))
        log.write()
    done.set()
    thread.join()
    before = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
    log.close()
    if sys.platform == "linux":
        assert len(list(Path("/proc/self/fd").iterdir())) < before
    assert [entry.detail for entry in read(tmp_path)] == [str(number) for number in range(300)]


@given(
    st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5), max_size=5), st.integers(1, 2000)
)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]], size: int) -> None:
    directory = tmp_path_factory.mktemp("log")
    log = AuditLog(directory, pod_id="p", rotate_bytes=size, fsync="none")
    for batch in batches:
        for text in batch:
            log.append("claim", json.dumps(text), agent=text)
        log.write()
    log.close()
    expected = [text for batch in batches for text in batch]
    assert [json.loads(entry.detail) for entry in read(directory)] == expected
    assert [entry.agent for entry in read(directory)] == expected
    assert verify(directory).ok


def test_memory_stays_small_over_a_large_log(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p", fsync="none", rotate_bytes=16 << 20)
    detail = json.dumps("x" * 100_000)
    for _ in range(500):
        log.append("claim", detail)
        log.write()
    log.close()
    tracemalloc.start()
    try:
        assert verify(tmp_path).lines == sum(1 for _ in read(tmp_path)) == 500
        assert tracemalloc.get_traced_memory()[1] < 10 << 20  # the log has 50 MB
    finally:
        tracemalloc.stop()
