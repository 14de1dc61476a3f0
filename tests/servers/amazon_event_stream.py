"""Amazon's binary event stream (application/vnd.amazon.eventstream), in which Bedrock streams answers."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

from tests.servers.http import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRING = 7  # the type of a header's value


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return a message: prelude, its checksum, headers, payload, checksum of all of it."""
    encoded = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(encoded) + len(payload), len(encoded))
    message = prelude + _checksum(prelude) + encoded + payload
    return message + _checksum(message)


def chunk(event: Mapping[str, object]) -> bytes:
    """Return the message that carries an event of a model, padded as Bedrock pads it."""
    payload = {"bytes": base64.b64encode(dumps(event)).decode(), "p": "abcdefghijkl"}
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, dumps(payload))


def exception(kind: str, message: str) -> bytes:
    """Return the message that ends a stream with a failure.

    Args:
        kind: "throttlingException", "modelStreamErrorException", "internalServerException", …
        message: for people.
    """
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, dumps({"message": message}))


def _header(name: str, value: str) -> bytes:
    said = value.encode()
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(said)) + said


def _checksum(data: bytes) -> bytes:
    return struct.pack("!I", zlib.crc32(data))
