"""The JSON Schema of envelopes: what the contract shows is valid, what it forbids is not."""

from __future__ import annotations

import copy
import json
import string
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.semconv.kinds import KINDS
from aotel.semconv.operations import TAXONOMY

Envelope = dict[str, Any]

PATH = Path(__file__).parents[2] / "semconv" / "aotp-0.1.schema.json"
SCHEMA: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

SPAN = "00f067aa0ba902b7"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MODES = ["none", "redacted", "hash", "summary", "raw"]
STARTS = sorted({row.start_kind for row in TAXONOMY.values()})
ENDS = sorted({row.end_kind for row in TAXONOMY.values()})
SHARED = sorted(set(STARTS) & set(ENDS))
ONLY_STARTS = sorted(set(STARTS) - set(ENDS))
ONLY_ENDS = sorted(set(ENDS) - set(STARTS))

JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)

START: Envelope = {"fn": "write_file", "preview": {"args": ["'notes.md'"], "kwargs": {"text": "'hello'"}}}
END: Envelope = {"fn": "write_file", "result_preview": "5", "captured": {}, "duration_ms": 1.234, "ok": True}
ERROR: Envelope = {"fn": "write_file", "error_type": "OSError", "message": "no", "duration_ms": 1.2, "ok": False}
EMIT: Envelope = {"tag": "note", "data": {"row": 3, "parts": [1, None, "x"]}}


def envelope(
    kind: str, payload: Envelope, *, seq: int = 1, mode: str = "redacted", content: str = "redacted"
) -> Envelope:
    return {
        "spec": "aotp/0.1",
        "kind": kind,
        "ts": "2026-04-14T01:30:00.123Z",
        "producer": "p_5f0e6c1b2a3d4e5f",
        "seq": seq,
        "ids": {
            "session_id": "sess_4f1c0a9b2d3e4f50",
            "run_id": "run_a3ce929d0e0e4736",
            "step_id": f"step_{SPAN}",
            "trace_id": f"tr_{TRACE}",
            "span_id": f"sp_{SPAN}",
            "parent_span_id": "",
        },
        "subject": {"agent_id": "", "agent_role": "", "framework": "aotel", "framework_version": "0.1.0"},
        "capture": {"mode": mode, "content": content},
        "payload": copy.deepcopy(payload),
        "envpod": {"pod_id": "", "pid": 4242},
    }


def start(kind: str = "agent.tool.call", payload: Envelope = START) -> Envelope:
    return envelope(kind, payload, seq=0)


def end(kind: str = "agent.tool.result", payload: Envelope = END) -> Envelope:
    return envelope(kind, payload, mode="none")


def error(payload: Envelope = ERROR) -> Envelope:
    return envelope("coat.error", payload)


def emit(payload: Envelope = EMIT) -> Envelope:
    return envelope("coat.emit", payload)


def is_valid(candidate: Envelope) -> bool:
    return bool(VALIDATOR.is_valid(candidate))


def put(candidate: Envelope, path: str, value: object) -> Envelope:
    """Return a copy with the value at a dotted path replaced."""
    candidate = copy.deepcopy(candidate)
    *parents, last = path.split(".")
    inner = candidate
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    return candidate


def leaves(value: object, path: str = "") -> list[str]:
    if not isinstance(value, dict) or not value:
        return [path]
    return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}" if path else key)]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_envelope_of_the_contract_is_valid() -> None:
    VALIDATOR.validate(end())


@pytest.mark.parametrize("kind", STARTS)
def test_every_start_is_valid(kind: str) -> None:
    VALIDATOR.validate(start(kind))


@pytest.mark.parametrize("kind", ENDS)
def test_every_end_is_valid(kind: str) -> None:
    VALIDATOR.validate(end(kind))


def test_an_error_and_something_emitted_are_valid() -> None:
    VALIDATOR.validate(error())
    VALIDATOR.validate(emit())


@pytest.mark.parametrize("outcome", ["cancelled", "interrupted", "abandoned", "paused"])
def test_an_outcome_belongs_to_an_error(outcome: str) -> None:
    VALIDATOR.validate(error({**ERROR, "outcome": outcome}))
    assert not is_valid(end(payload={**END, "outcome": outcome}))


def test_no_other_outcome_and_no_other_kind() -> None:
    assert not is_valid(error({**ERROR, "outcome": "bored"}))
    assert not is_valid(start("agent.nap"))
    assert set(SCHEMA["properties"]["kind"]["enum"]) == KINDS


@pytest.mark.parametrize("kind", [*ONLY_STARTS, "coat.error", "coat.emit"])
def test_an_end_has_the_kind_of_an_end(kind: str) -> None:
    assert not is_valid(end(kind))


@pytest.mark.parametrize("kind", [*ONLY_ENDS, "coat.error", "coat.emit"])
def test_a_start_has_the_kind_of_a_start(kind: str) -> None:
    assert not is_valid(start(kind))


@pytest.mark.parametrize("kind", SHARED)
def test_ok_marks_the_end_where_start_and_end_share_a_kind(kind: str) -> None:
    assert not is_valid(start(kind, {**START, "ok": True}))
    assert not is_valid(end(kind, {key: value for key, value in END.items() if key != "ok"}))


@pytest.mark.parametrize("whole", [start(), end(), error(), emit()], ids=["start", "end", "error", "emit"])
def test_every_field_is_required_and_no_other_is_allowed(whole: Envelope) -> None:
    for section in ["", "ids", "subject", "capture", "payload", "envpod"]:
        keys = (whole[section] if section else whole).keys()
        for key in keys:
            broken = copy.deepcopy(whole)
            del (broken[section] if section else broken)[key]
            assert not is_valid(broken), f"{section}.{key} is missing"
        added = put(whole, f"{section}.more" if section else "more", "x")
        assert is_valid(added) is (section == "envpod"), section


@given(st.sampled_from([start(), end(), error(), emit()]), st.data())
def test_no_leaf_takes_any_type(whole: Envelope, data: st.DataObject) -> None:
    paths = [p for p in leaves(whole) if not p.startswith("payload.data") and p != "payload.captured"]
    path = data.draw(st.sampled_from(paths))
    wrong: object = data.draw(st.sampled_from([None, [None], {"a": {}}]))
    assert not is_valid(put(whole, path, wrong))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec", "aotp/0.2"),
        ("ts", "2026-04-14T01:30:00Z"),
        ("ts", "2026-04-14T01:30:00.123+00:00"),
        ("producer", "p_123"),
        ("producer", "5f0e6c1b2a3d4e5f"),
        ("seq", -1),
        ("seq", 1.5),
        ("ids.session_id", ""),
        ("ids.run_id", "run_"),
        ("ids.step_id", f"sp_{SPAN}"),
        ("ids.trace_id", f"tr_{TRACE.upper()}"),
        ("ids.trace_id", "tr_" + "0" * 32),
        ("ids.span_id", "sp_" + "0" * 16),
        ("ids.parent_span_id", SPAN),
        ("capture.mode", "loud"),
        ("capture.content", "full"),
        ("payload.duration_ms", -0.001),
        ("payload.ok", 1),
        ("payload.ok", False),
        ("payload.captured", {"x": 1}),
        ("payload.fn", None),
        ("envpod.pid", "4242"),
        ("envpod.claim_kind", "trusted"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused(path: str, value: object) -> None:
    assert not is_valid(put(end(), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ids.session_id", "job 17/über"),
        ("ids.parent_span_id", f"sp_{SPAN}"),
        ("subject.agent_id", "writer-1"),
        ("seq", 10**9),
        ("payload.duration_ms", 0),
    ],
)
def test_a_value_of_the_right_form_is_taken(path: str, value: object) -> None:
    VALIDATOR.validate(put(end(), path, value))


@pytest.mark.parametrize(
    "envpod",
    [
        {
            "pod_id": "pod-7",
            "pid": 4242,
            "claim_kind": "claimed",
            "agent_claim_id": "claim_1",
            "capabilities": ["write"],
            "session": 4200,
        },
        {
            "pod_id": "pod-7",
            "pid": 4242,
            "uid": 1000,
            "claim_kind": "anonymous",
            "anonymous": {
                "pid": 4242,
                "uid": 1000,
                "session": 4200,
                "fingerprint": "anon_pid4242_uid1000_sess4200",
            },
        },
    ],
    ids=["claimed", "anonymous"],
)
def test_what_the_pod_adds_is_valid(envpod: Envelope) -> None:
    VALIDATOR.validate(put(end(), "envpod", envpod))


LLM: Envelope = {
    "provider": "openai",
    "request_model": "gpt-4",
    "response_model": "gpt-4-0613",
    "response_id": "chatcmpl-123",
    "input_tokens": 100,
    "output_tokens": 180,
    "cache_read_tokens": 50,
    "cache_write_tokens": 25,
    "reasoning_tokens": 50,
    "finish_reasons": ["stop"],
    "time_to_first_chunk_ms": 512.5,
}
PARTS: list[tuple[str, Envelope, list[str]]] = [
    ("llm", LLM, ["agent.llm.response"]),
    ("tool", {"name": "get_weather", "call_id": "call_1"}, ["agent.tool.result"]),
    ("retrieval", {"query": "capital of France", "documents": 3}, ["agent.memory.read"]),
]


@pytest.mark.parametrize(("part", "value", "kinds"), PARTS, ids=[part for part, *_ in PARTS])
def test_a_part_belongs_to_its_kind_and_what_is_unknown_is_left_out(
    part: str, value: Envelope, kinds: list[str]
) -> None:
    for kind in ENDS:
        assert is_valid(end(kind, {**END, part: value})) is (kind in kinds)
    for key in value:
        VALIDATOR.validate(end(kinds[0], {**END, part: {k: v for k, v in value.items() if k != key}}))
        assert not is_valid(end(kinds[0], {**END, part: {**value, key: None}}))
    assert not is_valid(end(kinds[0], {**END, part: {**value, "more": 1}}))
    VALIDATOR.validate(error({**ERROR, part: value}))


def test_counts_are_whole_and_not_negative() -> None:
    for key, value in LLM.items():
        if isinstance(value, int):
            assert not is_valid(end("agent.llm.response", {**END, "llm": {key: -1}}))
            assert not is_valid(end("agent.llm.response", {**END, "llm": {key: 1.5}}))


def test_a_start_has_seq_0_and_nothing_else_has() -> None:
    assert not is_valid(put(start(), "seq", 1))
    for other in (end(), error(), emit()):
        assert not is_valid(put(other, "seq", 0))


@pytest.mark.parametrize("content", MODES)
@pytest.mark.parametrize("mode", MODES)
def test_the_mode_is_the_content_mode_but_on_an_end(mode: str, content: str) -> None:
    empty_start = {"fn": "f", "preview": {"args": [], "kwargs": {}}}
    for kind, payload, seq in [
        ("agent.step.start", empty_start, 0),
        ("agent.memory.read", empty_start, 0),
        ("coat.error", {**ERROR, "message": ""}, 1),
        ("coat.emit", {"tag": "note", "data": None}, 1),
    ]:
        assert is_valid(envelope(kind, payload, seq=seq, mode=mode, content=content)) is (mode == content)


@pytest.mark.parametrize("kind", ["agent.step.end", "agent.memory.read"])
def test_the_mode_of_an_end_is_that_of_its_locals(kind: str) -> None:
    captured = {**END, "captured": {"path": "'notes.md'"}}
    assert is_valid(envelope(kind, END, mode="none"))
    assert not is_valid(envelope(kind, END, mode="raw"))
    assert is_valid(envelope(kind, captured, mode="redacted"))
    assert not is_valid(envelope(kind, captured, mode="none"))


def test_under_none_the_keys_stay_and_nothing_is_in_them() -> None:
    def under_none(kind: str, payload: Envelope, seq: int = 1) -> Envelope:
        return envelope(kind, payload, seq=seq, mode="none", content="none")

    nothing = {"fn": "f", "preview": {"args": [], "kwargs": {}}}
    empty_end = {**END, "result_preview": ""}
    VALIDATOR.validate(under_none("agent.tool.call", nothing, 0))
    VALIDATOR.validate(under_none("agent.memory.read", {**empty_end, "retrieval": {"documents": 3}}))
    VALIDATOR.validate(under_none("coat.error", {**ERROR, "message": ""}))
    without: list[object] = [None, "", {}, []]
    for data in without:
        VALIDATOR.validate(under_none("coat.emit", {"tag": "note", "data": data}))
    for kind, payload, seq in [
        ("agent.tool.call", START, 0),
        ("agent.tool.call", {"fn": "f", "preview": {"args": [""], "kwargs": {}}}, 0),
        ("agent.tool.result", END, 1),
        ("agent.memory.read", {**empty_end, "retrieval": {"query": "capital"}}, 1),
        ("coat.error", ERROR, 1),
        ("coat.emit", EMIT, 1),
    ]:
        assert not is_valid(under_none(kind, payload, seq)), kind


@given(JSON)
def test_anything_can_be_emitted(data: object) -> None:
    VALIDATOR.validate(emit({"tag": "note", "data": data}))


@given(st.text(alphabet=string.hexdigits + "_ptrs \n", max_size=40))
def test_no_other_text_passes_for_an_id(text: str) -> None:
    for path in ("producer", "ids.trace_id", "ids.span_id", "ids.step_id", "ids.run_id"):
        assert not is_valid(put(end(), path, text)) or text == text.strip().lower()
