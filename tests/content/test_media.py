"""Binary content: bytes, data URIs and base64 media."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content import Redactor
from aotel.content.media import base64_digest, digest, encoded, media_of, mime_type_of, scrub_media

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
FILES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(600),
    "image/gif": b"GIF89a" + bytes(600),
    "image/webp": b"RIFF\x00\x00\x00\x00WEBP" + bytes(600),
    "image/tiff": b"II*\x00" + bytes(600),
    "audio/wav": b"RIFF\x00\x00\x00\x00WAVE" + bytes(600),
    "audio/mpeg": b"ID3\x04" + bytes(600),
    "audio/ogg": b"OggS" + bytes(600),
    "audio/flac": b"fLaC" + bytes(600),
    "video/mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(600),
    "image/heic": b"\x00\x00\x00\x18ftypheic" + bytes(600),
    "video/webm": b"\x1aE\xdf\xa3" + bytes(600),
    "application/pdf": b"%PDF-1.7" + bytes(600),
    "application/zip": b"PK\x03\x04" + bytes(600),
    "application/gzip": b"\x1f\x8b\x08" + bytes(600),
}


@pytest.mark.parametrize("mime_type", FILES)
def test_the_type_of_known_files_is_told_by_their_first_bytes(mime_type: str) -> None:
    assert mime_type_of(FILES[mime_type]) == mime_type


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (b"", "text/plain"),
        (b"plain text\n\twith tabs", "text/plain"),
        ("größe ☃ 😀".encode() * 100, "text/plain"),
        (b"x" + "☃".encode() * 400, "text/plain"),
        (b"xx" + "☃".encode() * 400, "text/plain"),
        (b"\x00\x01", "application/octet-stream"),
        (b"caf\xe9 and more text than that", "application/octet-stream"),
        (b"RIFF", "application/octet-stream"),
    ],
)
def test_text_is_told_from_other_bytes(data: bytes, mime_type: str) -> None:
    assert mime_type_of(data) == mime_type


def test_bytes_become_type_size_and_hash() -> None:
    expected = {"mime_type": "image/png", "bytes": len(PNG), "sha256": hashlib.sha256(PNG).hexdigest()}
    assert digest(PNG) == expected
    assert digest(bytearray(PNG)) == expected
    assert digest(memoryview(PNG)) == expected


def test_very_many_bytes_are_not_hashed() -> None:
    assert digest(bytes(17 * 1024 * 1024)) == {"mime_type": "application/octet-stream", "bytes": 17 * 1024 * 1024}


@pytest.mark.parametrize("mime_type", FILES)
def test_base64_of_known_files_is_told_from_text(mime_type: str) -> None:
    data = FILES[mime_type]
    text = base64.b64encode(data).decode()
    expected = {"mime_type": mime_type, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert media_of(text) == expected
    assert media_of(text.rstrip("=")) == expected
    assert media_of(f"data:{mime_type};base64,{text}") == expected
    assert media_of(f"data:{mime_type};name=x.y;base64,{text}") == expected


@pytest.mark.parametrize(
    "text",
    [
        "data: nothing",
        "data:text/plain,hello",
        "data:image/png;base64,no base64!",
        "iVBORw0KGgo is how it begins",
        "AAAA" * 100,
        "/9j/ " * 100,
        "//some comment",
        "",
        "x" * 1000,
    ],
)
def test_other_texts_are_no_media(text: str) -> None:
    assert media_of(text) is None


def test_broken_base64_is_no_media() -> None:
    assert base64_digest("A") is None
    assert base64_digest("ünïcode") is None


def test_a_very_long_base64_text_is_measured_and_not_decoded() -> None:
    text = "iVBORw0KGgo" + "A" * (25 * 1024 * 1024)
    assert media_of(text) == {"mime_type": "image/png", "bytes": len(text) // 4 * 3}


def test_media_within_a_text_become_a_note() -> None:
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    note = f"<image/png, {len(PNG)} bytes, sha256:{hashlib.sha256(PNG).hexdigest()}>"
    assert scrub_media(f"![a picture]({uri}) after") == f"![a picture]({note}) after"
    assert Redactor().text(f"![a picture]({uri}) after") == f"![a picture]({note}) after"
    assert scrub_media(f'{{"data": "{uri[22:]}"}}') == f'{{"data": "{note}"}}'


def test_raw_bytes_are_written_as_base64_up_to_a_limit() -> None:
    assert base64.b64decode(str(encoded(PNG, 10_000)["base64"])) == PNG
    written = encoded(PNG, 100)
    assert len(str(written["base64"])) <= 100
    assert PNG.startswith(base64.b64decode(str(written["base64"])))
    assert written["sha256"] == hashlib.sha256(PNG).hexdigest()


@given(st.binary())
def test_any_bytes_have_a_type(data: bytes) -> None:
    assert "/" in mime_type_of(data)


@given(st.text() | st.binary().map(lambda data: "iVBORw0KGgo" + base64.b64encode(data).decode()))
def test_any_text_is_media_or_not(text: str) -> None:
    media_of(text)
    media_of(f"data:;base64,{text}")
    scrub_media(text)
