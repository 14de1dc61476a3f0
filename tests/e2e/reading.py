"""Spans as Phoenix has them, read back into messages, documents and tokens; and the same of the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.phoenix import Span
    from tests.e2e.wiretap import Exchange


def conversation(span: Span) -> list[dict[str, Any]]:
    """Return what was said in a model call, as Phoenix has it."""
    return [m for family in ("llm.input_messages", "llm.output_messages") for m in messages(span.attributes, family)]


def conversation_of(exchange: Exchange) -> list[dict[str, Any]]:
    """Return what was said in a model call, as the wire had it."""
    return [*map(plain, exchange.request["messages"]), {"role": "assistant", **exchange.message}]


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message of a request in the form that these functions share."""
    calls = [{"id": call["id"], **call["function"]} for call in message.get("tool_calls") or ()]
    answered = {"answers": message["tool_call_id"]} if "tool_call_id" in message else {}
    return {"role": message["role"], "content": message.get("content") or "", "calls": calls, **answered}


def messages(attributes: dict[str, Any], family: str) -> list[dict[str, Any]]:
    """Return the messages of a family of attributes."""
    found: list[dict[str, Any]] = []
    while (role := attributes.get(f"{family}.{len(found)}.message.role")) is not None:
        prefix = f"{family}.{len(found)}.message."
        parts = [f"{prefix}tool_calls.%d.tool_call.{name}" for name in ("id", "function.name", "function.arguments")]
        calls = list(zip(*(series(attributes, part) for part in parts), strict=True))
        answers = attributes.get(f"{prefix}tool_call_id")
        found.append(
            {
                "role": role,
                "content": attributes.get(f"{prefix}content", ""),
                "calls": [dict(zip(("id", "name", "arguments"), call, strict=True)) for call in calls],
                **({} if answers is None else {"answers": answers}),
            }
        )
    return found


def documents(attributes: dict[str, Any], family: str) -> list[dict[str, Any]]:
    """Return the documents of a family of attributes."""
    names = {"id": "document.id", "score": "document.score", "text": "document.content"}
    columns = [indexed(attributes, family, name) for name in names.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def indexed(attributes: dict[str, Any], family: str, name: str) -> list[Any]:
    """Return what each item of a family has under a name."""
    return series(attributes, f"{family}.%d.{name}")


def series(attributes: dict[str, Any], pattern: str) -> list[Any]:
    """Return the values of names that are counted, as far as they go."""
    found: list[Any] = []
    while (value := attributes.get(pattern % len(found))) is not None:
        found.append(value)
    return found
