"""Binary content: what stands for bytes, data URIs and base64 media, which say nothing to a reader of a trace."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aotel.content.modes import Tree

SHORTEST_BASE64: Final = 128
"""Characters: shorter strings are not taken for media, whatever they start with."""

_LARGEST_HASHED: Final = 16 * 1024 * 1024  # bytes; hashing more would hold up the caller
_LOOK: Final = 512  # bytes that tell text from binary
_LONGEST_CHARACTER: Final = 4  # bytes of UTF-8
_CONTROLS: Final = frozenset(map(chr, range(32))) - {"\t", "\n", "\r", "\f"}

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_RIFF: Final = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_ISO_MEDIA: Final = {b"heic": "image/heic", b"avif": "image/avif", b"M4A ": "audio/mp4", b"qt  ": "video/quicktime"}

# How the signatures above begin in base64.
_BASE64_STARTS: Final = (
    "iVBORw0KGgo",
    "/9j/",
    "R0lGOD",
    "SUkqA",
    "TU0AK",
    "JVBERi",
    "SUQz",
    "//s",
    "//M",
    "T2dnUw",
    "ZkxhQw",
    "GkXfo",
    "UEsDB",
    "H4sI",
    "UklGR",
)
_ISO_IN_BASE64: Final = re.compile(r"AAAA[A-Za-z0-9+/]{2}Z0eXB")
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"
_DATA_URI: Final = re.compile(r"data:([\w.+/-]{0,64})(?:;[\w.=+-]{1,64}){0,4};base64,")
_EMBEDDED: Final = re.compile(
    r"data:([\w.+/-]{0,64})(?:;[\w.=+-]{1,64}){0,4};base64,([A-Za-z0-9+/]{64,}={0,2})"
    rf"|(?<![A-Za-z0-9+/])(?=AAAA|{'|'.join(map(re.escape, _BASE64_STARTS))})([A-Za-z0-9+/]{{512,}}={{0,2}})"
)


def mime_type_of(data: bytes) -> str:
    """Return the media type that the first bytes of something tell.

    Args:
        data: at least the first few hundred bytes.

    Returns:
        A media type; `text/plain` or `application/octet-stream` where no signature is known.
    """
    for signature, mime_type in _SIGNATURES:
        if data.startswith(signature):
            return mime_type
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], "application/octet-stream")
    if data[4:8] == b"ftyp":
        return _ISO_MEDIA.get(data[8:12], "video/mp4")
    return "text/plain" if _is_text(data[:_LOOK]) else "application/octet-stream"


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if error.start < len(data) - _LONGEST_CHARACTER:
            return False
        text = data[: error.start].decode()  # the end of the look fell within a character
    return _CONTROLS.isdisjoint(text)


def digest(data: bytes | bytearray | memoryview, mime_type: str = "") -> dict[str, Tree]:
    """Return what stands for binary data: media type, size in bytes, and SHA-256 in hexadecimal up to 16 MiB.

    Args:
        data: the bytes; a memory view must be contiguous.
        mime_type: what they are said to be; told by their signature if empty.
    """
    size = data.nbytes if isinstance(data, memoryview) else len(data)
    found: dict[str, Tree] = {"mime_type": mime_type or mime_type_of(bytes(data[:_LOOK])), "bytes": size}
    if size <= _LARGEST_HASHED:
        found["sha256"] = sha256(data).hexdigest()
    return found


def encoded(data: bytes | bytearray | memoryview, limit: int) -> dict[str, Tree]:
    """Return what is written of binary data where content is written as it is.

    Args:
        data: the bytes; a memory view must be contiguous.
        limit: the most characters of base64; what is longer is cut at a whole group of four.
    """
    head = bytes(data[: limit // 4 * 3])
    found = digest(data)
    found["base64"] = b2a_base64(head, newline=False).decode()
    return found


def media_of(text: str) -> dict[str, Tree] | None:
    """Return what stands for a text that is, as a whole, a data URI or base64 of known media; None if it is neither."""
    if text.startswith("data:"):
        uri = _DATA_URI.match(text)
        return None if uri is None else base64_digest(text[uri.end() :], uri[1])
    if text.startswith(_BASE64_STARTS) or (text.startswith("AAAA") and _ISO_IN_BASE64.match(text)):
        return base64_digest(text)
    return None


def base64_digest(text: str, mime_type: str = "") -> dict[str, Tree] | None:
    """Return what stands for base64 text, or None if it is none.

    Args:
        text: base64 without a header.
        mime_type: what it is said to hold; told by its signature if empty.
    """
    is_large = len(text) > _LARGEST_HASHED // 3 * 4
    try:
        data = (text[:_LOOK] if is_large else text).encode("ascii")
        if data.translate(None, _BASE64):
            return None
        decoded = a2b_base64(data + b"=" * (-len(data) % 4))
    except (UnicodeEncodeError, Base64Error):
        return None
    if is_large:
        return {"mime_type": mime_type or mime_type_of(decoded), "bytes": len(text) // 4 * 3}
    return digest(decoded, mime_type)


def scrub_media(text: str) -> str:
    """Return a text with a short note for each data URI or long base64 of known media within it."""
    return _EMBEDDED.sub(_note, text)


def _note(found: re.Match[str]) -> str:
    media = base64_digest(found[2] or found[3], found[1] or "")
    if media is None:
        return found[0]
    return f"<{media['mime_type']}, {media['bytes']} bytes, sha256:{media.get('sha256', 'not computed')}>"
