"""How much memory an ended span keeps from being freed: an estimate, made without reading what it defers."""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final

from aotel.pipeline.lazy import LazyAttributes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.sdk.trace import ReadableSpan

    from aotel.envelopes import Recording

_SPAN: Final = 3_800  # the span, its ids, its recording and its call, without content; as measured
_ENTRY: Final = 100  # of a dict, with its key
_PART: Final = 400  # an event or a link
_DEPTH: Final = 8


def weight(span: ReadableSpan, recording: Recording) -> int:
    """Return about how many bytes a span takes, with what its attributes will be made of."""
    total = _SPAN + getsizeof(span.name)
    for content in (recording.input, recording.output, recording.operation):
        if content is not None:
            total += content.size
    if recording.local_variables is not None:
        total += _values(recording.local_variables.values())
    attributes: Any = getattr(span, "_attributes", None)
    # Reading them would have them made here, in the program's thread.
    stored = attributes._stored if isinstance(attributes, LazyAttributes) else getattr(attributes, "_dict", None)  # noqa: SLF001
    if stored:
        total += _values(stored.values())
    for part in (*(getattr(span, "_events", None) or ()), *(getattr(span, "_links", None) or ())):
        total += _PART + _values((part.attributes or {}).values())
    return total


def _values(values: Iterable[Any], depth: int = 0) -> int:
    total = 0
    for value in values:
        total += _ENTRY
        if type(value) is str or type(value) is bytes:
            total += getsizeof(value)
        elif depth < _DEPTH and isinstance(value, (tuple, list)):
            total += _values(value, depth + 1)  # pyright: ignore[reportUnknownArgumentType]
        elif depth < _DEPTH and isinstance(value, dict):
            total += _values(value.values(), depth + 1)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return total
