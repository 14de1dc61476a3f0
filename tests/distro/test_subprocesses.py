"""Child processes continue the trace, session and run of whoever starts them, whatever instruments them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from aotel.distro.subprocesses import told

if TYPE_CHECKING:
    from tests.distro.programs import Ended, Programs
    from tests.servers import OtlpReceiver

PROPAGATE = {"AOTEL_PROPAGATE": "processes"}
PYTHON = sys.executable

CHILD = """
    import os, sys
    names = ("TRACEPARENT", "TRACESTATE", "AOTEL_SESSION_ID", "AOTEL_RUN_ID")
    CHILD = "import os; print(*(os.environ.get(name, '-') for name in %r), flush=True)" % (names,)
    COMMAND = [sys.executable, "-S", "-c", CHILD]
"""
"""The command of a child that prints what it is told."""


def told_to_children(ended: Ended) -> list[list[str]]:
    assert ended.untouched, ended.stderr
    return [line.split() for line in ended.stdout.splitlines()]


WAYS = {
    "run": "subprocess.run(COMMAND)",
    "call": "subprocess.call(COMMAND, env=None)",
    "check_output": "sys.stdout.write(subprocess.check_output(COMMAND, text=True))",
    "shell": "subprocess.run(' '.join(map(shlex.quote, COMMAND)), shell=True)",
    "popen": "print(os.popen(' '.join(map(shlex.quote, COMMAND))).read(), end='')",
    "positional": "subprocess.Popen(COMMAND, -1, None, None, None, None, None, True, False, None, None).wait()",
    "positional, own": (
        "subprocess.Popen(COMMAND, -1, None, None, None, None, None, True, False, None, dict(os.environ)).wait()"
    ),
    "own environment": "subprocess.run(COMMAND, env={**os.environ, 'X': '1'})",
    "empty environment": "subprocess.run(COMMAND, env={})",
    "bytes": "subprocess.run(COMMAND, env=dict(os.environb))",
    "asyncio": "asyncio.run(start())",
    "subclass": "type('Own', (subprocess.Popen,), {})(COMMAND).wait()",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whatever_starts_a_child_tells_it(way: str, programs: Programs) -> None:
    ended = programs.run(
        CHILD,
        f"""
        import asyncio, shlex, subprocess
        import aotel

        async def start():
            await (await asyncio.create_subprocess_exec(*COMMAND)).wait()

        @aotel.run
        def main():
            with aotel.session("chat-7"), aotel.step("starting"):
                {way}

        main()
        """,
        environment=PROPAGATE,
    )
    ((parent, state, session, run),) = told_to_children(ended)
    starting = next(each for each in ended.envelopes if each["payload"].get("fn") == "starting")["ids"]
    place, flags = parent.rsplit("-", 1)
    assert place == f"00-{starting['trace_id'][3:]}-{starting['span_id'][3:]}"
    assert int(flags, 16) & 1  # sampled; a newer SDK also says that the trace id is random
    assert (state, session, run) == ("-", "chat-7", starting["run_id"])


def test_nothing_is_told_unless_asked(programs: Programs) -> None:
    ended = programs.run(
        CHILD,
        """
        import subprocess, aotel
        with aotel.session("chat-7"):
            subprocess.run(COMMAND)
        """,
    )
    assert told_to_children(ended) == [["-"] * 4]


def test_outside_of_spans_the_environment_stays(programs: Programs) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    ended = programs.run(
        CHILD,
        "import subprocess, aotel",
        "subprocess.run(COMMAND)",
        environment={**PROPAGATE, "TRACEPARENT": parent, "TRACESTATE": "a=b", "AOTEL_SESSION_ID": "chat-1"},
    )
    assert told_to_children(ended) == [[parent, "a=b", "chat-1", "-"]]


def test_a_trace_that_the_program_chose_for_its_child_stays(programs: Programs) -> None:
    ended = programs.run(
        CHILD,
        """
        import subprocess, aotel
        own = "00-11111111111111111111111111111111-2222222222222222-01"
        with aotel.session("chat-7"):
            subprocess.run(COMMAND, env={**os.environ, "TRACEPARENT": own})
            subprocess.run(COMMAND, env={**os.environ, "AOTEL_SESSION_ID": "other"})
        """,
        environment=PROPAGATE,
    )
    chosen, other = told_to_children(ended)
    assert chosen == ["00-11111111111111111111111111111111-2222222222222222-01", "-", "-", "-"]
    assert other[0] != "-"
    assert other[2] == "other"


STALE = {"TRACEPARENT": "old", "TRACESTATE": "a=b", "AOTEL_SESSION_ID": "chat-1"}


@pytest.mark.parametrize("given", [None, STALE, {name.encode(): value.encode() for name, value in STALE.items()}])
def test_what_came_from_our_own_environment_is_replaced(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STALE.items():
        monkeypatch.setenv(name, value)
    facts = {"TRACEPARENT": "new", "TRACESTATE": "", "AOTEL_SESSION_ID": "chat-2"}
    made = told(given, facts)
    found = {name: value for name, value in made.items() if name in STALE or name in map(str.encode, STALE)}
    assert found == {"TRACEPARENT": "new", "AOTEL_SESSION_ID": "chat-2"}


def test_a_session_that_no_variable_can_hold_does_not_keep_the_child_from_starting(programs: Programs) -> None:
    ended = programs.run(
        CHILD,
        """
        import subprocess, aotel
        with aotel.session("chat\\0seven"):
            subprocess.run(COMMAND)
        """,
        environment=PROPAGATE,
    )
    ((parent, _, session, _),) = told_to_children(ended)
    assert parent != "-"
    assert session == "-"


def test_errors_of_starting_are_the_programs_own(programs: Programs) -> None:
    ended = programs.run(
        """
        import subprocess, aotel
        with aotel.step("starting"):
            for bad in ({"env": 7}, {"env": {"a\\0": "b"}}, {"no_such": 1}):
                try:
                    subprocess.run(["true"], **bad)
                except (TypeError, ValueError, AttributeError) as error:
                    print(type(error).__name__)
        """,
        environment=PROPAGATE,
    )
    assert ended.code == 0
    assert len(ended.stdout.splitlines()) == 3


FOREIGN = """
    import sys
    from opentelemetry import trace
    from opentelemetry.trace import SpanKind
    from opentelemetry.context import Context

    tracer = trace.get_tracer("somebody else")
    with tracer.start_as_current_span("root"):
        tracer.start_span("inside").end()
    tracer.start_span("positional", None, SpanKind.CLIENT).end()
    tracer.start_span("request", kind=SpanKind.SERVER).end()
    tracer.start_span("message", None, SpanKind.CONSUMER).end()
    tracer.start_span("own root", context=Context()).end()
"""


def test_root_spans_of_others_continue_what_the_environment_says(programs: Programs, receiver: OtlpReceiver) -> None:
    trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    ended = programs.run(FOREIGN, environment={"TRACEPARENT": f"00-{trace_id}-{parent}-01"})
    assert ended.untouched, ended.stderr
    parents = {span.name: span.parent_span_id for span in receiver.spans}
    root = next(span for span in receiver.spans if span.name == "root")
    assert parents == {
        "root": parent,
        "inside": root.span_id,
        "positional": parent,
        "request": "",
        "message": "",
        "own root": "",
    }
    assert {span.trace_id for span in receiver.spans if span.parent_span_id} == {trace_id}


@pytest.mark.parametrize("parent", ["rubbish", "00-00000000000000000000000000000000-b7ad6b7169203331-01"])
def test_a_parent_that_cannot_be_read_is_none(parent: str, programs: Programs, receiver: OtlpReceiver) -> None:
    assert programs.run(FOREIGN, environment={"TRACEPARENT": parent}).untouched
    assert sum(not span.parent_span_id for span in receiver.spans) == 5


def test_a_run_is_continued(programs: Programs) -> None:
    source = """
        import aotel

        @aotel.coat("tool")
        def work(): ...

        work()
        aotel.run("own")(work)()
    """
    ended = programs.run(source, environment={"AOTEL_RUN_ID": "run_0123456789abcdef"})
    assert ended.untouched, ended.stderr
    runs = [each["ids"]["run_id"] for each in ended.envelopes]
    assert runs[:2] == ["run_0123456789abcdef"] * 2
    assert "run_0123456789abcdef" not in runs[2:]


def test_a_run_that_is_none_is_said(programs: Programs) -> None:
    ended = programs.run("import aotel", "aotel.configure()", environment={"AOTEL_RUN_ID": "mine"})
    assert ended.code == 0
    assert "AOTEL_RUN_ID" in ended.stderr
    assert "run_ and 16 hexadecimal digits" in ended.stderr


MULTIPROCESSING = """
    import multiprocessing, sys
    import aotel

    @aotel.coat("tool")
    def work(name): ...

    class Own(multiprocessing.get_context("spawn").Process):
        def run(self):
            work("subclass")

    if __name__ == "__main__":
        with aotel.session("chat-7", agent_id="writer"), aotel.step("starting"):
            for method in ("spawn", "forkserver", "fork"):
                process = multiprocessing.get_context(method).Process(target=work, args=(method,))
                process.start()
                process.join()
            own = Own()
            own.start()
            own.join()
        outside = multiprocessing.get_context("spawn").Process(target=work, args=("outside",))
        outside.start()
        outside.join()
"""


def test_processes_of_multiprocessing_keep_the_context_of_their_start(programs: Programs) -> None:
    ended = programs.run(MULTIPROCESSING)
    assert ended.untouched, ended.stderr
    starting = next(each for each in ended.envelopes if each["payload"].get("fn") == "starting")["ids"]
    works = [each for each in ended.envelopes if each["kind"] == "agent.tool.call"]
    inside, outside = works[:-1], works[-1]
    assert [each["payload"]["preview"]["args"] for each in inside] == [
        ["'spawn'"], ["'forkserver'"], ["'fork'"], ["'subclass'"],
    ]  # fmt: skip
    assert [each["ids"]["parent_span_id"] for each in inside] == [starting["span_id"]] * 4
    assert [each["ids"]["session_id"] for each in inside] == ["chat-7"] * 4
    assert {each["subject"]["agent_id"] for each in inside} == {"writer"}
    assert outside["ids"]["parent_span_id"] == ""
    assert outside["ids"]["trace_id"] != starting["trace_id"]
