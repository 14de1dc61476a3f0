"""Attribute values no longer than allowed: texts are cut, JSON loses text inside its leaves and stays JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from aotel.dialects.json_text import decode, encode, is_json

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Json

__all__ = ["cut", "cut_all"]

Value = TypeVar("Value")


def cut_all(attributes: dict[str, AttributeValue], limit: int) -> dict[str, AttributeValue]:
    """Attributes of which no text is longer than a limit, as `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` asks.

    Args:
        attributes: changed in place.
        limit: characters.

    Returns:
        The same attributes; JSON that can't be made to fit without ceasing to be JSON is left out.
    """
    for name, value in list(attributes.items()):
        if isinstance(value, str):
            if len(value) > limit:
                fitting = cut(value, limit)
                if fitting is None:
                    del attributes[name]
                else:
                    attributes[name] = fitting
        elif isinstance(value, Sequence):
            attributes[name] = [item[:limit] if isinstance(item, str) else item for item in value]  # type: ignore[assignment]
    return attributes


def cut(text: str, limit: int) -> str | None:
    """A text of at most `limit` characters: JSON as JSON, None where that is impossible, any other text cut off."""
    if len(text) <= limit:
        return text
    if not is_json(text):
        return text[:limit]
    tree = decode(text)
    leaf = limit // 2
    while leaf:
        fitting = encode(_shortened(tree, leaf))
        if len(fitting) <= limit:
            return fitting
        leaf //= 4
    return _pruned(_shortened(tree, 0), limit)


def _shortened(tree: Json, leaf: int) -> Json:
    """A tree whose texts have at most `leaf` characters; keys say what a leaf is and stay."""
    if isinstance(tree, str):
        return tree[:leaf]
    if isinstance(tree, Mapping):
        return {key: _shortened(item, leaf) for key, item in tree.items()}
    if isinstance(tree, Sequence):
        return [_shortened(item, leaf) for item in tree]
    return tree


def _pruned(tree: Json, limit: int) -> str | None:
    """JSON of as many of a tree's last items as fit: in a conversation, the newest."""
    if isinstance(tree, Mapping):
        pairs = list(tree.items())
        while pairs:
            pairs = pairs[: len(pairs) // 2]
            if len(fitting := encode(dict(pairs))) <= limit:
                return fitting
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        rest = list(tree)
        while rest:
            rest = rest[len(rest) - len(rest) // 2 :]
            if len(fitting := encode(rest)) <= limit:
                return fitting
    return None
