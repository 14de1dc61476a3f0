"""Destinations of envelopes, as they are written and as settings hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.semconv import environment as env

if TYPE_CHECKING:
    from collections.abc import Iterable

_FILE = "file:"
_ALONE = frozenset({"auto", "none"})


def check_envelopes(items: Iterable[object]) -> tuple[str, ...]:
    """Return destinations of envelopes as settings hold them: trimmed, each once, in their order.

    Args:
        items: Destinations: `auto` or `none` alone, or some of `pod`, `otlp`, `stderr`, `file:PATH`.

    Raises:
        TypeError: An item is no string.
        ValueError: An item is no destination, or `auto` or `none` is not alone.
    """
    found: dict[str, None] = {}
    for item in items:
        if not isinstance(item, str):
            msg = f"envelopes: expected strings, got {type(item).__name__}"
            raise TypeError(msg)
        if item.strip():
            found[_destination(item.strip())] = None
    if not found:
        msg = f"envelopes: expected some of {', '.join(env.AOTEL_ENVELOPES.members)}, got none of them"
        raise ValueError(msg)
    alone = _ALONE & found.keys()
    if alone and len(found) > 1:
        msg = f"envelopes: {min(alone)!r} cannot stand beside others, got {', '.join(found)}"
        raise ValueError(msg)
    return tuple(found)


def _destination(item: str) -> str:
    if item[: len(_FILE)].lower() == _FILE and item[len(_FILE) :].strip():
        return _FILE + item[len(_FILE) :].strip()
    if item.lower() in env.AOTEL_ENVELOPES.members and ":" not in item:
        return item.lower()
    msg = f"envelopes: expected some of {', '.join(env.AOTEL_ENVELOPES.members)}, got {item!r}"
    raise ValueError(msg)


def parse_envelopes(value: str) -> tuple[str, ...]:
    """Return what AOTEL_ENVELOPES says."""
    try:
        return check_envelopes(value.split(","))
    except ValueError:
        msg = f"a comma list of {', '.join(env.AOTEL_ENVELOPES.members)}, with auto and none alone"
        raise ValueError(msg) from None
