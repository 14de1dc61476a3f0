"""Trouble of every kind: the program gets the error that it got before, and its span says what happened."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import openai
import pytest
from opentelemetry.trace import StatusCode

from aotel.instrumentation.trouble import ProviderError
from tests.instrumentation.either import each, got
from tests.instrumentation.openai.clients import CHAT, SYNC_AND_ASYNC, client_of
from tests.instrumentation.openai.wire import chunks, completion, response, response_events, stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.instrumentation.openai.wire import Exchange, OpenAiWire
    from tests.recording import Ended, Recorded


class Trouble(NamedTuple):
    """An error as a server says it, and what the span says then."""

    status: int
    error: Any
    category: str
    headers: dict[str, str] = {}
    retry_after: float | None = None


TROUBLES = {
    "bad request": Trouble(400, {"message": "no", "type": "invalid_request_error"}, "invalid_request"),
    "context": Trouble(400, {"message": "too long", "code": "context_length_exceeded"}, "context_overflow"),
    "context of others": Trouble(
        400, {"message": "This model's maximum context length is 4096 tokens"}, "context_overflow"
    ),
    "filter": Trouble(400, {"message": "The response was filtered", "code": "content_filter"}, "content_filter"),
    "policy": Trouble(400, {"message": "rejected", "code": "content_policy_violation"}, "content_filter"),
    "key": Trouble(401, {"message": "Incorrect API key", "code": "invalid_api_key"}, "authentication"),
    "permission": Trouble(403, {"message": "not for you"}, "permission"),
    "model": Trouble(404, {"message": "no such model", "code": "model_not_found"}, "not_found"),
    "timeout": Trouble(408, {"message": "slow"}, "timeout"),
    "conflict": Trouble(409, {"message": "busy"}, "invalid_request"),
    "large": Trouble(413, {"message": "large"}, "request_too_large"),
    "unprocessable": Trouble(422, {"message": "what"}, "invalid_request"),
    "rate": Trouble(
        429, {"message": "slow down", "code": "rate_limit_exceeded"}, "rate_limit", {"retry_after": "7"}, 7
    ),
    "rate in ms": Trouble(429, {"message": "slow down"}, "rate_limit", {"retry_after_ms": "1500"}, 1.5),
    "rate that speaks of bills": Trouble(
        429,
        {"message": "Add a payment method at https://example.com/account/billing", "code": "rate_limit_exceeded"},
        "rate_limit",
        {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"},
    ),
    "quota": Trouble(429, {"message": "pay", "code": "insufficient_quota"}, "quota_exceeded"),
    "server": Trouble(500, {"message": "oops", "type": "server_error"}, "api_error"),
    "no json": Trouble(502, b"<html>Bad gateway</html>", "api_error"),
    "overloaded": Trouble(503, {"message": "The engine is overloaded"}, "overloaded"),
    "gateway": Trouble(504, b"", "timeout"),
}


def assert_failed(operation: Ended, error: BaseException, category: str | None) -> None:
    """Fail unless a span says what an error says."""
    cls = type(error)
    assert operation.outcome == "error"
    assert operation.span.status.status_code is StatusCode.ERROR
    assert operation.attributes["error.type"] == f"{cls.__module__}.{cls.__qualname__}".removeprefix("builtins.")
    assert operation.attributes.get("aot.error.category") == category
    (event,) = operation.span.events
    assert event.name == "exception"


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", TROUBLES)
def test_errors_have_a_category(name: str, streamed: bool, wire: OpenAiWire, recorded: Recorded) -> None:
    trouble = TROUBLES[name]
    body = trouble.error if isinstance(trouble.error, bytes) else {"error": trouble.error}
    wire.script(always=lambda exchange: exchange.answer(body, trouble.status, **trouble.headers))
    with pytest.raises(openai.APIStatusError) as raised:
        client_of(wire).chat.completions.create(**CHAT, stream=streamed)
    operation = recorded.operation
    assert_failed(operation, raised.value, trouble.category)
    assert operation.attributes["http.response.status_code"] == trouble.status
    assert operation.attributes.get("aot.error.retry_after_s") == trouble.retry_after
    assert "hi" in operation.attributes["gen_ai.input.messages"]
    assert operation.start["payload"]["preview"] == {"args": ["hi"], "kwargs": {}}


async def read(client: Any) -> None:
    async for _ in each(await got(client.chat.completions.create(**CHAT, stream=True))):
        pass


def provider_error(exchange: Exchange) -> None:
    stream(exchange, [*chunks("Hello")[:3], {"error": {"message": "oops", "type": "server_error", "code": None}}])


def rate_limit_error(exchange: Exchange) -> None:
    error = {"message": "slow down", "type": "tokens", "code": "rate_limit_exceeded"}
    stream(exchange, [*chunks("Hello")[:3], {"error": error}])


def malformed(exchange: Exchange) -> None:
    stream(exchange, [*chunks("Hello")[:3], '{"choices": [', "[DONE]"])


def dropped(exchange: Exchange) -> None:
    exchange.start()
    exchange.send(*chunks("Hello")[:3])
    exchange.write(b'data: {"choices": [{"del')
    time.sleep(0.05)
    exchange.drop()


def silent(exchange: Exchange) -> None:
    exchange.start()
    exchange.send(*chunks("Hello")[:3])
    time.sleep(0.6)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("script", "category"),
    [
        (provider_error, "stream_error"),
        (rate_limit_error, "rate_limit"),
        (malformed, "stream_error"),
        (dropped, "stream_error"),
        (silent, "timeout"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_errors_within_a_stream(
    kind: str, script: Callable[[Exchange], None], category: str | None, wire: OpenAiWire, recorded: Recorded
) -> None:
    wire.script(always=script)
    with pytest.raises(Exception) as raised:
        await read(client_of(wire, kind, timeout=0.3))
    operation = recorded.operation
    assert_failed(operation, raised.value, category)
    assert operation.attributes["http.response.status_code"] == 200
    assert "Hel" in operation.attributes["gen_ai.output.messages"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_interrupt_while_a_stream_is_read(wire: OpenAiWire, recorded: Recorded) -> None:
    import signal

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    wire.script(always=silent)
    former = signal.signal(signal.SIGALRM, interrupt)
    chat = client_of(wire).chat.completions.create(**CHAT, stream=True)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            list(chat)
    finally:
        signal.signal(signal.SIGALRM, former)
    assert recorded.operation.outcome == "interrupted"
    assert recorded.operation.span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_an_answer_that_takes_too_long(kind: str, wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: time.sleep(0.5))
    with pytest.raises(openai.APITimeoutError) as raised:
        await got(client_of(wire, kind, timeout=0.1).chat.completions.create(**CHAT))
    assert_failed(recorded.operation, raised.value, "timeout")


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_server_that_is_not_there(kind: str, wire: OpenAiWire, recorded: Recorded) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    with pytest.raises(openai.APIConnectionError) as raised:
        await got(client_of(wire, kind, base_url=nowhere).chat.completions.create(**CHAT))
    assert_failed(recorded.operation, raised.value, "connection")
    assert "http.response.status_code" not in recorded.operation.attributes


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_an_answer_that_breaks_off(kind: str, wire: OpenAiWire, recorded: Recorded) -> None:
    def break_off(exchange: Exchange) -> None:
        exchange.answer(json.dumps(completion("Hello")).encode()[:100], content_length="5000")
        exchange.drop()

    wire.script(always=break_off)
    with pytest.raises(openai.APIConnectionError) as raised:
        await got(client_of(wire, kind).chat.completions.create(**CHAT))
    assert_failed(recorded.operation, raised.value, "connection")


@pytest.mark.parametrize("body", [b"<html>", b'{"choices": [', b""], ids=["html", "cut off", "empty"])
def test_an_answer_that_says_it_is_json_and_is_none(body: bytes, wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: exchange.answer(body))
    with pytest.raises(ValueError, match="Expecting") as raised:
        client_of(wire).chat.completions.create(**CHAT)
    assert_failed(recorded.operation, raised.value, None)
    assert recorded.operation.attributes["http.response.status_code"] == 200


@pytest.mark.parametrize("body", [b"plain text", b"null", b"[]", b'"text"', b"7"])
def test_an_answer_of_another_kind(body: bytes, wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: exchange.answer(body, content_type="text/plain"))
    client_of(wire).chat.completions.with_raw_response.create(**CHAT)
    assert recorded.operation.outcome == "ok"
    assert recorded.operation.attributes["gen_ai.request.model"] == "m"


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_retries_belong_to_the_call(kind: str, streamed: bool, wire: OpenAiWire, recorded: Recorded) -> None:
    def fail(exchange: Exchange) -> None:
        exchange.answer({"error": {"message": "again"}}, 500, retry_after_ms="1")

    client = client_of(wire, kind, max_retries=2)
    wire.script(fail, fail)
    answer = await got(client.chat.completions.create(**CHAT, stream=streamed))
    if streamed:
        assert [chunk async for chunk in each(answer)]
    assert recorded.operation.attributes["http.request.resend_count"] == 2
    assert recorded.operation.outcome == "ok"
    recorded.clear()
    wire.script(always=fail)
    with pytest.raises(openai.InternalServerError) as raised:
        await got(client.chat.completions.create(**CHAT, stream=streamed))
    assert_failed(recorded.operation, raised.value, "api_error")
    assert recorded.operation.attributes["http.request.resend_count"] == 2
    assert len(wire.requests) == 6


def test_an_answer_that_is_parsed_and_too_short(wire: OpenAiWire, recorded: Recorded) -> None:
    from tests.instrumentation.openai.clients import Word

    answer = completion('{"wo')
    answer["choices"][0]["finish_reason"] = "length"
    wire.script(always=lambda exchange: exchange.answer(answer))
    with pytest.raises(openai.LengthFinishReasonError) as raised:
        client_of(wire).beta.chat.completions.parse(**CHAT, response_format=Word)
    operation = recorded.operation
    assert_failed(operation, raised.value, "api_error")
    assert operation.attributes["gen_ai.usage.input_tokens"] == 30
    assert operation.attributes["gen_ai.response.finish_reasons"] == ("length",)


def test_an_answer_that_was_refused(wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: exchange.answer(completion("", refusal="I can't", content=None)))
    client_of(wire).chat.completions.create(**CHAT)
    assert recorded.operation.outcome == "ok"
    assert recorded.operation.attributes["aot.response.refused"] == "refusal"
    assert "I can't" in recorded.operation.attributes["gen_ai.output.messages"]


def test_what_is_wrong_before_anything_is_sent(wire: OpenAiWire, recorded: Recorded) -> None:
    with pytest.raises(TypeError):
        client_of(wire).chat.completions.create(model="m", messages=[{"role": "user", "content": object()}])
    assert_failed(recorded.operation, TypeError(), None)
    assert not wire.requests


FAILED = {**response("Hel", status="failed"), "error": {"code": "rate_limit_exceeded", "message": "slow down"}}
ERROR = {"type": "error", "code": "server_error", "message": "oops", "param": None, "sequence_number": 3}


@pytest.mark.parametrize(
    ("events", "category"),
    [
        (response_events(FAILED), "rate_limit"),
        ([*response_events(FAILED)[:3], ERROR], "stream_error"),
    ],
    ids=["failed", "error"],
)
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_an_answer_that_says_it_failed_in_a_stream(
    kind: str, events: list[Any], category: str, wire: OpenAiWire, recorded: Recorded
) -> None:
    wire.script(always=lambda exchange: stream(exchange, events))
    said = await got(client_of(wire, kind).responses.create(model="m", input="hi", stream=True))
    assert len([event async for event in each(said)]) == len(events)
    assert_failed(recorded.operation, ProviderError(""), category)
    assert recorded.operation.attributes["gen_ai.response.id"] == "resp_1"


def test_an_answer_that_says_it_failed(wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: exchange.answer(FAILED))
    assert client_of(wire).responses.create(model="m", input="hi").status == "failed"
    assert_failed(recorded.operation, ProviderError(""), "rate_limit")
    assert recorded.operation.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert "slow down" in str(recorded.operation.span.status.description)


def test_an_answer_in_which_a_tool_failed_has_not(wire: OpenAiWire, recorded: Recorded) -> None:
    answer = response("Hello")
    answer["output"].insert(0, {"id": "ws_1", "type": "web_search_call", "status": "failed", "action": None})
    wire.script(
        lambda exchange: exchange.answer(answer),
        lambda exchange: stream(exchange, [{"type": "response.completed", "response": answer}]),
    )
    client = client_of(wire)
    client.responses.create(model="m", input="hi")
    list(client.responses.create(model="m", input="hi", stream=True))
    assert [operation.outcome for operation in recorded.operations] == ["ok", "ok"]
