"""Under `opentelemetry-instrument`: programs get their spans and envelopes without a line for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.distro.programs import CALL, SPANS
from tests.servers import OtlpHttpReceiver

if TYPE_CHECKING:
    from tests.distro.programs import Programs
    from tests.servers import OtlpReceiver


def test_a_program_that_only_coats_exports_spans_and_envelopes(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(CALL)
    (span,) = receiver.spans
    assert ended.untouched, ended.stderr
    assert ended.stdout == "['found', 'notes']\n"
    assert span.name == "search"
    assert span.attributes["gen_ai.operation.name"] == "execute_tool"
    assert span.attributes["openinference.span.kind"] == "TOOL"
    assert ended.kinds == ["agent.tool.call", "agent.tool.result"]
    assert {envelope["ids"]["span_id"] for envelope in ended.envelopes} == {f"sp_{span.span_id}"}


def test_a_program_without_a_line_of_aotel_exports_spans_and_envelopes(
    programs: Programs, receiver: OtlpReceiver
) -> None:
    ended = programs.run(SPANS)
    (span,) = receiver.spans
    assert ended.untouched, ended.stderr
    assert span.attributes["openinference.span.kind"] == "LLM"
    assert span.attributes["llm.token_count.prompt"] == 3
    assert ended.kinds == ["agent.llm.request", "agent.llm.response"]
    assert ended.envelopes[1]["payload"]["llm"]["input_tokens"] == 3


def test_spans_of_both_share_a_trace(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run("""
        import aotel
        from opentelemetry import trace

        @aotel.coat("tool")
        def inner():
            pass

        with trace.get_tracer("app").start_as_current_span("outer"):
            inner()
    """)
    inner, outer = receiver.spans
    assert ended.untouched, ended.stderr
    assert (inner.trace_id, inner.parent_span_id) == (outer.trace_id, outer.span_id)


def test_threads_keep_their_parent_and_nobody_grumbles(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run("""
        from concurrent.futures import ThreadPoolExecutor
        import aotel

        @aotel.coat("tool")
        def inner():
            pass

        @aotel.coat("agent")
        def outer():
            with ThreadPoolExecutor(1) as pool:
                pool.submit(inner).result()

        aotel.configure()
        outer()
    """)
    inner, outer = receiver.spans
    assert ended.untouched, ended.stderr
    assert inner.parent_span_id == outer.span_id


def test_threads_are_left_alone_if_the_user_says_so(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        """
        import threading
        import aotel

        aotel.configure()
        print(hasattr(threading.Thread.run, "__wrapped__"))
        """,
        environment={"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "threading,openai,langchain,anthropic,litellm"},
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout == "False\n"


def test_the_usual_exporters_are_the_default_but_no_logs(programs: Programs) -> None:
    ended = programs.run("""
        import os
        print(*(os.environ.get(f"OTEL_{signal}_EXPORTER") for signal in ("TRACES", "METRICS", "LOGS")))
    """)
    assert ended.stdout == "otlp otlp None\n"


@pytest.mark.parametrize("exporter", ["none", "console"])
def test_an_exporter_that_the_user_names_is_the_only_one(
    programs: Programs, receiver: OtlpReceiver, exporter: str
) -> None:
    ended = programs.run(CALL, environment={"OTEL_TRACES_EXPORTER": exporter})
    assert ended.untouched, ended.stderr
    assert ('"name": "search"' in ended.stdout) == (exporter == "console")
    assert receiver.spans == []
    assert ended.kinds == ["agent.tool.call", "agent.tool.result"]


def test_envelopes_go_nowhere_unasked(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(CALL, environment={"AOTEL_ENVELOPES": "auto"})
    assert ended.untouched, ended.stderr
    assert len(receiver.spans) == 1
    assert receiver.log_records == []
    assert ended.envelopes == []


def test_envelopes_are_logs_where_logs_are_asked_for(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(CALL, environment={"AOTEL_ENVELOPES": "auto", "OTEL_LOGS_EXPORTER": "otlp"})
    assert ended.untouched, ended.stderr
    assert [record.event_name for record in receiver.log_records] == ["agent.tool.call", "agent.tool.result"]
    assert {record.span_id for record in receiver.log_records} == {receiver.spans[0].span_id}


def test_configure_changes_the_running_pipeline_and_doubles_nothing(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run("""
        import aotel

        @aotel.coat("tool")
        def search(query):
            return query

        search("first")
        for _ in range(3):
            aotel.configure(agent_id="a7", capture="none")
        search("second")
    """)
    first, second = receiver.spans
    assert ended.untouched, ended.stderr
    assert ("input.value" in first.attributes, "input.value" in second.attributes) == (True, False)
    assert ended.kinds == ["agent.tool.call", "agent.tool.result"] * 2
    assert [envelope["subject"]["agent_id"] for envelope in ended.envelopes] == ["", "", "a7", "a7"]


@pytest.mark.parametrize("variable", ["AOTEL_DISABLED", "OTEL_SDK_DISABLED"])
def test_what_is_switched_off_is_off(programs: Programs, receiver: OtlpReceiver, variable: str) -> None:
    ended = programs.run(CALL, "aotel.configure()", environment={variable: "true"})
    assert ended.untouched, ended.stderr
    assert receiver.requests == 0
    assert ended.envelopes == []


def test_opentelemetry_goes_on_where_only_aotel_is_switched_off(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(SPANS, environment={"AOTEL_DISABLED": "true", "OTEL_METRICS_EXPORTER": "none"})
    (span,) = receiver.spans
    assert ended.untouched, ended.stderr
    assert "openinference.span.kind" not in span.attributes


def test_exit_code_and_output_are_the_programs_own(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        """
        import sys
        import aotel

        with aotel.step("work"):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            sys.exit(7)
        """
    )
    assert (ended.code, ended.stdout, ended.stderr) == (7, "to stdout\n", "to stderr\n")
    assert [span.name for span in receiver.spans] == ["work"]
    assert ended.kinds[-1] == "coat.error"


def test_a_crash_loses_nothing(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run("""
        import aotel

        @aotel.coat("tool")
        def fails():
            raise ValueError("no")

        fails()
    """)
    (span,) = receiver.spans
    assert ended.code == 1
    assert ended.stderr.splitlines()[-1] == "ValueError: no"
    assert span.status_code == 2
    assert ended.kinds == ["agent.tool.call", "coat.error"]


def test_spans_go_over_http_where_the_protocol_says_so(programs: Programs) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with OtlpHttpReceiver() as receiver:
        ended = programs.run(
            CALL,
            environment={
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "AOTEL_ENVELOPES": "otlp",
            },
        )
    assert ended.untouched, ended.stderr
    assert [span.name for span in receiver.spans] == ["search"]
    # Metrics of the SDK's own come to the same address.
    events = [record.event_name for record in receiver.log_records if record.body is not None]
    assert events == ["agent.tool.call", "agent.tool.result"]
