"""Attribute values no longer than allowed: texts are cut, JSON loses text inside its leaves and stays JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aotel.dialects.json_text import decode, encode

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Json

__all__ = ["cut", "cut_all"]


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
            fitting = cut(value, limit)
            if fitting is None:
                del attributes[name]
            elif fitting is not value:
                attributes[name] = fitting
        elif isinstance(value, (list, tuple)) and any(isinstance(item, str) and len(item) > limit for item in value):
            attributes[name] = [item[:limit] for item in value if isinstance(item, str)]
    return attributes


def cut(text: str, limit: int) -> str | None:
    """A text of at most `limit` characters: JSON as JSON, None where that is impossible, any other text cut off."""
    if len(text) <= limit:
        return text
    tree = decode(text) if text[0] in '{["' else None
    if tree is None:
        return text[:limit]
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
    """JSON of as many of an array's last items (in a conversation, the newest) or an object's first as fit."""
    while len(fitting := encode(tree)) > limit:
        if isinstance(tree, Mapping) and tree:
            tree = dict(list(tree.items())[: len(tree) // 2])
        elif isinstance(tree, Sequence) and tree:
            tree = tree[len(tree) - len(tree) // 2 :]
        else:
            return None
    return fitting
