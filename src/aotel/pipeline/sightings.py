"""Model calls that a context has seen: of spans that are around others without being current, which is around which.

Some instrumentors never make their span current (OpenLLMetry's for Anthropic, OpenInference's for `messages.stream`):
what is inside starts beside it. Some make it only when the call is over, and date it back (OpenLLMetry's for
Responses). Of both it can be told from what else was started in the same context: a thread's or a task's own, so that
parallel calls don't mix.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from aotel.dialects import read
from aotel.pipeline import spans

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.envelopes import Recording

_KEPT: Final = 16
"""Calls that a context remembers, the newest."""


class Sighting:
    """A model call that a context has seen; of one that ended, no more than whether it counted.

    Args:
        span: what was started; it is not kept alive.
        recording: of the span.
    """

    __slots__ = ("_span", "counted", "foreign", "open", "scopes", "start_time", "tag")

    def __init__(self, span: Any, recording: Recording) -> None:
        self._span = weakref.ref(span)
        self.tag = recording.taxonomy.tag if recording.taxonomy is not None else ""
        self.scopes = _scopes_around(recording)
        """Who has seen the same call, by the names of their instrumentation scopes."""
        self.scopes.add(_scope(span))
        self.start_time = recording.start_time
        self.foreign = recording.call is None
        self.open = True
        self.counted = False

    def recording(self) -> Recording | None:
        """Return what is known of the span, while somebody has it."""
        span = self._span()
        return None if span is None else spans.recording_of(span)

    def attributes(self) -> dict[str, AttributeValue]:
        """Return what the span has said so far."""
        return dict(spans.attribute_dict(self._span()) or {})


_seen: ContextVar[tuple[Sighting, ...]] = ContextVar("aotel_model_calls", default=())


def remember(span: Any, recording: Recording) -> None:
    """Let the context know of a model call that starts in it, unless it is of a kind that is always current."""
    if recording.call is not None and not recording.is_request:
        return
    recording.sighting = Sighting(span, recording)
    _seen.set((*_seen.get()[1 - _KEPT :], recording.sighting))


def around(span: Any, recording: Recording) -> Recording | None:
    """Return the call that a model call is made by, where that is open, but not current.

    An instrumentor sees a call once, and all ask the same model: else it is another call, which the program makes
    while it reads a stream.

    Args:
        span: it is starting.
        recording: of the span.
    """
    tag = recording.taxonomy.tag if recording.taxonomy is not None else ""
    for seen in reversed(_seen.get()):
        if not (seen.open and seen.foreign) or seen.tag != tag or _scope(span) in seen.scopes:
            continue
        if seen.start_time > recording.start_time:  # it is dated back: the other way round, see `inside`
            continue
        outer = seen.recording()
        if outer is None or outer in recording.ancestors():
            continue
        if _ask_the_same(seen.attributes(), spans.attribute_dict(span) or {}):
            return outer
    return None


def inside(recording: Recording) -> tuple[Sighting, ...]:
    """Return the calls that were seen since a span began that has only been made now.

    Args:
        recording: of the span, which is starting.
    """
    return tuple(seen for seen in _seen.get() if seen.start_time > recording.start_time)


def _scopes_around(recording: Recording) -> set[str]:
    for outer in recording.ancestors():
        if outer.sighting is not None and outer.taxonomy is recording.taxonomy:
            return outer.sighting.scopes
    return set()


def _scope(span: Any) -> str:
    return getattr(span.instrumentation_scope, "name", "")


def _ask_the_same(some: dict[str, AttributeValue], others: dict[str, AttributeValue]) -> bool:
    """Say whether two calls ask one model; where one doesn't say yet which, one provider."""
    one, other = read(some), read(others)
    if one is None or other is None:
        return False
    if one.request_model is not None and other.request_model is not None:
        return one.request_model == other.request_model
    return one.provider is not None and one.provider == other.provider
