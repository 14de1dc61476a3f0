"""`stream`: something that arrives piece by piece, with what its pace was."""

from __future__ import annotations

import threading
from collections import deque
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, TypeVar, overload

from aotel.calls.call import Call, CallSite
from aotel.calls.pace import Pace
from aotel.calls.port import PORT
from aotel.content import to_json
from aotel.semconv import attributes as names
from aotel.tracing.arguments import check_name, check_operation
from aotel.tracing.block import Block

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

    from opentelemetry.util.types import AttributeValue

    from aotel.content import Tree
    from aotel.semconv.operations import Op

T = TypeVar("T")

_KEPT = 32
"""How many events at each end of a stream become span events."""


class stream(Block):  # noqa: N801 - used as a statement: `with stream("tokens") as tokens:`
    """Something that arrives piece by piece, as `with stream("tokens") as tokens:` or `async with`.

    Args:
        name: the span's name.
        op: what kind of operation it is.
        envelopes: whether every event also becomes a `coat.emit` envelope.
        attributes: further facts, as with `step`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `name` is empty.
    """

    def __init__(
        self, name: str, op: Op | str | None = "stream", *, envelopes: bool = False, **attributes: object
    ) -> None:
        if name is None:
            msg = "name is a string, got None"
            raise TypeError(msg)
        super().__init__(CallSite(check_operation(op), check_name(name) or "stream", keywords_as_attributes=True))
        self._attributes: dict[str, Any] = attributes
        self._envelopes = envelopes
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._pace = Pace()
        self._first: list[tuple[str, int, Tree]] = []
        self._latest: deque[tuple[str, int, Tree]] = deque(maxlen=_KEPT)

    def _open(self) -> Call:
        self._begin()
        return Call(self._site, (), self._attributes)

    def event(self, name: str, data: object = None) -> None:
        """Note one arrival; order is kept. Outside the block, nothing happens.

        Args:
            name: what arrived, the span event's name.
            data: the piece, written as the capture mode says; strings and bytes count towards the size.

        Raises:
            TypeError: `name` is not a string.
        """
        if not isinstance(name, str):
            msg = f"name is a string, got {type(name).__name__}: {name!r:.80}"
            raise TypeError(msg)
        call = self._call
        if call is None:
            return
        try:
            content = call.capture.value(data) if data is not None and call.capture.writes else None
            with self._lock:
                self._pace.add(perf_counter_ns(), _size(data))
                kept = self._first if len(self._first) < _KEPT else self._latest
                kept.append((name, time_ns(), content))
                if self._envelopes and PORT.emit is not None and call.span.is_recording():
                    PORT.emit(call.span, name, content, call.capture)
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("stream.event", error)

    @overload
    def wrap(self, iterable: Iterable[T]) -> Iterator[T]: ...
    @overload
    def wrap(self, iterable: AsyncIterable[T]) -> AsyncIterator[T]: ...
    def wrap(self, iterable: Any) -> Any:
        """Pass an iterable or async iterable through, noting each item as an event called "item"."""
        return self._follow_async(iterable) if hasattr(type(iterable), "__aiter__") else self._follow(iterable)

    def _follow(self, iterable: Iterable[T]) -> Iterator[T]:
        for item in iterable:
            self.event("item", item)
            yield item

    async def _follow_async(self, iterable: AsyncIterable[T]) -> AsyncIterator[T]:
        async for item in iterable:
            self.event("item", item)
            yield item

    def _close(self, call: Call) -> None:
        try:
            call.attributes = self._pace.attributes(call.start_clock)
            for name, timestamp, content in (*self._first, *self._latest):
                attributes: dict[str, AttributeValue] = {names.AOT_CAPTURE_CONTENT: call.capture.mode.value}
                if content is not None:
                    attributes[names.AOT_DATA] = to_json(content)
                call.span.add_event(name, attributes, timestamp)
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a stream", error)


def _size(data: object) -> int:
    if type(data) is str:
        return len(data) if data.isascii() else len(data.encode("utf-8", "surrogatepass"))
    return len(data) if type(data) in {bytes, bytearray} else 0  # type: ignore[arg-type]
