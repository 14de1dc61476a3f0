"""What the hook has seen, as it waits to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Note: TypeAlias = "Callable[[Event], None]"

Fields: TypeAlias = "tuple[tuple[str, str | int | tuple[str, ...]], ...]"


class Event(NamedTuple):
    """Something that happened once; those that differ in nothing but time are told as one, with a count.

    Attributes:
        action: its name in the audit log.
        fields: what there is to say of it, names and values; texts as the program had them, secrets included.
        trace_id: the trace it belongs to, 0 for none.
        span_id: the span that was current, 0 for none.
        time_ns: when, nanoseconds since the epoch.
        is_counted: whether it is told with others like it.
    """

    action: str
    fields: Fields
    trace_id: int
    span_id: int
    time_ns: int
    is_counted: bool = True
