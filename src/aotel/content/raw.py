"""The rules of the `raw` mode: nothing is redacted; what is written can still be encoded, and is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.content.names import PLAIN, Verdict
from aotel.content.objects import read_object
from aotel.content.redaction import encodable
from aotel.content.snapshot import Rules

if TYPE_CHECKING:
    from aotel.content.modes import Tree

_LONGEST_KEY: Final = 256  # characters


def raw_rules(limit: int) -> Rules:
    """Return the rules of a walk that redacts nothing.

    Args:
        limit: the most characters of a leaf.
    """
    return Rules(
        verdicts={}, judge=_judge, scrub=encodable, seal=_as_it_is, read_object=read_object, limit=limit, raw=True
    )


def _judge(name: str) -> Verdict:
    written = encodable(name[:_LONGEST_KEY])
    return PLAIN if written == name else Verdict(written, secret=False)


def _as_it_is(tree: Tree) -> Tree:
    return tree
