"""The bodies of streamed answers: server-sent events, and the binary event stream of Amazon Bedrock."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

import msgspec

from aotel.content.trees import valid_unicode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AMAZON: Final = "application/vnd.amazon.eventstream"
_PRELUDE: Final = 12  # bytes: total length, headers' length, checksum
_CHECKSUM: Final = 4  # bytes
_DATA: Final = b"data:"
_DECODER: Final = msgspec.json.Decoder()
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
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _decoded_like_python(body) if body[:1] in _OPENING else None


def _decoded_like_python(body: bytes) -> Any:
    """Return what SDKs read, which take what Python writes: `NaN`, and halves of surrogate pairs."""
    try:
        return valid_unicode(json.loads(body))
    except (ValueError, RecursionError):
        return None


def server_sent_events(body: bytes) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that server-sent events carry (WHATWG HTML, 9.2)."""
    for data in _data_of_blocks(body) if b"\r" in body else _data_of_simple_blocks(body):
        event = decoded(data)
        if type(event) is dict:
            yield event


def _data_of_simple_blocks(body: bytes) -> Iterator[bytes]:
    """Yield the data of each event where lines end as most servers end them.

    Justified by the row "chunk" of the benchmarks: most events are one line.
    """
    for block in body.split(b"\n\n"):
        if block.startswith(_DATA) and b"\n" not in block:
            yield block[len(_DATA) :]
        elif block:
            yield from _data_of_blocks(block)


def _data_of_blocks(body: bytes) -> Iterator[bytes]:
    for lines in _blocks(body.splitlines()):
        yield b"\n".join(lines)


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
    start = 0
    while len(body) >= start + _PRELUDE:
        length = int.from_bytes(body[start : start + 4], "big")
        headers = int.from_bytes(body[start + 4 : start + 8], "big")
        end = start + length
        if end > len(body) or length < _PRELUDE + headers + _CHECKSUM:
            return
        frame = decoded(body[start + _PRELUDE + headers : end - _CHECKSUM])
        start = end
        inner = frame.get("bytes") if type(frame) is dict else None
        try:
            event = decoded(b64decode(inner)) if type(inner) is str else frame
        except ValueError:
            continue
        if type(event) is dict:
            yield event
