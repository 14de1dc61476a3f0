from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.dialects.media import from_url, to_url
from aotel.operation import MediaPart


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("https://x/a.png", MediaPart("image", uri="https://x/a.png")),
        ("gs://bucket/a,b.png", MediaPart("image", uri="gs://bucket/a,b.png")),
        ("data:image/png;base64,AAAA", MediaPart("image", "image/png", content="AAAA")),
        ("data:;base64,AAAA", MediaPart("image", content="AAAA")),
        ("data:image/png;charset=x;base64,AAAA", MediaPart("image", "image/png", content="AAAA")),
        ("data:image/png;bytes=3;sha256=ab,", MediaPart("image", "image/png", size=3, sha256="ab")),
        ("data:image/png;bytes=many;sha256=ab,", MediaPart("image", "image/png", sha256="ab")),
        ("data:text/plain,hello", MediaPart("image", "text/plain", uri="data:text/plain,hello")),
        ("data:", MediaPart("image", uri="data:")),
        ("", MediaPart("image", uri="")),
    ],
)
def test_a_url_says_where_or_what_the_media_is(url: str, part: MediaPart) -> None:
    assert from_url("image", url) == part


def test_a_media_type_known_from_elsewhere_fills_in() -> None:
    assert from_url("audio", "https://x/a", "audio/mpeg", "hi") == MediaPart(
        "audio",
        "audio/mpeg",
        uri="https://x/a",
        transcript="hi",
    )


def test_a_file_id_is_no_url() -> None:
    assert to_url(MediaPart("image", file_id="f-1")) is None
    assert to_url(MediaPart("image")) is None


@given(url=st.text())
def test_no_url_raises(url: str) -> None:
    from_url("image", f"data:{url}")
    part = from_url("image", url)
    assert to_url(part) is not None
