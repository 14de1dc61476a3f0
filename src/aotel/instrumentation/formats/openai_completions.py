"""Text completions, the API before chat: `POST /completions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aotel.instrumentation.formats.format import Format, count, items, mapping, text
from aotel.instrumentation.formats.openai_chat import openai_facts, parameters, usage_of
from aotel.operation import Message, Operation, TextPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.util.types import AttributeValue

    from aotel.instrumentation.plain import Plain
    from aotel.instrumentation.reading import Reading
    from aotel.operation import Usage


class TextCompletions(Format):
    """See the module; OpenAI API reference, Completions (legacy)."""

    operation = "text_completion"
    last = (b"\ndata: [DONE]", b"\ndata:[DONE]")
    asks_for_usage = True

    def request(self, request: Plain, reading: Reading) -> Operation:
        """Return what a request asks for; see `Format.request`."""
        said = mapping(request)
        operation = Operation(op=self.tag, operation_name=self.operation, request_model=text(said.get("model")))
        operation.request = parameters(said)
        if reading.inputs:
            operation.input_messages = reading.messages(_prompts(said.get("prompt")), _prompt)
        return operation

    def answer(self, answer: Plain, operation: Operation, reading: Reading) -> None:
        """Add what an answer says; see `Format.answer`."""
        said = mapping(answer)
        choices = [mapping(choice) for choice in items(said.get("choices"))]
        operation.response_id = text(said.get("id"))
        operation.response_model = text(said.get("model"))
        operation.usage = self.usage(answer)
        operation.finish_reasons = tuple([reason for each in choices if (reason := text(each.get("finish_reason")))])
        if reading.outputs:
            operation.output_messages = reading.messages(choices, _choice)

    def usage(self, answer: Plain) -> Usage | None:
        """Return the tokens that an answer counts."""
        return usage_of(mapping(answer).get("usage"))

    def facts(self, request: Plain, answer: Plain) -> dict[str, AttributeValue]:
        """Return what OpenAI's own attributes say."""
        return openai_facts(request, answer, "completions")

    def assemble(self, events: Iterable[dict[str, Any]]) -> Plain:
        """Return the answer that chunks amount to."""
        answer: dict[str, Any] = {}
        choices: dict[int, dict[str, Any]] = {}
        for event in events:
            for name in ("id", "model", "usage", "system_fingerprint"):
                if event.get(name) is not None:
                    answer[name] = event[name]
            for chunk in items(event.get("choices")):
                said = mapping(chunk)
                choice = choices.setdefault(count(said.get("index")) or 0, {"text": "", "finish_reason": None})
                choice["text"] += text(said.get("text")) or ""
                choice["finish_reason"] = text(said.get("finish_reason")) or choice["finish_reason"]
        answer["choices"] = [choices[index] for index in sorted(choices)]
        return answer


def _prompts(prompt: Plain) -> Plain:
    """Return prompts as texts; token ids say nothing to a reader, and are one prompt or several."""
    tokens = type(prompt) is list and any(type(each) is not str for each in prompt)
    return [f"<{len(prompt)} token ids or prompts of them>"] if tokens else prompt


def _prompt(clean: Plain) -> Message:
    return Message("user", (TextPart(text(clean) or ""),))


def _choice(clean: Plain) -> Message:
    said = mapping(clean)
    return Message("assistant", (TextPart(text(said.get("text")) or ""),), None, text(said.get("finish_reason")))


TEXT_COMPLETIONS: Final = TextCompletions()
