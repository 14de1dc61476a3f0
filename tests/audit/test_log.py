"""Writing the log: what is in it, and that nothing else is, whatever goes wrong."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.audit import AuditLockedError, AuditLog, AuditWriteError, read, verify
from tests.audit.logs import write


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
    for _ in range(1500):
        log.append("claim", detail)
        log.write()
    log.close()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert verify(tmp_path).lines == sum(1 for _ in read(tmp_path)) == 1500
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB; the log has 150,000
