"""The bodies of streamed answers: server-sent events, and the binary event stream of Amazon Bedrock."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from aotel.content.trees import valid_unicode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AMAZON: Final = "application/vnd.amazon.eventstream"
_PRELUDE: Final = 12  # bytes: total length, headers' length, checksum
_CHECKSUM: Final = 4  # bytes
_DATA: Final = b"data:"
_OPENING: Final = (b"{", b" ", b"\n")


def answer_of(body: bytes, content_type: str, assemble: Any) -> Any:
    """Return what a body says: a JSON document as it is, the events of a stream put together.

    Args:
        body: all of it, or what came.
        content_type: as the server says.
        assemble: makes an answer of events.
    """
    if _AMAZON in content_type:
        return assemble(_amazon_events(body))
    found = decoded(body)
    if found is None and (b"data:" in body):
        return assemble(server_sent_events(body))
    return found


def decoded(body: bytes) -> Any:
    """Return what a JSON document says; None if it is none."""
    from msgspec import MsgspecError
    from msgspec.json import decode

    try:
        return decode(body)
    except (MsgspecError, ValueError, RecursionError):
        return _decoded_like_python(body) if body[:1] in _OPENING else None


def _decoded_like_python(body: bytes) -> Any:
    """Return what SDKs read, which take what Python writes: `NaN`, and halves of surrogate pairs."""
    try:
        return valid_unicode(json.loads(body))
    except (ValueError, RecursionError):
        return None


def server_sent_events(body: bytes) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that server-sent events carry (WHATWG HTML, 9.2)."""
    for block in _blocks(body.splitlines()):
        event = decoded(b"\n".join(block))
        if type(event) is dict:
            yield event


def _blocks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    data: list[bytes] = []
    for line in lines:
        if line.startswith(_DATA):
            data.append(line[len(_DATA) :].lstrip(b" "))
        elif not line and data:
            yield data
            data = []
    if data:
        yield data


def _amazon_events(body: bytes) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in the frames of Amazon's event stream; what is broken ends it."""
    while len(body) >= _PRELUDE:
        length = int.from_bytes(body[:4], "big")
        headers = int.from_bytes(body[4:8], "big")
        if length > len(body) or length < _PRELUDE + headers + _CHECKSUM:
            return
        frame = decoded(body[_PRELUDE + headers : length - _CHECKSUM])
        body = body[length:]
        inner = frame.get("bytes") if type(frame) is dict else None
        try:
            event = decoded(b64decode(inner)) if type(inner) is str else frame
        except ValueError:
            continue
        if type(event) is dict:
            yield event
