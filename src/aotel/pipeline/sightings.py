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

from aotel.pipeline import spans
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from aotel.envelopes import Recording

_KEPT: Final = 16
"""Calls that a context remembers, the newest."""
_MODELS: Final = (
    names.GEN_AI_REQUEST_MODEL,
    names.LLM_REQUEST_MODEL_NAME,
    names.LLM_MODEL_NAME,
    names.EMBEDDING_MODEL_NAME,
)


class Sighting:
    """A model call that a context has seen; of one that ended, no more than whether it counted.

    Args:
        span: what was started; it is not kept alive.
        recording: of the span.
    """

    __slots__ = ("_span", "claimed", "counted", "foreign", "open", "scope", "start_time", "tag")

    def __init__(self, span: Any, recording: Recording) -> None:
        self._span = weakref.ref(span)
        self.tag = recording.taxonomy.tag if recording.taxonomy is not None else ""
        self.scope = _scope(span)
        self.start_time = recording.start_time
        self.foreign = recording.call is None
        self.open = True
        self.counted = False
        self.claimed = False
        """Whether what is inside it has been found."""

    def recording(self) -> Recording | None:
        """Return what is known of the span, while somebody has it."""
        span = self._span()
        return None if span is None else spans.recording_of(span)

    def model(self) -> str | None:
        """Return the model that the span says so far it asks."""
        span = self._span()
        return None if span is None else _model(span)


_seen: ContextVar[tuple[Sighting, ...]] = ContextVar("aotel_model_calls", default=())


def remember(span: Any, recording: Recording) -> None:
    """Let the context know of a model call that starts in it, unless it is of a kind that is always current."""
    if recording.call is not None and not recording.is_request:
        return
    recording.sighting = Sighting(span, recording)
    _seen.set((*_seen.get()[1 - _KEPT :], recording.sighting))


def around(span: Any, recording: Recording) -> Recording | None:
    """Return the call that a model call is made by, where that is open, but not current, and nothing else was seen in it.

    An instrumentor sees a call once, and both ask the same model: else it is another call, which the program makes
    while it reads a stream.

    Args:
        span: it is starting.
        recording: of the span.
    """
    tag = recording.taxonomy.tag if recording.taxonomy is not None else ""
    for seen in reversed(_seen.get()):
        if not (seen.open and seen.foreign) or seen.claimed or seen.tag != tag or seen.scope == _scope(span):
            continue
        outer, model = seen.recording(), seen.model()
        if outer is None or model is None or model != _model(span):
            continue
        seen.claimed = True
        return outer
    return None


def inside(recording: Recording) -> tuple[Sighting, ...]:
    """Return the calls that were seen since a span began that has only been made now.

    Args:
        recording: of the span, which is starting.
    """
    return tuple(seen for seen in _seen.get() if seen.start_time > recording.start_time)


def _scope(span: Any) -> str:
    return getattr(span.instrumentation_scope, "name", "")


def _model(span: Any) -> str | None:
    attributes = spans.attribute_dict(span) or {}
    return next((value for name in _MODELS if isinstance(value := attributes.get(name), str)), None)
