"""`configure`: attaches once, obeys the environment first, and says clearly what it does not take."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import aotel
from aotel.distro.configuration import STATE
from aotel.testing import record_envelopes, record_spans
from tests.distro.programs import CALL, ROOT, TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.distro.programs import Programs
    from tests.servers import OtlpReceiver

TOOL_KINDS = ["agent.tool.call", "agent.tool.result"]


@pytest.mark.parametrize(
    ("arguments", "error", "names"),
    [
        ({"session_id": 7}, TypeError, "session_id"),
        ({"agent_id": b"a"}, TypeError, "agent_id"),
        ({"agent_role": 1.5}, TypeError, "agent_role"),
        ({"capture": "everything"}, ValueError, "capture"),
        ({"capture": 1}, TypeError, "capture"),
        ({"envelopes": "nowhere"}, aotel.ConfigurationError, "envelopes"),
        ({"envelopes": ["none", "otlp"]}, aotel.ConfigurationError, "envelopes"),
        ({"exporters": [object()]}, TypeError, "exporters"),
        ({"redact": "secret"}, TypeError, "redact"),
        ({"flush_timeout": "5"}, TypeError, "flush_timeout"),
        ({"flush_timeout": True}, TypeError, "flush_timeout"),
        ({"flush_timeout": -1}, aotel.ConfigurationError, "flush_timeout"),
        ({"flush_timeout": float("nan")}, aotel.ConfigurationError, "flush_timeout"),
    ],
)
def test_what_is_not_accepted_is_named_and_changes_nothing(
    arguments: dict[str, Any], error: type[Exception], names: str
) -> None:
    before = STATE.request
    with pytest.raises(error, match=names):
        aotel.configure(**arguments)
    assert STATE.request is before


def test_a_script_without_an_sdk_needs_no_line_for_it(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(CALL, instrumented=False)
    assert ended.untouched, ended.stderr
    assert [span.name for span in receiver.spans] == ["search"]
    assert ended.kinds == TOOL_KINDS


def test_nothing_is_exported_without_an_endpoint(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(CALL, environment={"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, instrumented=False)
    assert ended.untouched, ended.stderr
    assert receiver.spans == []
    assert ended.kinds == TOOL_KINDS


def test_configuring_again_is_the_same_pipeline_on_the_same_provider(
    programs: Programs, receiver: OtlpReceiver
) -> None:
    ended = programs.run(
        """
        import aotel
        handles = [aotel.configure() for _ in range(3)]
        print(len({id(handle.provider) for handle in handles}))
        """,
        CALL,
        instrumented=False,
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout.splitlines()[0] == "1"
    assert len(receiver.spans) == 1
    assert ended.kinds == TOOL_KINDS


def test_the_environment_wins_over_the_arguments(programs: Programs) -> None:
    ended = programs.run(
        """
        import aotel
        aotel.configure(capture="raw", session_id="s-code", agent_id="a-code", envelopes="stderr")
        """,
        CALL,
        environment={"AOTEL_CAPTURE": "none", "AOTEL_SESSION_ID": "s-env", "AOTEL_AGENT_ID": "a-env"},
        instrumented=False,
    )
    start = ended.envelopes[0]
    assert ended.untouched, ended.stderr
    assert start["capture"]["content"] == "none"
    assert start["ids"]["session_id"] == "s-env"
    assert start["subject"]["agent_id"] == "a-env"


def test_a_provider_given_is_the_one_that_is_used(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        """
        import aotel
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry import trace

        provider = TracerProvider()
        handle = aotel.configure(tracer_provider=provider)
        print(handle.provider is provider, type(trace.get_tracer_provider()).__name__)
        """,
        CALL,
        instrumented=False,
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout.splitlines()[0] == "True ProxyTracerProvider"
    assert receiver.spans == []
    assert ended.kinds == TOOL_KINDS


def test_exporters_of_the_program_get_the_envelopes_and_stay_open(programs: Programs) -> None:
    ended = programs.run(
        """
        import aotel
        from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter

        mine = InMemoryLogRecordExporter()
        for _ in range(2):
            aotel.configure(exporters=[mine], inline=True)

        @aotel.coat("tool")
        def search(query):
            return query

        search("notes")
        print(*(record.log_record.event_name for record in mine.get_finished_logs()))
        """,
        environment={"AOTEL_ENVELOPES": ""},
        instrumented=False,
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout.split() == TOOL_KINDS
    assert ended.envelopes == []


def test_exporters_that_are_replaced_are_closed(programs: Programs, tmp_path: Path) -> None:
    ended = programs.run(
        """
        import aotel
        from aotel.distro.configuration import STATE

        aotel.configure(envelopes="file:first.jsonl")
        (first,) = STATE.selected
        aotel.configure(envelopes="file:second.jsonl")
        (second,) = STATE.selected
        print(first.counts.state, second.counts.state)
        """,
        CALL,
        environment={"AOTEL_ENVELOPES": ""},
        instrumented=False,
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout.splitlines()[0] == "closed ready"
    assert not (tmp_path / "first.jsonl").exists()
    assert len((tmp_path / "second.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(("exports", "shown"), [(False, 2), (True, 0)])
def test_a_person_at_a_terminal_sees_envelopes_unless_spans_go_somewhere(
    tmp_path: Path, receiver: OtlpReceiver, exports: bool, shown: int
) -> None:
    (tmp_path / "app.py").write_text("import aotel\nwith aotel.step('work'):\n    pass\n")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")}
    if exports:
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
    own, program = pty.openpty()
    try:
        command = [sys.executable, "app.py"]
        subprocess.run(command, cwd=tmp_path, env=environment, stderr=program, timeout=TIMEOUT, check=True)
    finally:
        os.close(program)
    assert _read_all(own).count(b"[coat] {") == shown


def _read_all(descriptor: int) -> bytes:
    found = b""
    try:
        while chunk := os.read(descriptor, 65_536):
            found += chunk
    except OSError:
        pass  # the other side is closed: on Linux that is an error
    finally:
        os.close(descriptor)
    return found


def test_recording_spans_alone_exports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = tmp_path / "envelopes.jsonl"
    monkeypatch.setenv("AOTEL_ENVELOPES", f"file:{written}")
    with record_spans() as recorded, aotel.step("work"):
        pass
    assert recorded.names == ["work"]
    assert not written.exists()


def test_recordings_inside_recordings_see_what_is_theirs() -> None:
    with record_envelopes() as outer:
        with aotel.step("first"):
            pass
        with record_envelopes() as inner, aotel.step("second"):
            pass
        with aotel.step("third"):
            pass
        seen = outer.envelopes
    assert [envelope["payload"]["fn"] for envelope in inner.envelopes] == ["second"] * 2
    assert [envelope["payload"]["fn"] for envelope in seen] == ["first", "first", "second", "second", "third", "third"]
