"""What was said leaves as the mode and the ecosystem's switches allow, also on spans, events and errors of others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.neighbours.running import foreign

SOURCES = (
    ("openai", "openinference-openai"),
    ("openai", "genai-openai"),
    ("openai", "openllmetry-openai"),
    ("anthropic", "openinference-anthropic"),
    ("anthropic", "openllmetry-anthropic"),
    ("langchain", "openinference-langchain"),
    ("litellm", "openinference-litellm"),
    ("pydantic-ai", "pydantic-ai"),
)
SECRET = "Ab3dEf6hIj9l"
"""Part of it: what is cut short has leaked too."""
ASKED, ANSWERED, FAILED = MARKERS = ("quokka-asked", "wombat-answered", "numbat-failed")
MODES = ("none", "hash", "summary", "redacted", "raw")
ALL_OFF = (
    {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "NO_CONTENT"},
    {"TRACELOOP_TRACE_CONTENT": "false"},
)
HIDING = (
    ({"OPENINFERENCE_HIDE_INPUTS": "true"}, ASKED),
    ({"OPENINFERENCE_HIDE_OUTPUTS": "true"}, ANSWERED),
)

every_source = pytest.mark.parametrize(("library", "name"), SOURCES)


def everything(call: dict[str, Any]) -> str:
    """Return all that left of a call: spans, with events and status, and envelopes."""
    return "\n".join([*(span["whole"] for span in call["spans"]), *map(json.dumps, call["envelopes"])])


@every_source
def test_mode_holds_for_spans_of_others(library: str, name: str) -> None:
    rounds = foreign(library, name, rounds=[{"capture": mode} for mode in MODES])
    for mode, seen in zip(MODES, rounds, strict=True):
        for call, left in seen.items():
            said = everything(left)
            found = {marker for marker in MARKERS if marker in said}
            assert left["spans"], (mode, call)
            assert {span["attributes"]["aot.capture.content"] for span in left["spans"]} == {mode}, (mode, call)
            assert (SECRET in said) is (mode == "raw" and bool(found)), (mode, call)
            if mode in {"none", "hash", "summary"}:
                assert not found, (mode, call)
            elif call == "plain":
                assert found == {ASKED, ANSWERED}, (mode, call)
            elif call == "failing":
                assert FAILED in found, (mode, call)


@every_source
def test_switches_of_the_ecosystem_hold_for_spans_of_others(library: str, name: str) -> None:
    rounds = foreign(library, name, rounds=[*ALL_OFF, *(switch for switch, _ in HIDING)])
    for seen in rounds[: len(ALL_OFF)]:
        for call, left in seen.items():
            assert not [marker for marker in (*MARKERS, SECRET) if marker in everything(left)], call
    for (switch, hidden), seen in zip(HIDING, rounds[len(ALL_OFF) :], strict=True):
        for call in ("plain", "streamed"):
            said = everything(seen[call])
            assert [marker for marker in (ASKED, ANSWERED) if marker in said] == (
                [ANSWERED] if hidden == ASKED else [ASKED]
            ), (switch, call)
