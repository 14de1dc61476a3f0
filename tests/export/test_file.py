"""The file exporter: whole lines from many processes, moved files, full disks."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import resource
import signal
import stat
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk._logs.export import LogRecordExportResult

from aotel.export import Backoff, FileExporter
from tests.export.records import envelope, envelopes, fork, in_child, record, said, seqs

if TYPE_CHECKING:
    from pathlib import Path

SUCCESS = LogRecordExportResult.SUCCESS
FAILURE = LogRecordExportResult.FAILURE
AT_ONCE = Backoff(first=0.0, longest=0.0)

needs_dev_full = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux'")


def written(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_envelopes_are_lines_in_a_file_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "made" / "on the way" / "envelopes.jsonl"
    exporter = FileExporter(str(path))
    assert exporter.export(envelopes(3)) is SUCCESS
    assert exporter.export(envelopes(2, first=3)) is SUCCESS
    exporter.shutdown()
    assert seqs(written(path)) == [0, 1, 2, 3, 4]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert exporter.counts.sent == 5


def test_existing_file_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "envelopes.jsonl"
    path.write_text('{"seq": -1}\n')
    exporter = FileExporter(str(path))
    exporter.export(envelopes(1))
    exporter.shutdown()
    assert seqs(written(path)) == [-1, 0]


def test_relative_path_is_of_the_directory_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exporter = FileExporter("envelopes.jsonl")
    monkeypatch.chdir("/")
    exporter.export(envelopes(1))
    exporter.shutdown()
    assert len(written(tmp_path / "envelopes.jsonl")) == 1
    assert exporter.name == "file:envelopes.jsonl"


@pytest.mark.parametrize("delete", [True, False])
def test_file_that_was_moved_or_deleted_is_made_anew(tmp_path: Path, delete: bool) -> None:
    path = tmp_path / "envelopes.jsonl"
    exporter = FileExporter(str(path))
    exporter.export([envelope(0)])
    path.unlink() if delete else path.rename(tmp_path / "envelopes.1")
    exporter.export([envelope(1)])
    exporter.shutdown()
    assert seqs(written(path)) == [1]
    assert delete or seqs(written(tmp_path / "envelopes.1")) == [0]


def test_directory_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "envelopes.jsonl"
    exporter = FileExporter(str(path))
    exporter.export([envelope(0)])
    path.unlink()
    path.parent.rmdir()
    exporter.export([envelope(1)])
    exporter.shutdown()
    assert seqs(written(path)) == [1]


def test_line_ends_inside_an_envelope_do_not_break_the_line(tmp_path: Path) -> None:
    path = tmp_path / "envelopes.jsonl"
    exporter = FileExporter(str(path))
    exporter.export([record('{"a":\n1, "b": "é\udc80"}')])
    exporter.shutdown()
    assert written(path) == [{"a": 1, "b": "é?"}]


def test_processes_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "envelopes.jsonl"
    exporter = FileExporter(str(path))
    padding = "é" * 20_000

    def child(number: int) -> None:
        for batch in range(10):
            exporter.export([envelope(number * 100 + batch * 10 + n, padding) for n in range(10)])

    children = []
    for number in range(4):
        pid = fork()
        if pid == 0:
            code = 1
            try:
                child(number)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 4
    exporter.shutdown()
    found = written(path)
    assert sorted(seqs(found), key=int) == list(range(400))  # type: ignore[arg-type]
    assert all(each["payload"] == {"fn": padding} for each in found)


def test_file_that_can_not_be_made_keeps_envelopes_for_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    blocker = tmp_path / "logs"
    blocker.write_text("a file where a directory is needed")
    exporter = FileExporter(str(blocker / "envelopes.jsonl"), backoff=AT_ONCE)
    for seq in range(5):
        assert exporter.export([envelope(seq)]) is SUCCESS
    assert (exporter.counts.waiting, exporter.counts.state) == (5, "down")
    assert not exporter.force_flush()
    assert len(said(caplog)) == 1
    blocker.unlink()
    assert exporter.export([envelope(5)]) is SUCCESS
    assert seqs(written(blocker / "envelopes.jsonl")) == [0, 1, 2, 3, 4, 5]
    assert (exporter.counts.waiting, exporter.counts.sent, exporter.counts.state) == (0, 6, "ready")
    assert len(said(caplog, logging.INFO)) == 2
    exporter.shutdown()


def test_empty_export_writes_what_waits(tmp_path: Path) -> None:
    blocker = tmp_path / "logs"
    blocker.write_text("")
    exporter = FileExporter(str(blocker / "envelopes.jsonl"), backoff=AT_ONCE)
    exporter.export(envelopes(2))
    blocker.unlink()
    exporter.export([])
    assert len(written(blocker / "envelopes.jsonl")) == 2
    exporter.shutdown()


@needs_dev_full
def test_full_device_is_told_once_and_memory_stays_bounded(caplog: pytest.LogCaptureFixture) -> None:
    exporter = FileExporter("/dev/full", backoff=AT_ONCE)
    results = [exporter.export([envelope(seq, "x" * 1_000_000)]) for seq in range(30)]
    assert results[0] is SUCCESS
    assert results[-1] is FAILURE
    assert exporter.counts.waiting < 20
    assert exporter.counts.waiting + exporter.counts.dropped == 30
    assert "space" in said(caplog)[0]
    assert len(said(caplog)) == 1
    exporter.shutdown()
    assert (exporter.counts.waiting, exporter.counts.dropped, exporter.counts.sent) == (0, 30, 0)


def test_disk_that_takes_half_a_batch_keeps_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "envelopes.jsonl"
    exporter = FileExporter(str(path), backoff=AT_ONCE)
    exporter.export([envelope(0)])

    def child() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
        assert exporter.export([envelope(seq, "x" * 1_000) for seq in range(1, 9)]) is SUCCESS
        assert exporter.counts.waiting == 8

    assert in_child(child) == 0
    assert seqs(written(path)) == [0]
    exporter.export([envelope(9)])
    assert seqs(written(path)) == [0, 9]
    exporter.shutdown()


def test_child_does_not_write_what_its_parent_keeps(tmp_path: Path) -> None:
    blocker = tmp_path / "logs"
    blocker.write_text("")
    exporter = FileExporter(str(blocker / "envelopes.jsonl"), backoff=AT_ONCE)
    exporter.export([envelope(0)])

    def child() -> None:
        blocker.unlink()
        exporter.export([envelope(1)])
        exporter.shutdown()

    assert in_child(child) == 0
    exporter.export([envelope(2)])
    exporter.shutdown()
    assert seqs(written(blocker / "envelopes.jsonl")) == [1, 0, 2]


def test_lock_that_nobody_gives_back_does_not_stop_us(tmp_path: Path) -> None:
    path = tmp_path / "envelopes.jsonl"
    exporter = FileExporter(str(path))
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        started = time.monotonic()
        assert exporter.export([envelope(0)]) is SUCCESS
        assert time.monotonic() - started < 5
    exporter.shutdown()
    assert seqs(written(path)) == [0]


def test_named_pipe_is_written_once_it_has_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    exporter = FileExporter(str(path), backoff=AT_ONCE)
    assert exporter.export([envelope(0)]) is SUCCESS
    assert exporter.counts.waiting == 1
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    deadline = time.monotonic() + 5
    while exporter.counts.waiting and time.monotonic() < deadline:
        time.sleep(0.02)
        exporter.export([])
    exporter.shutdown()
    reader.join(5)
    assert seqs([json.loads(got[0])]) == [0]
