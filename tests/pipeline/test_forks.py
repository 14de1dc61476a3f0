"""Forks: parent and child both end what was open, under names of their own, and the child's worker runs."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.distro.programs import Programs
from tests.envelope_schema import assert_valid, by_span, closes, opens

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

START = """
    import os, sys, time
    import aotel

    @aotel.coat("tool")
    def leaf(number=0):
        return number

    def delivered():
        deadline = time.monotonic() + 10
        while aotel.status().queued and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)  # the batch in hand
"""


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    # Python 3.12 warns of every fork in a program with threads; that there are some is the point here.
    return Programs(tmp_path, {"PYTHONWARNINGS": "ignore::DeprecationWarning"})


def numbers(envelopes: list[dict[str, Any]]) -> Counter[tuple[str, str, int]]:
    """Count what receivers deduplicate on."""
    return Counter((envelope["producer"], envelope["ids"]["span_id"], envelope["seq"]) for envelope in envelopes)


@pytest.mark.parametrize("flushed", ["by itself", "when asked", "at the end of the interpreter"])
def test_fork_inside_a_span(flushed: str, programs: Programs) -> None:
    ending = {
        "by itself": "delivered(); os._exit(0)",
        "when asked": "aotel.flush(10); os._exit(0)",
        "at the end of the interpreter": "sys.exit(0)",
    }[flushed]
    ended = programs.run(
        START,
        f"""
        @aotel.coat("agent")
        def outer():
            aotel.tie("before")
            pid = os.fork()
            leaf(1)
            aotel.tie("after")
            return pid

        if outer() == 0:
            {ending}
        os.wait()
        leaf(2)
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert_valid(ended.envelopes)
    assert set(numbers(ended.envelopes).values()) == {1}
    by_producer: dict[str, list[dict[str, Any]]] = {}
    for envelope in ended.envelopes:
        by_producer.setdefault(envelope["producer"], []).append(envelope)
    in_child, in_parent = sorted(by_producer.values(), key=len)
    assert [kind_of(envelope) for envelope in in_parent] == [
        "start outer", "emit before", "start leaf", "end leaf", "emit after", "end outer", "start leaf", "end leaf",
    ]  # fmt: skip
    assert [kind_of(envelope) for envelope in in_child] == ["start leaf", "end leaf", "emit after", "end outer"]
    assert in_parent[5]["ids"]["span_id"] == in_child[3]["ids"]["span_id"]
    assert in_parent[5]["ids"]["trace_id"] == in_child[3]["ids"]["trace_id"]
    assert in_parent[2]["ids"]["span_id"] != in_child[0]["ids"]["span_id"]
    assert in_parent[2]["ids"]["parent_span_id"] == in_child[0]["ids"]["parent_span_id"]
    assert {envelope["envpod"]["pid"] for envelope in in_parent}.isdisjoint(
        envelope["envpod"]["pid"] for envelope in in_child
    )


def kind_of(envelope: dict[str, Any]) -> str:
    payload = envelope["payload"]
    if opens(envelope):
        return f"start {payload['fn']}"
    return f"end {payload['fn']}" if closes(envelope) else f"emit {payload['tag']}"


def test_children_repeat_no_ids(programs: Programs) -> None:
    ended = programs.run(
        START,
        """
        leaf()
        for _ in range(4):
            if os.fork() == 0:
                for number in range(50):
                    leaf(number)
                aotel.flush(10)
                os._exit(0)
        for _ in range(4):
            os.wait()
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stderr) == (0, "")
    groups = by_span(ended.envelopes)
    assert len(groups) == 201
    assert len({span_id for _, span_id in groups}) == 201
    assert len({producer for producer, _ in groups}) == 5
    assert {len(group) for group in groups.values()} == {2}


def test_child_has_a_session_of_its_own_outside_of_any(programs: Programs) -> None:
    ended = programs.run(
        START,
        """
        leaf()
        with aotel.session("shared"):
            pid = os.fork()
            leaf()
        leaf()
        if pid == 0:
            aotel.flush(10)
            os._exit(0)
        os.wait()
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stderr) == (0, "")
    sessions: dict[str, set[str]] = {}
    for envelope in ended.envelopes:
        sessions.setdefault(envelope["producer"], set()).add(envelope["ids"]["session_id"])
    first, second = sessions.values()
    assert first & second == {"shared"}
    assert len(first) == len(second) == 2


def test_children_of_multiprocessing_lose_nothing(programs: Programs) -> None:
    ended = programs.run(
        START,
        """
        import multiprocessing

        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            leaf()
            children = [context.Process(target=leaf, args=(number,)) for number in range(3)]
            for child in children:
                child.start()
            for child in children:
                child.join()
            with context.Pool(2) as pool:
                assert pool.map(leaf, range(4)) == [0, 1, 2, 3]
                pool.close()
                pool.join()
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert len(by_span(ended.envelopes)) == 8
    assert len(ended.envelopes) == 16


def test_forks_in_the_middle_of_everything_hang_nobody(programs: Programs) -> None:
    ended = programs.run(
        START,
        """
        import threading

        stopped = threading.Event()

        def busy():
            while not stopped.is_set():
                leaf()

        threads = [threading.Thread(target=busy) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            if os.fork() == 0:
                leaf(12345)
                aotel.flush(10)
                os._exit(0)
            time.sleep(0.005)
        codes = [os.wait()[1] for _ in range(20)]
        stopped.set()
        for thread in threads:
            thread.join()
        print(codes)
        """,
        instrumented=False,
        environment={"AOTEL_CAPTURE": "raw"},
    )
    assert ended.code == 0
    assert ended.stdout == f"{[0] * 20}\n"
    assert set(numbers(ended.envelopes).values()) == {1}
    children = [envelope for envelope in ended.envelopes if envelope["payload"].get("result_preview") == "12345"]
    assert len(children) == 20


def test_fork_in_inline_mode(programs: Programs) -> None:
    ended = programs.run(
        START,
        """
        aotel.configure(inline=True)
        with aotel.step("outer"):
            pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.wait()
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert [kind_of(envelope) for envelope in ended.envelopes] == ["start outer", "end outer", "end outer"]
    assert set(numbers(ended.envelopes).values()) == {1}


def test_grandchildren_and_subprocesses_of_children(programs: Programs) -> None:
    ended = programs.run(
        START,
        """
        def descend(depth):
            leaf(depth)
            if depth and (pid := os.fork()) == 0:
                descend(depth - 1)
                aotel.flush(10)
                os._exit(0)
            elif depth:
                os.waitpid(pid, 0)

        descend(3)
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert len({envelope["producer"] for envelope in ended.envelopes}) == 4
    assert len(ended.envelopes) == 8
