"""The rules of the `raw` mode: nothing is redacted; what is written can still be encoded, and is bounded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aotel.content.names import PLAIN, Verdict
from aotel.content.objects import read_object
from aotel.content.snapshot import DEPTH, NODES, Rules

if TYPE_CHECKING:
    from aotel.content.modes import Tree

_LONGEST_KEY: Final = 256  # characters
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def raw_rules(limit: int, *, depth: int = DEPTH, nodes: int = NODES) -> Rules:
    """Return the rules of a walk that redacts nothing; see `Rules` for the arguments."""
    return Rules(
        verdicts={},
        judge=_judge,
        scrub=encodable,
        seal=_as_it_is,
        read_object=read_object,
        limit=limit,
        depth=depth,
        nodes=nodes,
        raw=True,
    )


def encodable(text: str) -> str:
    """Return a text that can be encoded as UTF-8: lone surrogates become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def _judge(name: str) -> Verdict:
    written = encodable(name[:_LONGEST_KEY])
    return PLAIN if written == name else Verdict(written, secret=False)


def _as_it_is(tree: Tree) -> Tree:
    return tree
