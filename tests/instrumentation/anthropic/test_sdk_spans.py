"""The spans that the SDK makes of its own: tokens are counted once, whoever counts them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

import aotel
from aotel.instrumentation import uninstrument
from tests.instrumentation.anthropic.clients import KINDS, MODEL, REQUEST, Kind, create, create_stream, stream_final
from tests.recording import context_of

if TYPE_CHECKING:
    from tests.instrumentation.anthropic.wire import Wire
    from tests.recording import Recorded

tracing = pytest.importorskip("anthropic._tracing", reason="this version of the SDK makes no spans")

_OWN = tracing.INSTRUMENTATION_SCOPE

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
every_way = pytest.mark.parametrize("way", [create, create_stream, stream_final], ids=lambda way: way.__name__)


def _counting(recorded: Recorded) -> list[Any]:
    return [span for span in recorded.spans if "gen_ai.usage.input_tokens" in (span.attributes or {})]


@every_way
@every_kind
async def test_with_ours_on_theirs_is_none(kind: Kind, way: Any, recorded: Recorded, server: Wire) -> None:
    await way(kind.client(server.url).messages)
    (span,) = recorded.spans
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "aotel"
    assert _counting(recorded) == [span]


@every_way
@every_kind
async def test_with_ours_off_theirs_is_back(kind: Kind, way: Any, recorded: Recorded, server: Wire) -> None:
    uninstrument("anthropic")
    await way(kind.client(server.url).messages)
    (span,) = _counting(recorded)
    assert span.name == "anthropic.messages.create"
    assert span.instrumentation_scope.name.startswith(_OWN)
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 19


async def test_what_is_sent_names_our_span(recorded: Recorded, server: Wire) -> None:
    await create(KINDS[0].client(server.url).messages)
    sent = server.requests[0].headers["traceparent"].split("-")
    context = context_of(recorded.spans[0])
    assert sent[1:3] == [f"{context.trace_id:032x}", f"{context.span_id:016x}"]
    await create(KINDS[0].client(server.url, open_telemetry={"propagation": False}).messages)
    assert "traceparent" not in server.requests[1].headers


async def test_client_whose_spans_are_off_is_recorded(recorded: Recorded, server: Wire) -> None:
    await create(KINDS[0].client(server.url, open_telemetry=False).messages)
    assert recorded.operation.span.name == f"chat {MODEL}"


async def test_client_of_another_provider_counts_once(recorded: Recorded, server: Wire) -> None:
    options = {"tracer_provider": trace.get_tracer_provider(), "traces": {"content_mode": "content"}}
    await create(KINDS[0].client(server.url, open_telemetry=options).messages)
    assert len(_counting(recorded)) == 1


async def test_conversation_that_the_client_names_is_kept(recorded: Recorded, server: Wire) -> None:
    client = KINDS[0].client(server.url, open_telemetry={"conversation_id": "conv_1"})
    await create(client.messages)
    with aotel.session(session_id="ours"):
        await create(client.messages)
    found = [call.attributes["gen_ai.conversation.id"] for call in recorded.operations if "llm" in call.start["kind"]]
    assert found == ["conv_1", "ours"]


async def test_their_other_spans_stay(recorded: Recorded, server: Wire) -> None:
    with aotel.step("around"):
        KINDS[0].client(server.url).messages.count_tokens(model=MODEL, messages=REQUEST["messages"])
    assert recorded.names == ["anthropic.messages.count_tokens", "around"]


def test_taken_off_it_leaves_no_trace() -> None:
    base = importlib.import_module("anthropic._base_client")
    uninstrument("anthropic")
    assert base.start_api_call_span is tracing.start_api_call_span
    for client in (base.SyncAPIClient, base.AsyncAPIClient):
        for name in ("request", "_process_response", "_copy_and_prepare", "_finalize_middleware_result"):
            assert not hasattr(getattr(client, name), "__wrapped__")
