"""What is written under each mode and switch; and that secrets leave in none but `raw`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

from aotel.instrumentation import instrument
from tests.instrumentation.openai.clients import CHAT, client_of
from tests.instrumentation.openai.wire import completion, response, stream
from tests.recording import recording

if TYPE_CHECKING:
    from tests.instrumentation.openai.wire import OpenAiWire
    from tests.recording import Recorded

# Nobody's: each has the shape of a real one.
SECRET = "sk-proj-" + "Ab3dEf6hIj9lMn2pQr5t" * 2
GITHUB = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
KEY = "sk-" + "none0123456789abcdefABCDEFzzzz42"
SECRETS = (SECRET, GITHUB, KEY)
PHRASE = "the quick brown fox"


def everything(recorded: Recorded) -> str:
    """Return all that leaves: spans, with their events and status, and envelopes."""
    spans = [span.to_json() for span in recorded.spans]
    return "\n".join([*spans, *map(json.dumps, recorded.envelopes)])


def talk(wire: OpenAiWire) -> None:
    """Have a program say secrets wherever it can, and a model repeat them."""
    client = client_of(wire, api_key=KEY)
    said = f"{PHRASE} {SECRET}"
    call = {"id": "c1", "type": "function", "function": {"name": "push", "arguments": json.dumps({"token": GITHUB})}}
    asked: list[Any] = [
        {"role": "system", "content": said},
        {"role": "user", "content": [{"type": "text", "text": said}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": json.dumps({"password": GITHUB, "text": said})},
    ]
    tool = {"type": "function", "function": {"name": "push", "description": said, "parameters": {"default": SECRET}}}
    more: dict[str, Any] = {
        "tools": [tool],
        "stop": [SECRET],
        "reasoning_effort": SECRET,
        "service_tier": SECRET,
        "tool_choice": {"type": "function", "name": SECRET},
        "user": SECRET,
        "metadata": {"note": SECRET},
        "extra_headers": {"x-token": SECRET, "authorization": f"Bearer {GITHUB}"},
        "extra_body": {"note": SECRET},
    }
    wire.script(
        lambda exchange: exchange.answer(completion(said, tool_calls=[call])),
        lambda exchange: exchange.answer({"error": {"message": f"Incorrect key {SECRET}", "code": SECRET}}, 401),
        lambda exchange: stream(exchange, [{"error": {"message": said}}]),
        lambda exchange: exchange.answer(response(said)),
    )
    client.chat.completions.create(model="m", messages=asked, **more)
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="m", messages=asked)
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="m", messages=asked, stream=True))
    client.responses.create(model="m", input=[{"role": "user", "content": said}], instructions=said)
    client.completions.create(model="m", prompt=said)
    client.embeddings.create(model="m", input=[said])
    with pytest.raises(openai.APIConnectionError):
        client_of(wire, base_url=f"http://user:{GITHUB}@127.0.0.1:1/v1").chat.completions.create(**CHAT)


@pytest.mark.parametrize("capture", ["redacted", "hash", "summary", "none"])
def test_secrets_leave_in_no_mode(capture: str, wire: OpenAiWire) -> None:
    with recording(capture=capture) as recorded:
        instrument("openai")
        talk(wire)
        said = everything(recorded)
        operations = recorded.operations
    for secret in SECRETS:
        assert secret not in said
    assert len(operations) == 7
    assert all(operation.attributes["gen_ai.operation.name"] for operation in operations)
    assert operations[0].attributes["gen_ai.usage.input_tokens"] == 30
    assert (PHRASE in said) is (capture == "redacted")
    if capture == "none":
        assert "push" not in said


def test_raw_is_raw(wire: OpenAiWire) -> None:
    with recording(capture="raw") as recorded:
        talk(wire)
        said = everything(recorded)
    assert SECRET in said
    assert KEY not in said


def test_modes_say_what_they_may(wire: OpenAiWire) -> None:
    found: dict[str, Any] = {}
    for capture in ("none", "hash", "summary", "redacted", "raw"):
        with recording(capture=capture) as recorded:
            client_of(wire).chat.completions.create(model="m", messages=[{"role": "user", "content": PHRASE}])
            found[capture] = recorded.operation.attributes
    assert "gen_ai.input.messages" not in found["none"]
    assert "input.value" not in found["none"]
    assert "llm.input_messages.0.message.content" not in found["none"]
    for capture in ("hash", "summary"):
        (message,) = json.loads(found[capture]["gen_ai.input.messages"])
        assert message["role"] == "user"
        assert PHRASE not in str(found[capture])
    assert PHRASE in found["redacted"]["gen_ai.input.messages"]
    assert PHRASE in found["raw"]["gen_ai.input.messages"]
    assert {attributes["aot.capture.content"] for attributes in found.values()} == set(found)


HIDING = {
    "OPENINFERENCE_HIDE_INPUTS": ("gen_ai.input.messages", "input.value", "gen_ai.tool.definitions"),
    "OPENINFERENCE_HIDE_OUTPUTS": ("gen_ai.output.messages", "output.value"),
    "OPENINFERENCE_HIDE_INPUT_MESSAGES": ("gen_ai.input.messages", "llm.input_messages.0.message.content"),
    "OPENINFERENCE_HIDE_OUTPUT_MESSAGES": ("gen_ai.output.messages", "llm.output_messages.0.message.content"),
    "OPENINFERENCE_HIDE_INPUT_TEXT": ("gen_ai.input.messages", "llm.input_messages.0.message.content"),
    "OPENINFERENCE_HIDE_OUTPUT_TEXT": ("gen_ai.output.messages", "llm.output_messages.0.message.content"),
    "OPENINFERENCE_HIDE_LLM_TOOLS": ("gen_ai.tool.definitions",),
    "OPENINFERENCE_HIDE_LLM_INVOCATION_PARAMETERS": ("llm.invocation_parameters", "gen_ai.request.temperature"),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("switch", HIDING)
def test_what_is_hidden_is_nowhere(
    switch: str, streamed: bool, monkeypatch: pytest.MonkeyPatch, wire: OpenAiWire
) -> None:
    tool = {"type": "function", "function": {"name": "a", "parameters": {}}}
    arguments: dict[str, Any] = {**CHAT, "tools": [tool], "temperature": 0.5, "stream": streamed}
    attributes: list[dict[str, Any]] = []
    for is_on in (False, True):
        if is_on:
            monkeypatch.setenv(switch, "true")
        with recording() as recorded:
            answer = client_of(wire).chat.completions.create(**arguments)
            if streamed:
                list(answer)
            attributes.append(recorded.operation.attributes)
    shown, hidden = attributes
    assert set(HIDING[switch]) <= set(shown)
    assert not set(HIDING[switch]) & set(hidden)
    assert hidden["gen_ai.usage.input_tokens"] == 30
    assert hidden["gen_ai.request.model"] == "m"


class Choosy(Sampler):
    """Drops the calls of one model, by what it is told at their start."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def should_sample(self, *args: Any, **more: Any) -> SamplingResult:
        attributes = more.get("attributes") or args[4]
        self.seen.append(dict(attributes))
        dropped = self.seen[-1].get("gen_ai.request.model") == "cheap"
        return SamplingResult(Decision.DROP if dropped else Decision.RECORD_AND_SAMPLE, attributes)

    def get_description(self) -> str:
        return "choosy"


def test_a_sampler_sees_what_is_called(wire: OpenAiWire) -> None:
    sampler = Choosy()
    provider = TracerProvider(sampler=sampler)
    with recording(tracer_provider=provider) as recorded:
        for model in ("cheap", "dear"):
            client = client_of(wire)
            client.chat.completions.create(model=model, messages=CHAT["messages"])
            list(client.chat.completions.create(model=model, messages=CHAT["messages"], stream=True))
        assert recorded.names == ["chat dear"] * 2
    provider.shutdown()
    asked = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "server.port": wire.port}
    assert all(asked.items() <= seen.items() for seen in sampler.seen)
    assert len(sampler.seen) == 4


@pytest.mark.parametrize("capture", ["redacted", "none", "hash", "summary"])
def test_what_a_server_names_holds_no_secrets(capture: str, wire: OpenAiWire) -> None:
    whole = completion("hi", model=SECRET)
    whole["id"] = GITHUB
    whole["choices"][0]["finish_reason"] = SECRET
    answered = {**response("hi", model=SECRET), "id": GITHUB}
    wire.script(
        lambda exchange: exchange.answer(whole, x_request_id=f"of {KEY}"),
        lambda exchange: exchange.answer(answered),
    )
    with recording(capture=capture) as recorded:
        client = client_of(wire)
        client.chat.completions.create(model=SECRET, messages=CHAT["messages"])
        client.responses.create(model=SECRET, input="hi", extra_body={"conversation": GITHUB})
        said = everything(recorded)
    assert not [secret for secret in SECRETS if secret in said]
    assert recorded.operations[0].attributes["aot.request_id"].startswith("of <redacted:")
