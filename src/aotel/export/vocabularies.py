"""The vocabularies that a backend reads: what is sent to it has no others, on copies of the spans."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from opentelemetry.attributes import BoundedAttributes

from aotel.dialects.narrowing import narrowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan


def speaking(spans: Sequence[ReadableSpan], dialects: frozenset[str]) -> list[ReadableSpan]:
    """Return spans that speak some dialects alone; other exporters see what the program made.

    Args:
        spans: as they ended.
        dialects: names of the vocabularies that are read.
    """
    return [_narrowed(span, dialects) for span in spans]


def _narrowed(span: ReadableSpan, dialects: frozenset[str]) -> ReadableSpan:
    attributes = span.attributes
    kept = narrowed(attributes, dialects) if attributes else None
    if kept is None or "_attributes" not in vars(span):
        return span
    found = copy.copy(span)
    vars(found)["_attributes"] = kept
    if span.dropped_attributes:  # the number is told from this type alone
        bounded = BoundedAttributes(attributes=kept)
        bounded.dropped = span.dropped_attributes
        vars(found)["_attributes"] = bounded
    return found
