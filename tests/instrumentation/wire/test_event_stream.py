"""Bodies of streamed answers: what events carry, whatever their line ends, and what of a broken body can be read."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.instrumentation.wire.event_stream import answer_of, decoded, server_sent_events

EVENTS = st.lists(st.dictionaries(st.text(max_size=5), st.text() | st.integers(), max_size=3), max_size=6)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
SSE = "text/event-stream; charset=utf-8"
AMAZON = "application/vnd.amazon.eventstream"


def written(events: list[dict[str, Any]], end: bytes, *, ascii_only: bool = True, space: bytes = b" ") -> bytes:
    """Return events as a server writes them, with all that may stand between them."""
    body = b": a comment" + end + end
    for number, event in enumerate(events):
        said = json.dumps(event, ensure_ascii=ascii_only).encode("utf-8", "replace")
        body += b"event: some.type" + end + b"id: %d" % number + end + b"data:" + space + said + end + end
    return body


@given(EVENTS, ENDS, st.booleans())
def test_events_are_read_as_they_were_written(events: list[dict[str, Any]], end: bytes, space: bool) -> None:
    body = written(events, end, space=b" " if space else b"")
    assert list(server_sent_events(body)) == events
    assert list(server_sent_events(body + b"data: [DONE]" + end + end)) == events


@given(EVENTS)
def test_one_event_may_have_several_lines(events: list[dict[str, Any]]) -> None:
    lines = [json.dumps(event, indent=1).splitlines() for event in events]
    body = b"".join([b"".join([b"data: " + line.encode() + b"\n" for line in event]) + b"\n" for event in lines])
    assert list(server_sent_events(body)) == events


@given(EVENTS, ENDS, st.integers(0, 400))
def test_a_body_that_breaks_off_has_the_events_before(events: list[dict[str, Any]], end: bytes, size: int) -> None:
    found = list(server_sent_events(written(events, end)[:size]))
    assert found == events[: len(found)]


@given(st.binary(), st.sampled_from(["application/json", SSE, AMAZON, ""]))
def test_no_body_makes_it_fail(body: bytes, content_type: str) -> None:
    answer_of(body, content_type, list)
    answer_of(b"data:" + body, content_type, list)


@given(EVENTS.filter(bool))
def test_a_document_is_read_as_it_is(events: list[dict[str, Any]]) -> None:
    assert answer_of(json.dumps(events[0]).encode(), "application/json", list) == events[0]
    # Some servers stream without saying so, and some say so and don't.
    assert answer_of(written(events, b"\n"), "application/json", list) == events
    assert answer_of(json.dumps(events[0]).encode(), SSE, list) == events[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"logprob": -Infinity, "n": 1}', {"logprob": float("-inf"), "n": 1}),
        (rb'{"half": "\ud83d"}', {"half": "?"}),
        (b"<html>", None),
        (b"", None),
        (b'{"cut": "of', None),
        (b"\xff\xfe", None),
        (b"{" * 100_000, None),
        (b"[" * 100_000, None),
    ],
    ids=["infinity", "half of a pair", "html", "empty", "cut off", "no text", "deep objects", "deep lists"],
)
def test_what_python_writes_is_read_and_what_nobody_reads_is_nothing(body: bytes, expected: Any) -> None:
    assert decoded(body) == expected


def frame(payload: bytes, headers: bytes = b"\x07headers") -> bytes:
    """Return a frame of Amazon's event stream; nobody checks its sums."""
    length = 12 + len(headers) + len(payload) + 4
    return length.to_bytes(4, "big") + len(headers).to_bytes(4, "big") + b"sum1" + headers + payload + b"sum2"


@given(EVENTS, st.integers(0, 400))
def test_frames_of_amazon_are_read_as_far_as_they_came(events: list[dict[str, Any]], size: int) -> None:
    frames = [frame(json.dumps({"bytes": b64encode(json.dumps(each).encode()).decode()}).encode()) for each in events]
    body = b"".join(frames)
    assert answer_of(body, AMAZON, list) == events
    found = answer_of(body[:size], AMAZON, list)
    assert found == events[: len(found)]


def test_frames_that_hold_no_base64_are_passed_over() -> None:
    body = frame(b'{"bytes": "?"}') + frame(b'{"plain": 1}') + frame(b"no json")
    assert {"plain": 1} in answer_of(body, AMAZON, list)
