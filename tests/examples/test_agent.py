"""The demo, as a process: what it prints, what it records, and how it takes being interrupted."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.envelope_schema import assert_paired, read_envelopes
from tests.examples.programs import PROGRAM, RECORDED, environment, module, run
from tests.servers import OtlpReceiver, PodServer

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

MODEL = module("local_server").MODEL
QUESTIONS = module("agent").QUESTIONS
KINDS = {
    "agent.session.start",
    "agent.session.end",
    "agent.run.start",
    "agent.run.end",
    "agent.step.start",
    "agent.step.end",
    "agent.step.transition",
    "agent.llm.request",
    "agent.llm.response",
    "agent.tool.call",
    "agent.tool.result",
    "agent.memory.read",
    "agent.subagent.dispatch",
    "agent.subagent.return",
    "agent.human.request",
    "coat.emit",
    "coat.error",
}


def test_answers_come_with_sources(tmp_path: Path) -> None:
    ran = run(tmp_path)
    assert ran.stderr == ""
    assert ran.stdout.count("\nQ  ") == ran.stdout.count("\nA  ") == 3
    assert ran.stdout.count("(each sentence was found there)") == 3
    assert "The documentation does not say." not in ran.stdout


def test_audit_trail_is_complete_valid_and_in_one_session(tmp_path: Path) -> None:
    run(tmp_path)
    envelopes = read_envelopes(tmp_path / RECORDED)
    assert_paired(envelopes)
    assert {envelope["kind"] for envelope in envelopes} == KINDS
    assert len({envelope["ids"]["session_id"] for envelope in envelopes}) == 1
    assert len({envelope["ids"]["trace_id"] for envelope in envelopes}) == 1
    runs = [envelope["ids"]["run_id"] for envelope in envelopes if envelope["kind"] == "agent.run.end"]
    assert len(set(runs)) == 3


def test_calls_of_the_model_are_recorded_by_the_instrumented_package(tmp_path: Path) -> None:
    run(tmp_path, "-q", QUESTIONS[0])
    envelopes = read_envelopes(tmp_path / RECORDED)
    ends = [envelope["payload"] for envelope in envelopes if envelope["kind"] == "agent.llm.response"]
    models = [end["llm"] for end in ends]
    assert {model["request_model"] for model in models} == {model["response_model"] for model in models} == {MODEL}
    assert all(model["input_tokens"] > model["output_tokens"] > 0 for model in models)
    assert [model["finish_reasons"] for model in models] == [["tool_calls"], ["tool_calls"], ["stop"]]
    assert ["time_to_first_chunk_ms" in model for model in models] == [False, True, True]


def test_question_that_the_documents_do_not_answer(tmp_path: Path) -> None:
    ran = run(tmp_path, "-q", "Zyzzyva?")
    assert "The documentation does not say." in ran.stdout


def test_environment_adds_a_destination(tmp_path: Path) -> None:
    ran = run(tmp_path, "-q", "sessions", AOTEL_ENVELOPES=f"stderr,file:{RECORDED}")
    lines = ran.stderr.splitlines()
    assert lines
    assert all(line.startswith('[coat] {"spec":"aotp/0.1"') for line in lines)
    assert len(lines) == len(read_envelopes(tmp_path / RECORDED))


def test_spans_and_envelopes_go_to_an_otlp_receiver_too(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver:
        run(
            tmp_path,
            "-q",
            "sessions",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            AOTEL_ENVELOPES=f"otlp,file:{RECORDED}",
        )
        names = {span.name for span in receiver.wait_for_spans(10)}
        envelopes = read_envelopes(tmp_path / RECORDED)
        records = receiver.wait_for_log_records(len(envelopes))
    assert {"docs-demo", "DocsAgent.answer", f"chat {MODEL}"} <= names
    assert sorted(str(record.body) for record in records) == sorted(map(_line, envelopes))


def test_envelopes_go_to_the_pod_that_it_runs_in_too(tmp_path: Path) -> None:
    with PodServer(tmp_path) as pod:
        run(
            tmp_path,
            "-q",
            "sessions",
            ENVPOD_POD_ID="pod-7",
            ENVPOD_SOCKET=str(pod.path),
            AOTEL_ENVELOPES=f"pod,file:{RECORDED}",
        )
        envelopes = read_envelopes(tmp_path / RECORDED)
        assert pod.wait_for(len(envelopes)) == envelopes
    assert {envelope["envpod"]["pod_id"] for envelope in envelopes} == {"pod-7"}


def test_no_content_is_recorded_if_the_operator_says_so(tmp_path: Path) -> None:
    run(tmp_path, "-q", "Where is the zyzzyva?", AOTEL_CAPTURE="none")
    recorded = (tmp_path / RECORDED).read_text(encoding="utf-8")
    assert recorded
    assert "zyzzyva" not in recorded


def test_switched_off_it_still_answers(tmp_path: Path) -> None:
    ran = run(tmp_path, AOTEL_DISABLED="true")
    assert ran.stdout.count("(each sentence was found there)") == 3
    assert not (tmp_path / ".aotel").exists()


def test_help_and_bad_options(tmp_path: Path) -> None:
    assert "--question" in run(tmp_path, "--help").stdout
    refused = run(tmp_path, "--no-such-option", check=False)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("typed", "kept"), [("y", True), ("", False)])
def test_person_at_the_terminal_decides_whether_answers_are_kept(typed: str, kept: bool, tmp_path: Path) -> None:
    with _Terminal(tmp_path) as terminal:
        terminal.expect("[y/N]")
        terminal.type(f"{typed}\n")
        terminal.rest()
        assert terminal.process.wait(20) == 0
    assert (tmp_path / ".aotel" / "answers.md").exists() == kept
    ends = [envelope["kind"] for envelope in read_envelopes(tmp_path / RECORDED)]
    assert ends.count("agent.memory.write") == (2 if kept else 0)


def test_interrupt_ends_quietly_and_loses_nothing(tmp_path: Path) -> None:
    with _Terminal(tmp_path) as terminal:
        terminal.expect("[y/N]")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(20) == 130
        assert "Traceback" not in terminal.rest()
    envelopes = read_envelopes(tmp_path / RECORDED)
    assert_paired(envelopes)
    assert [envelope["payload"].get("outcome") for envelope in envelopes[-2:]] == ["interrupted", "interrupted"]


def test_interrupt_in_the_middle_of_an_answer_ends_quietly_too(tmp_path: Path) -> None:
    with _Terminal(tmp_path) as terminal:
        terminal.expect("A  ")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(20) == 130
        assert "Traceback" not in terminal.rest()
    envelopes = read_envelopes(tmp_path / RECORDED)
    assert_paired(envelopes)
    assert envelopes[-4]["kind"] == "agent.llm.request"  # and then it, the run and the session end
    assert [envelope["payload"].get("outcome") for envelope in envelopes[-3:]] == ["interrupted"] * 3


def _line(envelope: dict[str, object]) -> str:
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))


class _Terminal:
    """The program at a terminal, with somebody who reads and types."""

    def __init__(self, directory: Path) -> None:
        self._ours, theirs = pty.openpty()
        self._screen = ""
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            cwd=directory,
            env=environment(TERM="xterm", PYTHONIOENCODING="utf-8"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def expect(self, text: str) -> None:
        """Read until a text appears."""
        deadline = time.monotonic() + 40
        while text not in self._screen:
            assert time.monotonic() < deadline, self._screen
            assert self._read(), self._screen

    def type(self, text: str) -> None:
        """Type a text."""
        os.write(self._ours, text.encode())

    def rest(self) -> str:
        """Read to the end; return all that was on the screen."""
        while self._read():
            pass
        return self._screen

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], 20)[0]:
            return False
        try:
            read = os.read(self._ours, 65536)
        except OSError:  # Linux says so where the other end is closed
            return False
        self._screen += read.decode("utf-8", "replace")
        return bool(read)
