"""The stderr exporter: one line an envelope, on whatever stderr there is, or is not."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk._logs.export import LogRecordExportResult

from aotel.export import StderrExporter
from tests.export.records import envelopes, record, said

if TYPE_CHECKING:
    from collections.abc import Callable

SUCCESS = LogRecordExportResult.SUCCESS
FAILURE = LogRecordExportResult.FAILURE

_PROGRAM = """
import os, sys
from aotel.export import StderrExporter
from tests.export.records import record, envelopes
{before}
result = StderrExporter().export([record('{{"a": "é\\udc80"}}'), record('{{\\n"b": 1}}')])
print(result.name)
"""


def run(before: str = "", **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(before=before)],
        capture_output=True,
        check=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environ},
    )


class Refusing(io.StringIO):
    """A stream that raises when it is written to."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, _: str) -> int:
        raise self._error


def test_each_envelope_is_a_line_with_a_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    exporter = StderrExporter()
    assert exporter.export(envelopes(3)) is SUCCESS
    lines = capsys.readouterr().err.splitlines()
    assert [line[:7] for line in lines] == ["[coat] "] * 3
    assert [json.loads(line[7:])["seq"] for line in lines] == [0, 1, 2]
    assert exporter.counts.sent == 3


def test_line_is_written_in_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stderr", Stream())
    StderrExporter().export([record('{\n"a": 1}')])
    assert writes == ['[coat] { "a": 1}\n']


def test_stream_that_knows_ascii_only_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii"))
    assert StderrExporter().export([record('{"a": "é"}')]) is SUCCESS
    assert raw.getvalue() == b'[coat] {"a": "\\xe9"}\n'


def _closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    "make",
    [lambda: None, _closed, lambda: Refusing(BrokenPipeError()), lambda: Refusing(OSError(28, "full"))],
    ids=["none", "closed", "broken", "full"],
)
def test_stderr_that_can_not_be_written_costs_the_lines_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, make: Callable[[], object]
) -> None:
    exporter = StderrExporter()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", make())
        assert exporter.export(envelopes(2)) is FAILURE
    assert exporter.counts.dropped == 2
    assert exporter.counts.last_error
    assert said(caplog) == []
    exporter.shutdown()


def test_real_stderr_of_a_process() -> None:
    done = run()
    assert done.stderr.decode() == '[coat] {"a": "é?"}\n[coat] { "b": 1}\n'
    assert done.stdout == b"SUCCESS\n"


def test_real_stderr_in_ascii() -> None:
    assert run(PYTHONIOENCODING="ascii").stderr.startswith(b'[coat] {"a": "\\xe9?"}\n')


@pytest.mark.parametrize("before", ["os.close(2)", "sys.stderr.close()", "sys.stderr = None"])
def test_process_without_stderr_goes_on(before: str) -> None:
    assert run(before).stdout == b"FAILURE\n"


def test_process_whose_stderr_has_no_reader_goes_on() -> None:
    assert run("r, w = os.pipe(); os.close(r); os.dup2(w, 2)").stdout == b"FAILURE\n"


def test_full_pipe_that_does_not_block_is_waited_for_within_bounds() -> None:
    # The second `run` of writes meets a pipe that nobody reads.
    before = "r, w = os.pipe(); os.set_blocking(w, False); os.dup2(w, 2); os.write(2, b'x' * 65536)"
    assert run(before).stdout == b"FAILURE\n"


def test_full_pipe_that_is_read_in_time_gets_the_whole_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    got = b""

    def read() -> None:
        nonlocal got
        while chunk := os.read(reading, 1 << 16):
            got += chunk

    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        reader = threading.Thread(target=read)
        reader.start()
        text = "x" * 500_000
        assert StderrExporter().export([record(f'{{"a": "{text}"}}')]) is SUCCESS
        monkeypatch.undo()
    reader.join(5)
    os.close(reading)
    assert got.decode() == f'[coat] {{"a": "{text}"}}\n'
