"""Streams of litellm: each is the object that it is; what sees it stands in its dict until it ends.

litellm keeps the chunks of a chat stream itself, those that count tokens among them, so that nothing has to be kept
for it; they are read when somebody wants to see them, in another thread.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

import wrapt
from opentelemetry import context as otel_context

from aotel.calls import PORT, Pace
from aotel.calls.scope import detach
from aotel.content import Deferred
from aotel.instrumentation.formats.openai_responses import RESPONSES
from aotel.instrumentation.litellm.answers import is_last, read_stream
from aotel.instrumentation.model_call import OPEN
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Token
    from types import ModuleType

    from opentelemetry.context import Context

    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.model_call import ModelCall
    from aotel.instrumentation.patches import Patches
    from aotel.instrumentation.plain import Plain

_PLACE: Final = "_aotel_watch"
_NESTED: Final = "_aotel_nest"
_STEPS: Final = ("__next__", "__anext__")
_DEPTH: Final = 4  # streams around streams
_NEST: Final = otel_context.create_key("aotel-litellm-nest")


_MOST: Final = 20_000
"""Chunks that are kept of a stream that keeps none itself."""


class Nest:
    """What happens inside of one call of litellm: the request, which may wait for the first chunk to be asked for.

    Args:
        around: the context around the call, that of the program.
        inside: the context of what litellm does for the call.
        hides_usage: whether the stream is to keep to itself what was asked for by us.
        stream_options: what the program asks for itself.
    """

    __slots__ = ("_stream_options", "around", "chunks", "counted", "hides_usage", "inside")

    def __init__(self, around: Context, inside: Context, *, hides_usage: bool, stream_options: Any) -> None:
        self.around = around
        self.inside = otel_context.set_value(_NEST, self, inside)
        self.chunks: list[Any] | None = None
        """Of the stream that was made last, which may be wrapped into a generator where nobody finds it."""
        self.counted: tuple[Any, ...] = ()
        """The chunk that counts tokens, where litellm does not keep it: in versions before 1.82."""
        self.hides_usage = hides_usage
        self._stream_options = stream_options

    def has(self, stream: Any) -> None:
        """Take note of a stream that was made here."""
        place = vars(stream)
        chunks = place.get("chunks")
        if type(chunks) is list:
            self.chunks = chunks
        place[_NESTED] = self
        if self.hides_usage:
            if "stream_options" in place:
                stream.stream_options = self._stream_options
            for name in ("caller_requested_stream_usage", "include_usage", "send_stream_usage"):
                if name in place:
                    setattr(stream, name, False)


def nest_of_now() -> Nest | None:
    """Return the call of litellm that is being made; None where none is."""
    found = otel_context.get_value(_NEST)
    return found if isinstance(found, Nest) else None


class Watch:
    """Sees the chunks of one stream, and ends the call when the stream has ended, failed, or is given up.

    Args:
        call: what the stream belongs to.
        form: how an answer of the call is to be read.
        chunks: the list in which the stream keeps its chunks; None for one that keeps none.
        nest: where the stream was made; None for one out of litellm's own cache.
    """

    __slots__ = ("__weakref__", "_call", "_chunks", "_form", "_latest", "_nest", "_own", "_pace", "_reading")

    def __init__(self, call: ModelCall, form: Format, chunks: list[Any] | None, nest: Nest | None) -> None:
        self._call = call
        self._form = form
        self._chunks = chunks
        self._own: list[Any] | None = [] if chunks is None else None
        self._nest = nest
        self._latest: tuple[Any, Any] = (None, None)
        self._reading = False
        self._pace = call.pace = Pace()
        OPEN.add(call, self._interrupt)

    def follow(self, stream: Any, step: Callable[[], Any]) -> Any:
        """Take the next step of a stream."""
        self._reading = True
        token = self._enter() if self._pace.count == 0 else None
        try:
            chunk = step()
        except StopIteration:
            self._finish(stream)
            raise
        except BaseException as error:
            self._fail(stream, error)
            raise
        finally:
            self._reading = False
            if token is not None:
                detach(token)
        self._saw(chunk)
        return chunk

    async def follow_async(self, stream: Any, step: Callable[[], Any]) -> Any:
        """Take the next step of a stream."""
        self._reading = True
        token = self._enter() if self._pace.count == 0 else None
        try:
            chunk = await step()
        except StopAsyncIteration:
            self._finish(stream)
            raise
        except BaseException as error:
            self._fail(stream, error)
            raise
        finally:
            self._reading = False
            if token is not None:
                detach(token)
        self._saw(chunk)
        return chunk

    def _enter(self) -> Token[Context] | None:
        """Be inside of the call once more: some streams make their request only when the first chunk is asked for."""
        return None if self._nest is None else otel_context.attach(self._nest.inside)

    def closed(self, stream: Any) -> None:
        """Take note that a stream was let go of, by the program or, at its end, by itself."""
        if self._reading:
            return
        _let_go(stream)
        # A stream that is closed by the collector may be in the middle of somebody's lock.
        self._leave(later=isinstance(sys.exc_info()[1], GeneratorExit))

    def __del__(self) -> None:
        """End the call of a stream that nobody closed."""
        with contextlib.suppress(Exception):  # at the end of the interpreter, nothing is left to say it with
            self._leave(later=True)

    def _saw(self, chunk: Any) -> None:
        self._pace.add(perf_counter_ns(), 0)
        own = self._own
        if own is not None:
            own.append(chunk)
            if len(own) > _MOST:  # the beginning and the last ones stay
                del own[_MOST // 2]
        self._latest = (self._latest[1], chunk)  # one that counts tokens may follow the last one of the answer

    def _finish(self, stream: Any) -> None:
        _let_go(stream)
        try:
            self._call.answered(self._answer())
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a stream", problem)

    def _fail(self, stream: Any, error: BaseException) -> None:
        _let_go(stream)
        try:
            if isinstance(error, GeneratorExit):
                self._call.abandon(self._answer(), later=True)
            else:
                self._call.failed(error, self._answer())
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a stream", problem)

    def _leave(self, *, later: bool) -> None:
        if self._call.ended:
            return
        try:
            # While patches are off, litellm goes on to keep what nobody sees.
            if any(is_last(chunk) for chunk in (*self._latest, *self._kept()[-2:])):
                self._call.answered(self._answer(), later=later)
            else:
                self._call.abandon(self._answer(), later=later)
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a stream", problem)

    def _interrupt(self) -> None:
        self._leave(later=False)

    def _answer(self) -> Deferred[Plain]:
        call = self._call
        if self._pace.count:
            facts = self._pace.attributes(call.start_clock)
            facts.pop(names.AOT_STREAM_BYTES, None)  # litellm hands objects over, not bytes
            call.attributes.update(facts)
        return Deferred(read_stream, self._all(), self._latest, self._form, self._nest is None)

    def _kept(self) -> list[Any]:
        if self._chunks is not None:
            return self._chunks
        inner = None if self._nest is None or self._form is RESPONSES else self._nest.chunks
        return inner or self._own or []

    def _all(self) -> list[Any]:
        return [*self._kept(), *(() if self._nest is None else self._nest.counted)]


def is_stream(result: Any) -> bool:
    """Say whether an answer is one that comes piece by piece."""
    return any(hasattr(type(result), step) for step in _STEPS)


def watch(result: Any, call: ModelCall, form: Format, nest: Nest | None) -> bool:
    """Have a call end with a stream; say whether that can be seen.

    Args:
        result: the stream, or one around it.
        call: the call that it answers.
        form: how an answer of the call is to be read.
        nest: where it was made; None for one out of litellm's own cache.
    """
    stream = result
    for stream in _streams(result):
        if nest is not None:
            nest.has(stream)
    if not any(isinstance(inspect.getattr_static(stream, step, None), wrapt.FunctionWrapper) for step in _STEPS):
        return False
    chunks = vars(stream).get("chunks")
    vars(stream)[_PLACE] = Watch(call, form, chunks if type(chunks) is list else None, nest)
    return True


def _streams(result: Any) -> Iterator[Any]:
    """Yield a stream, and the one of litellm's that it passes on: the last one may keep its chunks."""
    for _ in range(_DEPTH):
        inside = getattr(result, "__dict__", None)
        if inside is None:
            return
        yield result
        result = None if "chunks" in inside else inside.get("completion_stream")
        if not type(result).__module__.startswith("litellm"):
            return


def patch_streams(module: ModuleType, patches: Patches) -> None:
    """Patch the streams that a module of litellm defines.

    Args:
        module: the module.
        patches: takes the patches.
    """
    for kind in [each for each in vars(module).values() if isinstance(each, type)]:
        if kind.__module__ != module.__name__ or not any(step in vars(kind) for step in _STEPS):
            continue
        for name, around in (
            ("__init__", _init),
            ("__next__", _next),
            ("__anext__", _next_async),
            ("close", _close),
            ("aclose", _close_async),
        ):
            if name in vars(kind):
                patches.wrap(kind, name, around)
        if "chunk_creator" in vars(kind) and not hasattr(kind, "_record_usage_only_chunk"):
            patches.wrap(kind, "chunk_creator", _read)


def _init(wrapped: Any, stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    wrapped(*args, **kwargs)
    nest = nest_of_now()
    if nest is not None:
        nest.has(stream)


def _read(wrapped: Any, stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    chunk = kwargs.get("chunk", args[0] if args else None)
    nest = stream.__dict__.get(_NESTED)
    if nest is not None and not getattr(chunk, "choices", True) and getattr(chunk, "usage", None) is not None:
        nest.counted = (chunk,)
    return wrapped(*args, **kwargs)


def _next(wrapped: Any, stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    found = stream.__dict__.get(_PLACE)
    return wrapped(*args, **kwargs) if found is None else found.follow(stream, wrapped)


def _next_async(wrapped: Any, stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    found = stream.__dict__.get(_PLACE)
    return wrapped(*args, **kwargs) if found is None else found.follow_async(stream, wrapped)


def _close(wrapped: Any, stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)
    finally:
        _closed(stream)


async def _close_async(wrapped: Any, stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return await wrapped(*args, **kwargs)
    finally:
        _closed(stream)


def _closed(stream: Any) -> None:
    found = stream.__dict__.get(_PLACE)
    if found is not None:
        found.closed(stream)


def _let_go(stream: Any) -> None:
    stream.__dict__.pop(_PLACE, None)
    stream.__dict__.pop(_NESTED, None)
