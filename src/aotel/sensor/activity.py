"""Events as they are told to a pod: folded, without secrets, in requests that it can take."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from aotel.content import active
from aotel.envelopes import protocol
from aotel.envelopes.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aotel.content import Redactor
    from aotel.sensor.event import Event, Fields

    Key: TypeAlias = tuple[str, Fields, int, int, int]

REQUEST_EVENTS: Final = 512
REQUEST_BYTES: Final = protocol.MAX_LINE // 4
"""Of one request, roughly: a pod has others to serve besides."""

_LOOKED_AT: Final = 16_384  # characters of a text
_LONGEST: Final = 4096  # characters of a path or a host, told
_LONGEST_ARGUMENT: Final = 256
_LONGEST_COMMAND: Final = 2048
_CUT: Final = "…"

_encoder = msgspec.json.Encoder()


class Folded:
    """Events that differ in nothing but time.

    Args:
        time_ns: when the first of them was, nanoseconds since the epoch.
    """

    __slots__ = ("count", "is_counted", "time_ns")

    def __init__(self, time_ns: int, *, is_counted: bool) -> None:
        self.time_ns = time_ns
        self.is_counted = is_counted
        self.count = 0


def fold(event: Event, into: dict[Key, Folded]) -> None:
    """Add an event to its like, or to the others if it is the first of its kind."""
    # Of what isn't counted each is one of its own.
    own = 0 if event.is_counted else event.time_ns
    key = (event.action, event.fields, event.trace_id, event.span_id, own)
    folded = into.get(key)
    if folded is None:
        folded = into[key] = Folded(event.time_ns, is_counted=event.is_counted)
    folded.count += 1


def encode(key: Key, folded: Folded) -> bytes:
    """Return events of one kind as JSON, clean of secrets."""
    action, fields, trace_id, span_id, _ = key
    told: dict[str, Any] = {"action": action, "ts": timestamp(folded.time_ns), "pid": os.getpid()}
    if span_id:
        told["trace_id"] = f"tr_{trace_id:032x}"
        told["span_id"] = f"sp_{span_id:016x}"
    redactor = active().redactor
    for name, value in fields:
        if isinstance(value, str):
            told[name] = _cut(redactor.text(value[:_LOOKED_AT]), _LONGEST)
        elif isinstance(value, tuple):
            told[name] = _command(value, redactor)
        else:
            told[name] = value
    if folded.is_counted:
        told["count"] = folded.count
    return _encoder.encode(told)


def prepare() -> None:
    """Import now whatever will be needed.

    A fork in the middle of an import leaves the child with a module that never finishes; and what is imported later
    would be an event of its own.
    """
    fields: Fields = (("path", "/é password=x"), ("command", ("a", "--token", "b")))
    request([encode(("", fields, 1, 1, 0), Folded(time.time_ns(), is_counted=True))])


def request(events: Sequence[bytes]) -> bytes:
    """Return a request with these events, line end included."""
    return protocol.encode(protocol.Activity([msgspec.Raw(event) for event in events]))


def _command(parts: Sequence[str], redactor: Redactor) -> list[str]:
    """Return a command line without its secrets, also where an option's name says that the next argument is one."""
    told: list[str] = []
    size = 0
    secret_next = False
    for part in parts:
        if size > _LONGEST_COMMAND:
            told.append(_CUT)
            break
        is_option = part.startswith("-")
        clean = redactor.marker.seal(part) if secret_next and not is_option else redactor.text(part)
        secret_next = is_option and "=" not in part and redactor.is_secret_name(part.lstrip("-"))
        told.append(_cut(clean, _LONGEST_ARGUMENT))
        size += len(told[-1])
    return told


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + _CUT
