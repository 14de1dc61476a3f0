"""The body of an HTTP answer that is read by the program, seen as it goes by.

The answer stays the object that it is, of its own type: what is put on it stands beside the methods of its class, which
read every body, whole or in pieces, whatever object of an SDK is built around it.
"""

from __future__ import annotations

import contextlib
import sys
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from aotel.calls import PORT, Pace
from aotel.content import Deferred
from aotel.instrumentation.model_call import OPEN
from aotel.instrumentation.wire.event_stream import answer_of
from aotel.instrumentation.wire.usage_chunk import UsageChunkFilter
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.model_call import ModelCall

_MOST: Final = 8 * 2**20
"""Bytes of a body that are kept; of a longer one, the beginning and the last pieces."""
_LAST: Final = 64  # pieces
_EVENT: Final = b"\ndata:"
_DONE: Final = b"\ndata: [DONE]"
_SEARCHED: Final = 1_048_576  # bytes of a body that are searched as a whole for its end
_READERS: Final = frozenset({"openai", "anthropic", "litellm"})
"""Who reads streams, in modules with `streaming` in their names."""


class Body:
    """Sees the body of one answer, and ends the call when it has come, failed, or is given up.

    Args:
        call: what the answer belongs to.
        form: how the body is to be read.
        content_type: as the server says.
        hides_usage: whether the chunk that counts tokens is ours alone to see.
    """

    def __init__(self, call: ModelCall, form: Format, content_type: str, *, hides_usage: bool) -> None:
        self._call = call
        self._form = form
        self._content_type = content_type
        self._filter = UsageChunkFilter() if hides_usage else None
        self._pieces: list[bytes] = []
        self._size = 0
        self._events = 0
        self._before = b"\n"
        self._reading = False
        self._guarded = False
        # A program that answers an error with another call is still handling it: it is none of this call's.
        self._handled = id(sys.exc_info()[1])
        if "event" in content_type:
            call.pace = Pace()
        OPEN.add(call, self._interrupt)

    def saw(self, piece: bytes) -> bytes:
        """Take note of a piece; return what of it is to be passed on."""
        if self._size == 0 or self._size + len(piece) <= _MOST:
            self._pieces.append(piece)
        else:
            del self._pieces[-_LAST : -_LAST + 1]
            self._pieces.append(piece)
        self._size += len(piece)
        pace = self._call.pace
        if pace is not None:
            pace.add(perf_counter_ns(), len(piece))
            seen = self._before + piece
            self._events += seen.count(_EVENT)
            self._before = seen[1 - len(_EVENT) :]
        return piece if self._filter is None else self._filter.passed(piece)

    def follow(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass the pieces of a body on."""
        while True:
            self._reading = True
            try:
                piece = next(pieces)
            except StopIteration:
                break
            except BaseException as error:
                self._fail_unless_guarded(error)
                raise
            finally:
                self._reading = False
            passed = self.saw(piece)
            if passed:
                yield passed
        rest = self._exhausted()
        if rest:
            yield rest

    async def follow_async(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass the pieces of a body on."""
        try:
            while True:
                self._reading = True
                try:
                    piece = await pieces.__anext__()
                except StopAsyncIteration:
                    break
                except BaseException as error:
                    self._fail_unless_guarded(error)
                    raise
                finally:
                    self._reading = False
                passed = self.saw(piece)
                if passed:
                    yield passed
            rest = self._exhausted()
            if rest:
                yield rest
        finally:
            await _close(pieces)

    def guard(self, events: Iterator[Any]) -> Iterator[Any]:
        """Pass the events on that an SDK makes of a body, and see what it raises in place of one."""
        self._guarded = True
        try:
            yield from events
        except GeneratorExit:
            raise
        except BaseException as error:
            self._fail(error)
            raise

    async def guard_async(self, events: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Pass the events on that an SDK makes of a body, and see what it raises in place of one."""
        self._guarded = True
        try:
            async for event in events:
                yield event
        except GeneratorExit:
            raise
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            await _close(events)

    def closed(self) -> None:
        """Take note that the connection was let go of: at the end of the body, or before."""
        if self._reading or self._call.ended:
            return  # the last piece is on its way
        try:
            error = sys.exc_info()[1]
            # An iterator that is collected closes the connection: perhaps in the middle of somebody's lock.
            later = isinstance(error, GeneratorExit)
            if self._has(self._form.last):
                self._end(later=later)
            elif error is not None and id(error) != self._handled and _is_own(error):
                self._call.failed(error, self._answer())
            else:
                self._call.abandon(self._answer(), later=later)
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a stream", problem)

    def __del__(self) -> None:
        """End the call of an answer that nobody closed."""
        with contextlib.suppress(Exception):  # at the end of the interpreter, nothing is left to say it with
            if self._call.ended:
                return
            if self._has(self._form.last):
                self._end(later=True)
            else:
                self._call.abandon(self._answer(), later=True)

    def _interrupt(self) -> None:
        self._call.abandon(self._answer())

    def _exhausted(self) -> bytes:
        try:
            self._end()
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a stream", error)
        return b"" if self._filter is None else self._filter.rest()

    def _fail_unless_guarded(self, error: BaseException) -> None:
        # The SDK may make an error of its own of one that came from the wire.
        if not self._guarded:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        try:
            if not self._call.ended:
                self._call.failed(error, self._answer())
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a stream", problem)

    def _end(self, *, later: bool = False) -> None:
        if not self._call.ended:
            end = self._call.judged if self._has(self._form.failed) else self._call.answered
            end(self._answer(), later=later)

    def _has(self, marks: tuple[bytes, ...]) -> bool:
        tail = b"".join(self._pieces if self._size <= _SEARCHED else self._pieces[-_LAST:])
        return any(mark in tail for mark in marks)

    def _answer(self) -> Deferred[Any]:
        pace, call = self._call.pace, self._call
        if pace is not None:
            call.attributes.update(pace.attributes(call.start_clock))
            events = self._events - b"".join(self._pieces[-len(_DONE) :]).count(_DONE)
            if events > 0:  # which one piece may hold several of
                call.attributes[names.AOT_STREAM_COUNT] = events
        return Deferred(_read, self._pieces, self._content_type, self._form, size=min(self._size, _MOST))


def _read(pieces: list[bytes], content_type: str, form: Format) -> Any:
    return answer_of(b"".join(pieces), content_type, form.assemble)


def _is_own(error: BaseException) -> bool:
    """Say whether an error is the stream's: of who reads it, or what stops the program; not of the loop around it."""
    if not isinstance(error, Exception):
        return not isinstance(error, GeneratorExit)
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if "streaming" in module and module.partition(".")[0] in _READERS:
            return True
        trace = trace.tb_next
    return False


async def _close(iterator: AsyncIterator[Any]) -> None:
    """Close an asynchronous generator that is not read to its end; its caller would have to wait for the collector."""
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()


class _Watched:
    """An answer of httpx with a body that is seen: stands beside its methods until it is closed.

    It and the answer know each other meanwhile. A weak reference would be gone when the collector has an iterator
    close the answer.
    """

    __slots__ = ("_body", "_decodes", "_kind", "_response")

    def __init__(self, response: Any, body: Body) -> None:
        self._response = response
        self._kind = type(response)
        self._body = body
        self._decodes = "content-encoding" in response.headers
        vars(response).update({name: getattr(self, name) for name in _METHODS})

    # Bytes are raw bytes decoded, and read through these too; what is compressed can only be seen after that.

    def iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]:
        pieces: Iterator[bytes] = self._kind.iter_raw(self._response, chunk_size)
        return pieces if self._decodes else self._body.follow(pieces)

    def aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = self._kind.aiter_raw(self._response, chunk_size)
        return pieces if self._decodes else self._body.follow_async(pieces)

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        self._decodes = True
        return self._body.follow(self._kind.iter_bytes(self._response, chunk_size))

    def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        self._decodes = True
        return self._body.follow_async(self._kind.aiter_bytes(self._response, chunk_size))

    def close(self) -> None:
        try:
            self._kind.close(self._response)
        finally:
            self._let_go()

    async def aclose(self) -> None:
        try:
            await self._kind.aclose(self._response)
        finally:
            self._let_go()

    @property
    def body(self) -> Body:
        """What sees the body."""
        return self._body

    def _let_go(self) -> None:
        for name in _METHODS:
            vars(self._response).pop(name, None)
        self._body.closed()


_METHODS: Final = ("iter_raw", "aiter_raw", "iter_bytes", "aiter_bytes", "close", "aclose")


def watch(response: Any, body: Body) -> None:
    """Have `body` see the body of an answer go by.

    Args:
        response: an answer of httpx whose body has not been read.
        body: sees it.
    """
    _Watched(response, body)


def body_of(response: Any) -> Body | None:
    """Return what sees the body of an answer, while it is not closed."""
    watched = getattr(vars(response).get("close"), "__self__", None)
    return watched.body if isinstance(watched, _Watched) else None
