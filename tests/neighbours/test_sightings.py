"""Spans of one call that are not inside each other: never made current, dated back, or in traces of their own."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context

from aotel import step
from aotel.pipeline import sightings, spans
from tests.neighbours.test_nesting import CHAT, USAGE, counting, end, request_of_ours

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from tests.recording import Recorded

OTHER_MODEL = {**CHAT, "gen_ai.request.model": "model-2"}
EMBEDDING = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "model-1"}


def start(scope: str, attributes: dict[str, Any] | None = None, **options: Any) -> Span:
    """Start what an instrumentor never makes current; its name is that of its scope."""
    return trace.get_tracer(scope).start_span(scope, attributes=CHAT if attributes is None else attributes, **options)


def names_that_count(recorded: Recorded) -> list[str]:
    return [span.name for span in recorded.spans if "llm.token_count.prompt" in (span.attributes or {})]


def test_what_starts_beside_a_call_of_another_instrumentor_is_that_call(recorded: Recorded) -> None:
    outer, inner = start("one"), start("other")
    end(inner, USAGE)
    end(outer, USAGE)
    assert counting(recorded) == {"other"}


def test_spans_of_one_call_may_be_in_traces_of_their_own(recorded: Recorded) -> None:
    outer, inner = start("one", context=Context()), start("other", context=Context())
    end(inner, USAGE)
    end(outer, USAGE)
    assert counting(recorded) == {"other"}


def test_three_beside_one_another_count_once(recorded: Recorded) -> None:
    seen = [start("one"), start("other"), start("third")]
    for span in reversed(seen):
        end(span, USAGE)
    assert counting(recorded) == {"third"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (CHAT, OTHER_MODEL),
        (CHAT, EMBEDDING),
        ({"gen_ai.operation.name": "chat"}, {"gen_ai.operation.name": "chat"}),  # nobody knows whether they are one
        ({"gen_ai.operation.name": "chat", "gen_ai.system": "openai"}, {**OTHER_MODEL, "gen_ai.system": "anthropic"}),
    ],
)
def test_calls_that_ask_for_something_else_are_two(
    first: dict[str, Any], second: dict[str, Any], recorded: Recorded
) -> None:
    outer, inner = start("one", first), start("other", second)
    end(inner, USAGE)
    end(outer, USAGE)
    assert names_that_count(recorded) == ["other", "one"]


def test_provider_tells_where_a_model_is_not_known_yet(recorded: Recorded) -> None:
    outer = start("one", {"gen_ai.operation.name": "chat", "gen_ai.system": "openai"})
    inner = start("other", {**CHAT, "gen_ai.system": "openai"})
    end(inner, USAGE)
    end(outer, USAGE)
    assert counting(recorded) == {"other"}


def test_two_calls_that_one_instrumentor_sees_are_two(recorded: Recorded) -> None:
    read, made = start("one"), start("one")  # the second while the program reads the first
    end(made, USAGE)
    end(read, USAGE)
    assert names_that_count(recorded) == ["one", "one"]


def test_two_calls_that_two_instrumentors_see_are_two(recorded: Recorded) -> None:
    read = [start("one"), start("other")]
    made = [start("one"), start("other")]
    for span in (*reversed(made), *reversed(read)):
        end(span, USAGE)
    assert names_that_count(recorded) == ["other", "other"]


def test_call_that_ended_is_around_nothing(recorded: Recorded) -> None:
    for scope in ("one", "other"):
        end(start(scope), USAGE)
    assert names_that_count(recorded) == ["one", "other"]


def test_request_of_ours_that_is_read_is_around_nothing_that_starts_beside_it(recorded: Recorded) -> None:
    read = request_of_ours()
    read.start()
    end(start("other"), USAGE)
    read.succeed()
    assert counting(recorded) == {"other", "ours"}


def test_embedding_inside_a_call_has_not_seen_the_call(recorded: Recorded) -> None:
    outer = start("one")
    end(start("other", EMBEDDING, context=trace.set_span_in_context(outer)))
    end(start("other"), USAGE)
    end(outer, USAGE)
    assert names_that_count(recorded) == ["other"]


def test_what_is_around_already_is_no_nearer_than_what_lies_between(recorded: Recorded) -> None:
    outer = start("one")
    began = spans.recording_of(outer)
    assert began is not None
    tool = {"openinference.span.kind": "TOOL"}
    between = start("tool", tool, context=trace.set_span_in_context(outer), start_time=began.start_time - 1)
    end(start("other", context=trace.set_span_in_context(between)), USAGE)
    end(between)
    end(outer, USAGE)
    assert names_that_count(recorded) == ["other", "one"]


def test_agent_between_two_calls_makes_them_two(recorded: Recorded) -> None:
    outer = start("one")
    with step("lookup", "tool"):
        end(start("other"), USAGE)
    end(outer, USAGE)
    assert names_that_count(recorded) == ["other", "one"]


def test_equal_calls_in_threads_count_each(recorded: Recorded) -> None:
    together = threading.Barrier(2, timeout=10)

    def call() -> None:
        together.wait()
        outer = start("one")
        together.wait()
        inner = start("other")
        together.wait()
        end(inner, USAGE)
        end(outer, USAGE)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names_that_count(recorded) == ["other", "other"]


def test_equal_calls_in_tasks_count_each(recorded: Recorded) -> None:
    async def call() -> None:
        outer = start("one")
        await asyncio.sleep(0)
        inner = start("other")
        await asyncio.sleep(0)
        end(inner, USAGE)
        await asyncio.sleep(0)
        end(outer, USAGE)

    async def both() -> None:
        await asyncio.gather(call(), call())

    asyncio.run(both())
    assert names_that_count(recorded) == ["other", "other"]


def test_span_that_is_made_when_the_call_is_over_is_around_what_was_made_since(recorded: Recorded) -> None:
    before = start("before")
    end(before, USAGE)
    inner = start("other")
    end(inner, USAGE)
    began = spans.recording_of(inner)
    assert began is not None
    end(start("one", start_time=began.start_time - 1), USAGE)
    assert names_that_count(recorded) == ["before", "other"]


def test_span_that_is_dated_back_is_around_what_still_goes_on(recorded: Recorded) -> None:
    inner = start("other")
    began = spans.recording_of(inner)
    assert began is not None
    outer = start("one", start_time=began.start_time - 1)
    end(inner, USAGE)
    end(outer, USAGE)
    assert counting(recorded) == {"other"}


def test_context_remembers_the_newest_and_keeps_no_span_alive(recorded: Recorded) -> None:
    def calls() -> None:
        for _ in range(100):
            start("one")

    context = contextvars.copy_context()
    context.run(calls)
    assert recorded.arrived >= 0
    recorded.clear()
    gc.collect()
    seen = context[sightings._seen]
    assert len(seen) == 16
    assert [sighting for sighting in seen if sighting.recording() is not None] == []
