"""The chunk that counts tokens is taken out of a stream, in whatever pieces that arrives; nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.instrumentation.wire.usage_chunk import UsageChunkFilter

USAGE = {"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
CHUNKS: list[dict[str, Any]] = [
    {"choices": [{"index": 0, "delta": {"content": "Hello"}}]},
    {"choices": [{"index": 0, "delta": {"content": '"choices": [], "usage": {}'}}], "usage": None},
    {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
    {"choices": [], "usage": None},
    {"choices": [{"index": 0, "delta": {}}], "usage": {"prompt_tokens": 3}},
    {"error": {"message": 'said "choices": [] and {"usage": {}}'}},
]
BODIES = st.lists(st.sampled_from([*CHUNKS, USAGE, USAGE, ": comment", "event: x", "\n"]), max_size=8)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def body_of(chunks: list[Any], end: str = "\n") -> bytes:
    """Return chunks as the body of an answer."""
    said = [f"{chunk}{end}" if isinstance(chunk, str) else f"data: {json.dumps(chunk)}{end}{end}" for chunk in chunks]
    return "".join([*said, f"data: [DONE]{end}{end}"]).encode()


def filtered(pieces: list[bytes]) -> bytes:
    """Return what passes."""
    kept = UsageChunkFilter()
    return b"".join([*map(kept.passed, pieces), kept.rest()])


def cut(body: bytes, at: list[int]) -> list[bytes]:
    """Return a body in pieces."""
    ends = sorted({min(each, len(body)) for each in at} | {len(body)})
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(BODIES, LINE_ENDS, st.lists(st.integers(0, 800), max_size=30))
def test_pieces_make_no_difference(chunks: list[Any], end: str, at: list[int]) -> None:
    body = body_of(chunks, end)
    assert filtered(cut(body, at)) == filtered([body])


@given(st.lists(st.sampled_from([b"\n", b"\r", b"data: x", b'data: {"choices": [], "usage": {}}'])), st.data())
def test_pieces_of_odd_lines_make_no_difference(parts: list[bytes], data: st.DataObject) -> None:
    body = b"".join(parts)
    at = data.draw(st.lists(st.integers(0, len(body)), max_size=10))
    assert filtered(cut(body, at)) == filtered([body])
    assert filtered([bytes([each]) for each in body]) == filtered([body])


@given(st.binary(), st.lists(st.integers(0, 100), max_size=10))
def test_what_is_no_stream_passes_as_it_is(body: bytes, at: list[int]) -> None:
    assert filtered(cut(body, at)) == body


@given(st.lists(st.sampled_from(CHUNKS), max_size=6), st.integers(0, 6), LINE_ENDS)
def test_only_the_usage_chunk_goes_and_what_others_say_of_none(chunks: list[Any], at: int, end: str) -> None:
    with_usage = [*chunks[:at], USAGE, *chunks[at:]]
    unasked = [{name: value for name, value in chunk.items() if (name, value) != ("usage", None)} for chunk in chunks]
    assert filtered([body_of(with_usage, end)]) == body_of(unasked, end)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_event_passes_as_soon_as_it_is_complete(end: str) -> None:
    kept = UsageChunkFilter()
    event = f"data: {json.dumps(CHUNKS[0])}{end}{end}".encode()
    assert kept.passed(event[:10]) == b""
    assert kept.passed(event[10:]) == event


def test_what_never_ends_is_not_held_back_for_ever() -> None:
    kept = UsageChunkFilter()
    pieces = [kept.passed(b"x" * 65_536) for _ in range(64)]
    assert len(b"".join(pieces)) > 2 * 2**20


def test_a_usage_chunk_that_never_ended_passes() -> None:
    # Nobody knows whether it was one: the program sees what it would have seen.
    body = f"data: {json.dumps(USAGE)}".encode()
    assert filtered([body]) == body
