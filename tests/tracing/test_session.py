"""`session`: who and which conversation, on every span inside and on none outside."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, trace

from aotel import coat, configure, session, step
from tests.recording import recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.recording import Recorded

IDENTITY = ("session.id", "gen_ai.conversation.id", "user.id", "agent.id", "gen_ai.agent.id", "agent.role")


@coat("tool")
def leaf() -> None:
    """Do nothing."""


def identity(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: attributes[name] for name in IDENTITY if name in attributes}


def test_every_span_inside_carries_the_identity(recorded: Recorded) -> None:
    with session("chat-7", agent_id="writer-1", agent_role="writer", user_id="u-9", metadata={"team": "red"}):
        leaf()
        with trace.get_tracer("somebody else").start_as_current_span("foreign"):
            pass
    leaf()
    inside, foreign, around, outside = recorded.spans
    expected = {
        "session.id": "chat-7",
        "gen_ai.conversation.id": "chat-7",
        "user.id": "u-9",
        "agent.id": "writer-1",
        "gen_ai.agent.id": "writer-1",
        "agent.role": "writer",
    }
    for span in (inside, foreign, around):
        assert identity(dict(span.attributes or {})) == expected
    assert identity(dict(outside.attributes or {})) == {}
    assert (around.attributes or {})["metadata"] == '{"team":"red"}'
    for envelope in recorded.envelopes[:4]:
        assert envelope["ids"]["session_id"] == "chat-7"
        assert envelope["subject"]["agent_id"] == "writer-1"
        assert envelope["subject"]["agent_role"] == "writer"
    assert recorded.envelopes[-1]["ids"]["session_id"] != "chat-7"
    assert recorded.envelopes[-1]["subject"]["agent_id"] == ""


def test_session_is_a_span_of_its_own(recorded: Recorded) -> None:
    with step("outer"), session("chat-7", name="conversation"):
        leaf()
    _, around, outer = recorded.operations
    assert around.span.name == "conversation"
    assert around.start["kind"] == "agent.session.start"
    assert around.end["kind"] == "agent.session.end"
    assert around.span.parent == outer.context
    assert around.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert around.attributes["openinference.span.kind"] == "AGENT"


def test_without_an_id_each_block_has_a_fresh_one(recorded: Recorded) -> None:
    block = session()
    seen = []
    for _ in range(2):
        with block as entered:
            assert entered is block
            seen.append(block.session_id)
            leaf()
    found = [operation.attributes["session.id"] for operation in recorded.operations]
    assert found == [seen[0], seen[0], seen[1], seen[1]]
    assert seen[0] != seen[1]
    assert all(str(session_id).startswith("sess_") and len(str(session_id)) == 21 for session_id in seen)


def test_environment_names_the_session_that_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOTEL_SESSION_ID", "Job 17/β")
    with recording(session_id="by configure") as recorded:
        leaf()
        with session():
            leaf()
        with session("own"):
            leaf()
        found = [operation.start["ids"]["session_id"] for operation in recorded.operations]
        attributes = [operation.attributes.get("session.id") for operation in recorded.operations]
    assert found == ["Job 17/β", "Job 17/β", "Job 17/β", "own", "own"]
    assert attributes == [None, "Job 17/β", "Job 17/β", "own", "own"]


def test_configure_names_the_session_of_what_is_outside_of_any() -> None:
    with recording(session_id="by configure", agent_id="a", agent_role="r") as recorded:
        leaf()
        with session("own"):
            leaf()
        found = [operation.start["ids"]["session_id"] for operation in recorded.operations]
        subjects = {operation.start["subject"]["agent_id"] for operation in recorded.operations}
        assert "session.id" not in recorded.operations[0].attributes
    assert found == ["by configure", "own", "own"]
    assert subjects == {"a"}


def test_one_random_session_a_process_stands_in_for_none(recorded: Recorded) -> None:
    leaf()
    leaf()
    (session_id,) = {operation.start["ids"]["session_id"] for operation in recorded.operations}
    assert session_id.startswith("sess_")
    assert all("session.id" not in operation.attributes for operation in recorded.operations)
    assert all(operation.attributes["aot.session_id"] == session_id for operation in recorded.operations)


def test_nested_sessions_are_isolated(recorded: Recorded) -> None:
    with session("outer", user_id="u", agent_id="a"):
        with session("inner"):
            leaf()
        leaf()
    inner, _, outer, _ = recorded.operations
    assert identity(inner.attributes) == {"session.id": "inner", "gen_ai.conversation.id": "inner"}
    assert outer.attributes["session.id"] == "outer"
    assert outer.attributes["user.id"] == "u"


async def test_parallel_sessions_are_isolated(recorded: Recorded) -> None:
    async def conversation(number: int) -> None:
        async with session(f"chat-{number}", user_id=f"user-{number}"):
            for _ in range(3):
                leaf()
                await asyncio.sleep(0)

    await asyncio.gather(*(conversation(number) for number in range(10)))
    traces: dict[int, set[Any]] = {}
    for operation in recorded.operations:
        attributes = operation.attributes
        assert attributes["user.id"] == attributes["session.id"].replace("chat", "user")
        traces.setdefault(operation.context.trace_id, set()).add(attributes["session.id"])
    assert sorted(map(sorted, traces.values())) == sorted([f"chat-{number}"] for number in range(10))


async def test_one_session_object_may_be_entered_in_many_tasks(recorded: Recorded) -> None:
    shared = session("shared")

    async def task() -> None:
        async with shared:
            leaf()
            await asyncio.sleep(0.001)
            leaf()

    await asyncio.gather(*(task() for _ in range(5)))
    assert len(recorded.operations) == 15
    sessions = [operation for operation in recorded.operations if operation.start["kind"] == "agent.session.start"]
    leaves = [operation for operation in recorded.operations if operation.start["kind"] == "agent.tool.call"]
    assert {operation.outcome for operation in sessions} == {"ok"}
    for operation in sessions:
        children = [child for child in leaves if child.span.parent == operation.context]
        assert len(children) == 2
        assert all((child.span.end_time or 0) <= (operation.span.end_time or 0) for child in children)


async def test_leaving_in_another_task_never_raises(recorded: Recorded) -> None:
    block = session("moved")
    await asyncio.create_task(block.__aenter__())
    assert trace.get_current_span() is trace.INVALID_SPAN
    await asyncio.create_task(block.__aexit__(None, None, None))
    assert recorded.operation.outcome == "ok"
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_leaving_in_another_thread_never_raises(recorded: Recorded) -> None:
    block = session("moved")
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        first.submit(block.__enter__).result()
        second.submit(block.__exit__, None, None, None).result()
    assert recorded.operation.outcome == "ok"


def test_leaving_what_was_not_entered_does_nothing(recorded: Recorded) -> None:
    session("never").__exit__(None, None, None)
    with session("once") as block:
        pass
    block.__exit__(None, None, None)
    assert len(recorded.operations) == 1


def test_threads_carry_the_session(recorded: Recorded) -> None:
    with session("chat-7"):
        thread = threading.Thread(target=leaf)
        thread.start()
        thread.join()
    assert recorded.operations[0].attributes["session.id"] == "chat-7"


async def test_it_decorates_every_kind_of_function(recorded: Recorded) -> None:
    @session("fn", user_id="u")
    def plain() -> str:
        leaf()
        return "plain"

    @session("async")
    async def waiting() -> str:
        await asyncio.sleep(0)
        leaf()
        return "waiting"

    @session("generator")
    def pieces() -> Iterator[str]:
        leaf()
        yield "piece"
        leaf()

    @session("waves")
    async def waves() -> AsyncIterator[str]:
        leaf()
        yield "wave"

    class Agent:
        @session("method")
        def work(self) -> str:
            leaf()
            return "work"

    assert plain() == "plain"
    assert await waiting() == "waiting"
    assert list(pieces()) == ["piece"]
    assert [wave async for wave in waves()] == ["wave"]
    assert Agent().work() == "work"
    found: dict[str, list[str]] = {}
    for operation in recorded.operations:
        found.setdefault(operation.attributes["session.id"], []).append(operation.span.name)
    assert found == {
        "fn": ["leaf", "plain"],
        "async": ["leaf", "waiting"],
        "generator": ["leaf", "leaf", "pieces"],
        "waves": ["leaf", "waves"],
        "method": ["leaf", "Agent.work"],
    }


def test_decorated_without_an_id_each_call_is_a_session(recorded: Recorded) -> None:
    @session()
    def conversation() -> None:
        leaf()

    conversation()
    conversation()
    ids = [operation.attributes["session.id"] for operation in recorded.operations]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_exception_ends_the_session_as_an_error_and_passes(recorded: Recorded) -> None:
    error = LookupError("gone")
    with pytest.raises(LookupError) as caught, session("chat-7"):
        raise error
    assert caught.value is error
    assert recorded.operation.outcome == "error"


@pytest.mark.parametrize("propagate", [None, "session"])
def test_baggage_carries_the_session_only_when_asked(propagate: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if propagate:
        monkeypatch.setenv("AOTEL_PROPAGATE", propagate)
    with recording(), session("chat-7", user_id="u-9"):
        carried = dict(baggage.get_all())
    assert carried == ({"session.id": "chat-7"} if propagate else {})


def test_identity_leaves_with_the_block(recorded: Recorded) -> None:
    configure()
    with session("chat-7"):
        pass
    leaf()
    assert identity(recorded.operations[1].attributes) == {}


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"session_id": 7}, TypeError, "session_id is a string"),
        ({"session_id": ""}, ValueError, "session_id must not be an empty string"),
        ({"user_id": b"u"}, TypeError, "user_id is a string"),
        ({"agent_id": 1}, TypeError, "agent_id is a string"),
        ({"agent_role": 1}, TypeError, "agent_role is a string"),
        ({"name": 1}, TypeError, "name is a string"),
        ({"name": ""}, ValueError, "name must not be an empty string"),
        ({"metadata": "text"}, TypeError, "metadata is a mapping"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        session(**arguments)
