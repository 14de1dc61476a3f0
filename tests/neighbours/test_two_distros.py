"""OpenTelemetry's own distro is installed beside ours: whichever is named, spans and envelopes are there, once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.neighbours.beside import run_beside
from tests.neighbours.programs.beside import QUESTION, SECRET
from tests.servers import OtlpReceiver

if TYPE_CHECKING:
    from pathlib import Path

THEIRS = {"OTEL_PYTHON_DISTRO": "distro", "OTEL_PYTHON_CONFIGURATOR": "configurator"}
OURS = {"OTEL_PYTHON_DISTRO": "aotel", "OTEL_PYTHON_CONFIGURATOR": "aotel"}
NOBODY = dict.fromkeys(OURS, "")
KINDS = [
    "agent.llm.request",
    "agent.run.start",
    "agent.tool.call",
    "coat.emit",
    "agent.tool.result",
    "agent.run.end",
    "agent.llm.response",
]


@pytest.mark.parametrize(
    "named",
    [THEIRS, OURS, NOBODY, {**THEIRS, "OTEL_PYTHON_CONFIGURATOR": "aotel"}, {**THEIRS, "OTEL_PYTHON_DISTRO": "aotel"}],
    ids=["theirs", "ours", "nobody", "their distro, our configurator", "our distro, their configurator"],
)
def test_spans_and_envelopes_are_there_once(named: dict[str, str], tmp_path: Path) -> None:
    with OtlpReceiver() as receiver:
        environment = {**named, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        ended = run_beside("beside_nobody.py", "", tmp_path, instrumented=True, environment=environment)
        kinds = {span.name: span.attributes["openinference.span.kind"] for span in receiver.spans}
        assert sorted(span.name for span in receiver.spans) == ["agent", "chat model-1", "search"]
        assert kinds == {"agent": "AGENT", "chat model-1": "LLM", "search": "TOOL"}
        whole = str([span.attributes for span in receiver.spans])
        assert QUESTION in whole
        assert SECRET not in whole + ended.everything
    assert ended.kinds == KINDS
    assert ended.said == []
