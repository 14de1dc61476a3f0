"""Processes that fork after auto-start, as servers with preloaded workers do."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.distro.programs import Programs
    from tests.servers import OtlpReceiver

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

# Python 3.12 and later warn of any fork beside a thread, and exporters have threads.
NO_WARNING = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}
WORK = """
    import os, sys
    import aotel

    @aotel.coat("tool")
    def work(name):
        return name
"""


def test_workers_of_a_preloaded_program_deliver_like_their_parent(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        WORK,
        """
        work("before")
        aotel.flush()  # connections are open when it forks
        children = []
        for number in range(2):
            child = os.fork()
            if child == 0:
                work(f"child {number}")
                sys.exit(0)
            children.append(child)
        codes = [os.waitpid(child, 0)[1] for child in children]
        work("after")
        print(codes)
        """,
        environment=NO_WARNING,
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout == "[0, 0]\n"
    assert sorted(str(span.attributes["output.value"]) for span in receiver.spans) == [
        "after",
        "before",
        "child 0",
        "child 1",
    ]
    assert Counter(ended.kinds) == {"agent.tool.call": 4, "agent.tool.result": 4}
    assert sorted(Counter(envelope["producer"] for envelope in ended.envelopes).values()) == [2, 2, 4]
    assert {span.attributes["envpod.pid"] for span in receiver.spans} == {
        envelope["envpod"]["pid"] for envelope in ended.envelopes
    }


def test_a_fork_inside_a_span_delivers_both_ends(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        WORK,
        """
        with aotel.step("outer"):
            child = os.fork()
            work("child" if child == 0 else "parent")
        if child == 0:
            aotel.flush()
            os._exit(0)
        print(os.waitpid(child, 0)[1])
        """,
        environment=NO_WARNING,
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout == "0\n"
    assert Counter(span.name for span in receiver.spans) == {"outer": 2, "work": 2}
    assert Counter(ended.kinds) == {
        "agent.step.start": 1,
        "agent.tool.call": 2,
        "agent.tool.result": 2,
        "agent.step.end": 2,
    }
    ends = [envelope for envelope in ended.envelopes if envelope["kind"] == "agent.step.end"]
    assert len({(envelope["producer"], envelope["ids"]["span_id"], envelope["seq"]) for envelope in ends}) == 2


def test_a_child_process_continues_trace_and_session(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        WORK,
        """
        import subprocess
        from opentelemetry.propagate import inject

        if len(sys.argv) > 1:
            work("child")
        else:
            with aotel.session("s-1") as found, aotel.step("parent"):
                carrier = {}
                inject(carrier)
                environment = {name.upper(): value for name, value in carrier.items()}
                subprocess.run(
                    [sys.executable, __file__, "child"],
                    env={**os.environ, **environment, "AOTEL_SESSION_ID": "s-1"},
                    check=True,
                )
        """,
    )
    spans = {span.name: span for span in receiver.spans}
    assert ended.untouched, ended.stderr
    assert spans["work"].parent_span_id == spans["parent"].span_id
    assert spans["work"].trace_id == spans["parent"].trace_id
    assert {envelope["ids"]["session_id"] for envelope in ended.envelopes} == {"s-1"}
