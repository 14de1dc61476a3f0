"""JSON text: of content that is clean always valid, of anything else still valid."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.content.modes import Tree

_LONGEST_LEAF: Final = 1_048_576  # characters


class _Encoders:
    """The encoders of msgspec, which is imported when something is first encoded, not with aotel."""

    plain: Callable[[Any], bytes] | None = None
    canonical: Callable[[Any], bytes] | None = None


def to_json(tree: Tree) -> str:
    """Return the JSON text of content; never raises.

    Args:
        tree: content. What JSON or UTF-8 does not have (a NaN, a lone surrogate, an integer over 64 bits) is written
            as a mode other than `raw` would have written it.
    """
    encode = _Encoders.plain or _load()[0]
    try:
        return encode(tree).decode()
    except Exception:  # noqa: BLE001 - whatever it is, what leaves is JSON
        return encode(_cleaned(tree)).decode()


def canonical_json(tree: Tree) -> bytes:
    """Return JSON as UTF-8 that is the same for equal content: keys sorted, no white space; never raises."""
    encode = _Encoders.canonical or _load()[1]
    try:
        return encode(tree)
    except Exception:  # noqa: BLE001 - see above
        return encode(_cleaned(tree))


def parse_json(text: str) -> Any:
    """Return what a JSON text says, or None if it is none: numbers keep all their digits, whatever their size."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def format_json_like(tree: Any, text: str) -> str:
    """Return the JSON text of what was parsed from a text, in the manner of that text: its spaces, its escapes."""
    separators = (", " if ", " in text else ",", ": " if '": ' in text else ":")
    return json.dumps(tree, ensure_ascii=text.isascii(), separators=separators)


def _load() -> tuple[Callable[[Any], bytes], Callable[[Any], bytes]]:
    from msgspec.json import Encoder

    plain, canonical = Encoder().encode, Encoder(order="deterministic").encode
    _Encoders.plain, _Encoders.canonical = staticmethod(plain), staticmethod(canonical)
    return plain, canonical


def _cleaned(tree: Tree) -> Tree:
    # On demand: the walk needs this module for the keys it meets.
    from aotel.content.raw import raw_rules
    from aotel.content.snapshot import Walk

    return Walk(raw_rules(_LONGEST_LEAF)).tree(tree, 0)
