"""Logfire, Langfuse and Datadog's tracer in one process with aotel, whoever came first: each gets what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.neighbours.beside import Beside, needs_python, run_beside
from tests.neighbours.programs.beside import QUESTION, SECRET

if TYPE_CHECKING:
    from pathlib import Path

AGENT_KINDS = ["agent.run.start", "agent.tool.call", "coat.emit", "agent.tool.result", "agent.run.end"]
OVERRIDING = "is not allowed"
"""What OpenTelemetry says to whoever sets a provider where there is one."""
NOT_OURS = {"OTEL_PYTHON_CONFIGURATOR": "none"}
"""Has `opentelemetry-instrument` set nothing up: the program does so itself."""


def assert_complete(ended: Beside, *names: str) -> None:
    """Fail unless theirs got each span once, with parents and all that ours have, and nothing secret left."""
    assert sorted(span["name"] for span in ended.theirs) == sorted(names)
    agent, search = ended.named("agent"), ended.named("search")
    assert search["parent"] == agent["id"]
    assert [span["attributes"]["openinference.span.kind"] for span in (agent, search)] == ["AGENT", "TOOL"]
    assert search["attributes"]["gen_ai.operation.name"] == "execute_tool"
    assert SECRET not in ended.everything
    assert {envelope["ids"]["span_id"] for envelope in ended.envelopes} == {
        f"sp_{span['id']}" for span in (agent, search)
    }


@pytest.mark.parametrize(
    ("order", "instrumented"),
    [
        ("theirs,aotel", False),
        ("theirs,aotel,again", False),
        ("theirs,aotel,again,aotel", False),
        ("theirs", False),  # the first call configures
        ("theirs", True),
        ("theirs,aotel", True),
    ],
)
def test_logfire_that_is_configured_has_our_spans_and_we_see_its(
    order: str, instrumented: bool, tmp_path: Path
) -> None:
    ended = run_beside("beside_logfire.py", order, tmp_path, instrumented=instrumented, environment=NOT_OURS)
    assert_complete(ended, "search", "agent", "asked {question}")
    assert ended.named("agent")["parent"] == ended.named("asked {question}")["id"]
    assert ended.kinds == AGENT_KINDS
    assert ended.said == []


@pytest.mark.parametrize("instrumented", [False, True])
def test_logfire_that_comes_later_leaves_us_what_we_have(instrumented: bool, tmp_path: Path) -> None:
    order = "theirs" if instrumented else "aotel,theirs"
    ended = run_beside("beside_logfire.py", order, tmp_path, instrumented=instrumented)
    assert [span["name"] for span in ended.theirs] == ["asked {question}"]
    assert ended.kinds == AGENT_KINDS
    assert all(OVERRIDING in line for line in ended.said), ended.stderr


def test_logfire_that_comes_later_has_our_spans_where_its_provider_is_named(tmp_path: Path) -> None:
    ended = run_beside("beside_logfire.py", "aotel,theirs;handed over", tmp_path)
    assert_complete(ended, "search", "agent", "asked {question}")
    assert ended.kinds == AGENT_KINDS


LANGFUSE_ORDERS = pytest.mark.parametrize(
    ("order", "instrumented"),
    [("theirs,aotel", False), ("aotel,theirs", False), ("theirs", True), ("theirs,aotel", True)],
)


@LANGFUSE_ORDERS
def test_langfuse_has_its_spans_and_ours_and_none_of_others(order: str, instrumented: bool, tmp_path: Path) -> None:
    needs_python(11)
    ended = run_beside("beside_langfuse.py", order, tmp_path, instrumented=instrumented)
    assert ended.said == []
    assert sorted(span["name"] for span in ended.theirs) == sorted(["observed", *["search", "agent"] * 2])
    searches = [span for span in ended.theirs if span["name"] == "search"]
    agents = [span for span in ended.theirs if span["name"] == "agent"]
    assert {span["parent"] for span in searches} == {span["id"] for span in agents}
    assert [span["attributes"]["openinference.span.kind"] for span in agents] == ["AGENT"] * 2
    assert SECRET not in ended.everything
    assert QUESTION in ended.everything
    # Langfuse shows a trace from where it is told that it begins, which it decides as a span starts.
    roots = [span["name"] for span in ended.theirs if span["attributes"].get("langfuse.internal.is_app_root")]
    assert sorted(roots) == ["agent", "observed"]
    assert ended.kinds == AGENT_KINDS * 2


@pytest.mark.parametrize("order", ["theirs,aotel", "aotel,theirs"])
@pytest.mark.parametrize("mode", ["none", "summary", "hash"])
def test_langfuse_gets_no_content_where_none_is_to_leave(order: str, mode: str, tmp_path: Path) -> None:
    needs_python(11)
    ended = run_beside("beside_langfuse.py", order, tmp_path, environment={"AOTEL_CAPTURE": mode})
    assert len(ended.theirs) == 5
    assert SECRET not in ended.everything
    assert QUESTION not in ended.everything


@pytest.mark.parametrize("mode", ["none", "summary", "hash"])
def test_logfire_gets_no_content_of_ours_where_none_is_to_leave(mode: str, tmp_path: Path) -> None:
    ended = run_beside("beside_logfire.py", "theirs,aotel", tmp_path, environment={"AOTEL_CAPTURE": mode})
    ours = [span for span in ended.theirs if span["name"] in {"agent", "search"}]
    assert len(ours) == 2
    assert not [span for span in ours if QUESTION in span["whole"] or SECRET in span["whole"]]
    assert QUESTION not in ended.named("asked {question}")["attributes"].get("logfire.msg", "")


DATADOG = {
    "DD_TRACE_OTEL_ENABLED": "true",
    "DD_TRACE_OPENAI_ENABLED": "false",  # its own span of each call
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
}


@pytest.mark.parametrize(("order", "instrumented"), [("theirs,aotel", False), ("theirs", False), ("theirs", True)])
def test_datadogs_provider_takes_no_processor_and_our_calls_are_whole_all_the_same(
    order: str, instrumented: bool, tmp_path: Path
) -> None:
    environment = {**DATADOG, "OTEL_PYTHON_CONFIGURATOR": "none"}
    ended = run_beside("beside_ddtrace.py", order, tmp_path, instrumented=instrumented, environment=environment)
    assert len(ended.said) == 1, ended.stderr
    assert "ddtrace.internal.opentelemetry.trace.TracerProvider takes no span processors" in ended.said[0]
    names = ["session", "agent", "search", "count", "fail", "ask", "chat model-1", "of another"]
    assert sorted(span["name"] for span in ended.theirs) == sorted(names)
    session = ended.named("session")["id"]
    assert [ended.named(name)["parent"] for name in ("agent", "count", "fail")] == [session] * 3
    assert ended.named("search")["parent"] == ended.named("agent")["id"]
    if not instrumented:  # there OpenTelemetry's context is loaded before Datadog can replace it
        assert {span["parent"] for span in ended.found["integrations"]} <= {ended.named("chat model-1")["id"]}
    assert ended.found["left"] is False
    assert SECRET not in ended.everything
    assert_datadog_gets_attributes(ended)
    assert_datadog_has_envelopes(ended)


def assert_datadog_gets_attributes(ended: Beside) -> None:
    kinds = {span["name"]: span["attributes"].get("openinference.span.kind") for span in ended.theirs}
    assert kinds == {
        "session": "AGENT",
        "agent": "AGENT",
        "search": "TOOL",
        "count": "TOOL",
        "fail": "TOOL",
        "ask": "CHAIN",  # the call inside counts
        "chat model-1": "LLM",
        "of another": None,
    }
    tokens = {span["name"] for span in ended.theirs if "llm.token_count.prompt" in span["attributes"]}
    assert tokens == {"chat model-1"}
    assert ended.named("search")["attributes"]["session.id"] == "s-1"
    assert ended.named("count")["attributes"]["note"].startswith("uses <redacted:")
    assert ended.named("fail")["error"] == 1
    assert QUESTION in ended.named("chat model-1")["attributes"]["gen_ai.input.messages"]


def assert_datadog_has_envelopes(ended: Beside) -> None:
    traced = {f"sp_{span['id']}": span["name"] for span in ended.theirs}
    seen = {traced[envelope["ids"]["span_id"]] for envelope in ended.envelopes}
    assert seen == set(traced.values()) - {"of another"}
    results = {
        traced[envelope["ids"]["span_id"]]: envelope["payload"]
        for envelope in ended.envelopes
        if "ok" in envelope["payload"]
    }
    assert results["count"]["result_preview"] == "'counted'"
    assert (results["fail"]["ok"], results["fail"]["error_type"]) == (False, "ValueError")
    assert results["chat model-1"]["llm"]["input_tokens"] == 11
    inside = [envelope for envelope in ended.envelopes if traced[envelope["ids"]["span_id"]] in {"agent", "search"}]
    assert {envelope["ids"]["session_id"] for envelope in inside} == {"s-1"}
    assert [envelope["kind"] for envelope in ended.envelopes].count("coat.emit") == 3


def test_datadog_gets_no_content_where_none_is_to_leave(tmp_path: Path) -> None:
    environment = {**DATADOG, "AOTEL_CAPTURE": "none"}
    ended = run_beside("beside_ddtrace.py", "theirs,aotel", tmp_path, environment=environment)
    assert len(ended.theirs) == 8
    assert SECRET not in ended.everything
    assert QUESTION not in ended.everything


@pytest.mark.parametrize(("order", "instrumented"), [("aotel,theirs", False), ("aotel", True)])
def test_datadog_that_comes_later_leaves_us_what_we_have(order: str, instrumented: bool, tmp_path: Path) -> None:
    ended = run_beside("beside_ddtrace.py", order + ",theirs", tmp_path, instrumented=instrumented, environment=DATADOG)
    assert ended.found["provider"] == "opentelemetry.sdk.trace"
    assert ended.theirs == []
    assert len({envelope["ids"]["span_id"] for envelope in ended.envelopes}) == 7
    assert all(OVERRIDING in line for line in ended.said), ended.stderr
