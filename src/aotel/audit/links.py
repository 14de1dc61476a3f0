"""What chains a line to the one before it: what is hashed, how, and how the end of a line says so."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST: Final = "0" * 64
"""What stands in `prev` of the first line."""

HASH_LENGTH: Final = len(',"hash":""}\n') + 64
"""Bytes at the end of a line that are not hashed."""

_HASH: Final = re.compile(rb',"hash":"([0-9a-f]{64})"}\n?')
_PLACE: Final = re.compile(rb',"seq":([0-9]{1,18}),"prev":"([0-9a-f]{64})"\Z')
# Both stand at the very end of a line, where these many bytes hold them: the rest need not be searched.
_PLACE_LENGTH: Final = 110


class Link(NamedTuple):
    """The end of a line.

    Args:
        content: what is hashed after `prev`: the line up to `,"hash"`.
        seq: its number; None where it has no place in a chain.
        prev: the hash of the line before it, as it says.
        hash: its own, as it says.
    """

    content: bytes
    seq: int | None
    prev: str
    hash: str


def place(seq: int, prev: str) -> bytes:
    """Return what the content of a line ends with."""
    return b',"seq":%d,"prev":"%b"' % (seq, prev.encode())


def ending(digest: str) -> bytes:
    """Return what a line ends with."""
    return b',"hash":"%b"}\n' % digest.encode()


def link_of(line: bytes) -> Link | None:
    """Return the link of a line, with or without its line end; None if it has no hash at its end."""
    start = len(line) - HASH_LENGTH + (not line.endswith(b"\n"))
    found = _HASH.fullmatch(line, max(start, 0))
    if found is None:
        return None
    content, digest = line[:start], found[1].decode()
    put = _PLACE.search(content, max(len(content) - _PLACE_LENGTH, 0))
    return Link(content, None, "", digest) if put is None else Link(content, int(put[1]), put[2].decode(), digest)


def hasher(key: bytes | None) -> Callable[[bytes], str]:
    """Return what hashes `prev` and the content of a line, in hexadecimal: SHA-256, with a key HMAC."""
    if key is None:
        return _sha256
    begun = hmac.new(key, digestmod="sha256")

    def keyed(data: bytes) -> str:
        copy = begun.copy()
        copy.update(data)
        return copy.hexdigest()

    return keyed


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
