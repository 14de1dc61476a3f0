"""A program that hands secrets and harmless words to aotel in every place where content can be; run by path.

Its argument is a JSON file: place -> {"shape": a provider key, "named": known by its name alone, "benign": no secret}.
The secrets come from there, so that no source line holds one; but for `planted_in_the_source`, which is about that.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext, StatusCode

import aotel
from aotel import coat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PLANTS: dict[str, dict[str, str]] = json.loads(Path(sys.argv[1]).read_text())
LIMIT = 32_768

PLACES: list[Callable[[], object]] = []
"""Functions named after the place that they plant in."""


def place(fn: Callable[[], object]) -> Callable[[], object]:
    PLACES.append(fn)
    return fn


def plant(name: str) -> dict[str, str]:
    return PLANTS[name]


def text(name: str) -> str:
    found = plant(name)
    return f"read {found['benign']} and use {found['shape']} for it"


def mapping(name: str) -> dict[str, Any]:
    return {"note": text(name), "password": plant(name)["named"]}


@dataclass
class Credentials:
    user: str
    api_key: str


@place
def positional_arguments() -> None:
    @coat("tool")
    def work(words: str, password: str, /, settings: dict[str, Any], *rest: object) -> None: ...

    name = "positional_arguments"
    work(text(name), plant(name)["named"], mapping(name), text(name))


@place
def keyword_arguments() -> None:
    @coat("tool")
    def work(*, words: str, api_key: str, **more: object) -> None: ...

    name = "keyword_arguments"
    work(words=text(name), api_key=plant(name)["named"], access_token=plant(name)["named"], other=text(name))


@place
def nested_values() -> None:
    name = "nested_values"
    header = {"Authorization": f"Bearer {plant(name)['named']}", "X-Envpod-Access-Token": plant(name)["named"]}
    value = {
        "a": [{"b": ({"c": mapping(name)}, Credentials("u", plant(name)["named"]))}, header],
        "json": json.dumps(mapping(name)),
    }
    coat("tool", lambda value: None, name="nested")(value)


@place
def locals_at_return() -> None:
    name = "locals_at_return"

    @coat("tool", auto_capture=True)
    def work() -> None:
        words = text(name)
        settings = mapping(name)
        password = plant(name)["named"]
        client_secret = plant(name)["named"]
        del words, settings, password, client_secret
        kept_words, kept_settings, kept_password = text(name), mapping(name), plant(name)["named"]
        assert kept_words, (kept_settings, kept_password)

    work()


@place
def results() -> None:
    name = "results"
    coat("tool", lambda: text(name), name="text result")()
    coat("llm", lambda: mapping(name), name="mapping result")()
    coat("retrieval", lambda: [{"content": text(name), "metadata": mapping(name)}], name="documents")()


@place
def set_results() -> None:
    with aotel.step("set"):
        aotel.set_result(mapping("set_results"))
    with trace.get_tracer("foreign").start_as_current_span("foreign set"):
        aotel.set_result(mapping("set_results"))


@place
def exception_messages() -> None:
    def failing() -> None:
        raise LookupError(text("exception_messages"), mapping("exception_messages"))

    with contextlib.suppress(LookupError):
        coat("tool", failing)()


@place
def exception_chains() -> None:
    name = "exception_chains"

    def failing() -> None:
        try:
            try:
                raise KeyError(text(name))
            except KeyError:
                raise ConnectionError(f"password={plant(name)['named']} {text(name)}") from None
        except ConnectionError as error:
            raise RuntimeError("outermost") from error

    with contextlib.suppress(RuntimeError):
        coat("tool", failing)()


@place
def exception_notes() -> None:
    def failing() -> None:
        error = ValueError("with a note")
        if sys.version_info >= (3, 11):
            error.add_note(text("exception_notes"))
            error.add_note(f"api_key: {plant('exception_notes')['named']}")
        raise error

    with contextlib.suppress(ValueError):
        coat("tool", failing)()


@place
def tie_data() -> None:
    with aotel.step("tied"):
        aotel.tie("note", mapping("tie_data"))
        aotel.tie("text", text("tie_data"))


@place
def names() -> None:
    found = plant("names")
    with aotel.step(f"GET https://user:{found['named']}@host/"):
        aotel.tie(f"sent {found['shape']}")
    with aotel.step("pieces"), aotel.stream(f"stream {found['shape']}", envelopes=True) as pieces:
        pieces.event(f"piece {found['shape']}")
    coat("tool", lambda: None, name=f"call {found['shape']}")()
    with trace.get_tracer("foreign").start_as_current_span(
        f"POST https://user:{found['named']}@host/", attributes={"gen_ai.operation.name": "chat"}
    ) as span:
        span.add_event(f"event {found['shape']}")


@place
def session_metadata() -> None:
    with aotel.session("leaking", metadata=mapping("session_metadata")):
        pass


@place
def step_attributes() -> None:
    name = "step_attributes"
    with aotel.step("attributes", words=text(name), token=plant(name)["named"], nested=mapping(name)):
        pass


@place
def stream_events() -> None:
    name = "stream_events"
    with aotel.stream("pieces", envelopes=True, words=text(name), secret=plant(name)["named"]) as pieces:
        pieces.event("piece", text(name))
        pieces.event("piece", mapping(name))
        list(pieces.wrap([text(name)]))


@place
def attributes_given_to_coat() -> None:
    name = "attributes_given_to_coat"
    given = {"words": text(name), "db.password": plant(name)["named"], "list": [text(name)]}
    coat("tool", lambda: None, attributes=given)()


@place
def attributes_set_by_the_program() -> None:
    name = "attributes_set_by_the_program"
    with aotel.step("own"):
        span = trace.get_current_span()
        span.set_attribute("config", json.dumps({"password": plant(name)["named"], "key": plant(name)["shape"]}))
        span.set_attribute("api_key", plant(name)["named"])
        span.add_event("own event", {"token": plant(name)["named"], "words": plant(name)["shape"]})
        span.set_status(StatusCode.ERROR, f"failed with {plant(name)['shape']}")


@place
def foreign_spans() -> None:
    name = "foreign_spans"
    found = plant(name)
    said = {
        "http.request.header.authorization": f"Bearer {found['named']}",
        "db.connection_string": f"postgres://admin:{found['named']}@db/x",
        "body": json.dumps({"outer": {"password": found["named"]}, "key": found["shape"]}),
        "list": ["fine", found["shape"]],
    }
    with trace.get_tracer("foreign").start_as_current_span("foreign", attributes=said) as span:
        span.add_event("sent", {"cookie": found["named"], "words": found["shape"]})
        span.add_link(SpanContext(1, 2, is_remote=True), {"api_key": found["named"], "words": found["shape"]})
        span.set_status(StatusCode.ERROR, f"refused {found['shape']}")


@place
def foreign_operations() -> None:
    name = "foreign_operations"
    messages = [{"role": "user", "parts": [{"type": "text", "content": text(name)}]}]
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps(messages),
        "gen_ai.output.messages": json.dumps(messages),
        "gen_ai.system_instructions": json.dumps(messages[0]["parts"]),
        "gen_ai.tool.call.arguments": json.dumps(mapping(name)),
        "llm.input_messages.0.message.content": text(name),
        "input.value": json.dumps(mapping(name)),
        "output.value": text(name),
        "traceloop.entity.input": json.dumps(mapping(name)),
        "gen_ai.prompt.0.content": text(name),
    }
    for at_start in (True, False):
        with (
            contextlib.suppress(LookupError),
            trace.get_tracer("foreign").start_as_current_span("chat", attributes=said if at_start else {}) as span,
        ):
            if not at_start:
                span.set_attributes(said)
            span.add_event("gen_ai.client.inference.operation.details", {"gen_ai.input.messages": json.dumps(messages)})
            raise LookupError(text(name))


@place
def messages_of_a_model() -> None:
    name = "messages_of_a_model"

    @coat("llm")
    def ask(messages: list[dict[str, Any]], temperature: float) -> str:
        return text(name)

    ask([{"role": "system", "content": text(name)}, {"role": "user", "content": json.dumps(mapping(name))}], 0.5)


@place
def urls() -> None:
    found = plant("urls")
    for scheme in ("postgres", "https", "redis", "amqp", "mongodb+srv"):
        url = f"{scheme}://admin:{found['named']}@host:1/{found['benign']}?key={found['shape']}"
        coat("tool", lambda url: {"url": url}, name="url")(url)


@place
def cut_in_the_middle() -> None:
    found = plant("cut_in_the_middle")
    for length in (200, 4096, LIMIT):
        for before in range(length - 60, length, 7):
            coat("tool", lambda value: value, name="cut")("x " * (before // 2) + found["shape"])
    coat("tool", lambda value: value, name="cut")({"password": found["named"] * 2000, "note": found["benign"]})


@place
def generators() -> None:
    name = "generators"

    @coat("tool")
    def pieces(words: str, settings: dict[str, Any]) -> Iterator[str]:
        yield text(name)
        return mapping(name)  # type: ignore[return-value]

    @coat("tool")
    async def waves(words: str, settings: dict[str, Any]) -> AsyncIterator[str]:
        yield text(name)
        raise LookupError(text(name))

    async def consume() -> None:
        with contextlib.suppress(LookupError):
            async for _ in waves(text(name), mapping(name)):
                pass

    list(pieces(text(name), mapping(name)))
    asyncio.run(consume())


@place
def constructions() -> None:
    @coat("tool")
    class Client:
        def __init__(self, words: str, api_key: str) -> None:
            self.words, self.api_key = words, api_key

    client = Client(text("constructions"), plant("constructions")["named"])
    coat("tool", lambda client: client, name="holder")(client)
    coat("tool", lambda value: value, name="dataclass")(
        Credentials(text("constructions"), plant("constructions")["named"])
    )


@place
def planted_in_the_source() -> None:
    def failing() -> None:
        raise LookupError("sk-proj-InTheSourceLine0123456789abcdefABCDEF", {"password": "InTheSourceByName"})

    with contextlib.suppress(LookupError):
        coat("tool", failing)()


if __name__ == "__main__":
    for planted in PLACES:
        planted()
    assert aotel.flush(30)  # what a busy machine may not manage at exit
    print(len(PLACES))
