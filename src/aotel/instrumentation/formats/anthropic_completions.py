"""Text completions, Anthropic's API before Messages: `POST /v1/complete`; version 1 of the SDK has it no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aotel.instrumentation.formats.format import Format, count, items, mapping, number, text
from aotel.operation import Message, Operation, RequestParameters, TextPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.instrumentation.plain import Plain
    from aotel.instrumentation.reading import Reading
    from aotel.operation import Usage


class AnthropicCompletions(Format):
    """See the module; Anthropic API reference, Text Completions (legacy). It counts no tokens."""

    operation = "text_completion"
    last = (b'"stop_reason":"', b'"stop_reason": "')

    def request(self, request: Plain, reading: Reading) -> Operation:
        """Return what a request asks for; see `Format.request`."""
        said = mapping(request)
        operation = Operation(op=self.tag, operation_name=self.operation, request_model=text(said.get("model")))
        operation.request = RequestParameters(
            temperature=number(said.get("temperature")),
            top_p=number(said.get("top_p")),
            top_k=number(said.get("top_k")),
            max_tokens=count(said.get("max_tokens_to_sample")),
            stop=tuple([each for each in items(said.get("stop_sequences")) if type(each) is str]),
            stream=True if said.get("stream") is True else None,
        )
        if reading.inputs:
            operation.input_messages = reading.messages(said.get("prompt"), _prompt)
        return operation

    def answer(self, answer: Plain, operation: Operation, reading: Reading) -> None:
        """Add what an answer says; see `Format.answer`."""
        said = mapping(answer)
        operation.response_id = text(said.get("id"))
        operation.response_model = text(said.get("model"))
        reason = text(said.get("stop_reason"))
        operation.finish_reasons = (reason,) if reason else ()
        if reading.outputs and type(said.get("completion")) is str:
            spoken = {"completion": said["completion"], "stop_reason": reason}
            operation.output_messages = reading.messages([spoken], _completion)

    def usage(self, answer: Plain) -> Usage | None:
        """Return None: this API counts no tokens."""
        del answer
        return None

    def assemble(self, events: Iterable[dict[str, Any]]) -> Plain:
        """Return the answer that chunks amount to."""
        answer: dict[str, Any] = {}
        pieces: list[str] = []
        for event in events:
            answer.update({name: event[name] for name in ("id", "model", "stop_reason") if event.get(name) is not None})
            pieces.append(text(event.get("completion")) or "")
        return {**answer, "completion": "".join(pieces)}


def _prompt(clean: Plain) -> Message:
    return Message("user", (TextPart(text(clean) or ""),))


def _completion(clean: Plain) -> Message:
    said = mapping(clean)
    return Message("assistant", (TextPart(text(said.get("completion")) or ""),), None, text(said.get("stop_reason")))


ANTHROPIC_COMPLETIONS: Final = AnthropicCompletions()
