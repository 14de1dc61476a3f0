"""Beside others: a call inside a call, and clients that programs make of the SDK's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

import aotel
from tests.instrumentation.openai.clients import CHAT, client_of
from tests.recording import context_of

if TYPE_CHECKING:
    from tests.instrumentation.openai.wire import OpenAiWire
    from tests.recording import Recorded


class Cautious(openai.OpenAI):
    """A client with a request of its own, that asks twice."""

    def request(self, *args: Any, **more: Any) -> Any:
        super().request(*args, **more)
        return super().request(*args, **more)


def test_a_client_that_asks_twice_has_two_spans(wire: OpenAiWire, recorded: Recorded) -> None:
    with Cautious(api_key="none", base_url=wire.url) as client:
        client.chat.completions.create(**CHAT)
    assert recorded.names == ["chat m", "chat m"]


def test_a_model_call_in_a_coat_is_counted_once(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire)

    @aotel.coat("llm")
    def ask(question: str) -> str:
        said: str = client.chat.completions.create(model="m", messages=[{"role": "user", "content": question}])
        return str(said)

    ask("hi")
    inner, outer = recorded.operations
    assert inner.span.parent is not None
    assert inner.span.parent.span_id == context_of(outer.span).span_id
    assert inner.attributes["gen_ai.usage.input_tokens"] == 30
    assert "gen_ai.usage.input_tokens" not in outer.attributes
    assert outer.attributes["openinference.span.kind"] == "CHAIN"


def test_a_request_that_is_made_by_hand_is_a_call(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire)
    client.post("/chat/completions", cast_to=object, body=CHAT)
    client.post("/chat/completions", cast_to=object, body={**CHAT, "stream": True}, stream=False)
    client.get("/models", cast_to=object)
    assert recorded.names == ["chat m", "chat m"]
