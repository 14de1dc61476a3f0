"""Our configurator: what the OTEL_* variables say, with nothing lost to sampling, seeds, a file or a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk import _configuration as sdk_configuration

from aotel.distro import configurator
from tests.distro.programs import CALL, SPANS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.distro.programs import Programs
    from tests.servers import OtlpReceiver

TOOL_KINDS = ["agent.tool.call", "agent.tool.result"]
CONFIG_FILE = """\
file_format: "1.0"
resource:
  attributes:
    - name: service.name
      value: from the file
tracer_provider:
  sampler:
    {sampler}: {{}}
  processors:
    - simple:
        exporter:
          otlp_grpc:
            endpoint: {endpoint}
            tls:
              insecure: true
"""


@pytest.mark.parametrize(
    ("sampler", "exported"),
    [
        ({}, 1),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, 0),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, 0),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, 1),
    ],
)
def test_sampling_costs_no_envelope(
    programs: Programs, receiver: OtlpReceiver, sampler: Mapping[str, str], exported: int
) -> None:
    ended = programs.run(CALL, environment=sampler)
    assert ended.untouched, ended.stderr
    assert len(receiver.spans) == exported
    assert ended.kinds == TOOL_KINDS


def test_an_unsampled_parent_costs_no_envelope(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(CALL, environment={"TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"})
    assert ended.untouched, ended.stderr
    assert receiver.spans == []
    assert ended.kinds == TOOL_KINDS
    assert ended.envelopes[0]["ids"]["trace_id"] == "tr_0af7651916cd43dd8448eb211c80319c"


def test_without_envelopes_unsampled_spans_are_not_even_recorded(programs: Programs) -> None:
    ended = programs.run(
        """
        from opentelemetry import trace
        print(trace.get_tracer("app").start_span("work").is_recording())
        """,
        environment={"OTEL_TRACES_SAMPLER": "always_off", "AOTEL_ENVELOPES": "none"},
    )
    assert ended.stdout == "False\n"


SEEDED = """
    import random
    from opentelemetry import trace

    def first_id():
        random.seed(7)
        return trace.get_tracer("app").start_span("work").get_span_context().trace_id

    print(first_id() == first_id())
"""


def test_a_seed_of_the_program_repeats_no_id(programs: Programs) -> None:
    assert programs.run(SEEDED).stdout == "False\n"


def test_an_id_generator_that_the_user_names_is_used(programs: Programs) -> None:
    assert programs.run(SEEDED, environment={"OTEL_PYTHON_ID_GENERATOR": "random"}).stdout == "True\n"


def test_attributes_of_a_long_chat_are_kept_unless_the_user_limits_them(
    programs: Programs, receiver: OtlpReceiver
) -> None:
    long_chat = """
        from opentelemetry import trace

        chat = {"gen_ai.operation.name": "chat"}
        with trace.get_tracer("app").start_as_current_span("chat", attributes=chat) as span:
            for number in range(300):
                span.set_attribute(f"app.note.{number}", number)
    """
    assert programs.run(long_chat).untouched
    programs.run(long_chat, environment={"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "64"})
    kept, limited = receiver.spans
    assert len(kept.attributes) > 300
    assert "openinference.span.kind" in kept.attributes
    assert len(limited.attributes) <= 64


def test_resources_are_those_of_the_environment(programs: Programs, receiver: OtlpReceiver) -> None:
    programs.run(CALL, environment={"OTEL_SERVICE_NAME": "agent-7", "OTEL_RESOURCE_ATTRIBUTES": "team=red"})
    resource = receiver.spans[0].resource
    assert (resource["service.name"], resource["team"]) == ("agent-7", "red")
    assert "telemetry.auto.version" in resource


@pytest.mark.parametrize(
    "mistake",
    [
        {"OTEL_METRICS_EXPORTER": "nonesuch"},
        {"OTEL_TRACES_EXPORTER": "otlp,nonesuch"},
        {"OTEL_LOGS_EXPORTER": "nonesuch"},
        {"OTEL_PYTHON_ID_GENERATOR": "nonesuch"},
    ],
)
def test_what_cannot_be_set_up_is_said_and_the_rest_goes_on(
    programs: Programs, receiver: OtlpReceiver, mistake: Mapping[str, str]
) -> None:
    ended = programs.run(CALL, SPANS, environment=mistake)
    assert ended.code == 0
    assert ended.stderr.count("could not be set up as the environment asks") == 1, ended.stderr
    assert "nonesuch" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(receiver.spans) == 2
    assert ended.kinds == [*TOOL_KINDS, "agent.llm.request", "agent.llm.response"]


def test_a_bad_variable_of_ours_is_said_once(programs: Programs) -> None:
    ended = programs.run(CALL, environment={"AOTEL_CAPTURE": "everything"})
    assert ended.code == 0
    assert ended.stderr.count("AOTEL_CAPTURE") == 1, ended.stderr
    assert ended.kinds == TOOL_KINDS


def test_a_provider_that_a_variable_names_does_not_stand_in_the_way(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(CALL, environment={"OTEL_PYTHON_TRACER_PROVIDER": "sdk_tracer_provider"})
    assert ended.untouched, ended.stderr
    assert len(receiver.spans) == 1


@pytest.mark.parametrize(("sampler", "exported"), [("always_on", 1), ("always_off", 0)])
def test_a_configuration_file_is_obeyed(
    programs: Programs, receiver: OtlpReceiver, sampler: str, exported: int
) -> None:
    pytest.importorskip("opentelemetry.configuration")
    (programs.directory / "otel.yaml").write_text(CONFIG_FILE.format(sampler=sampler, endpoint=receiver.endpoint))
    ended = programs.run(
        CALL,
        "import os; print(os.environ.get('OTEL_TRACES_EXPORTER'))",
        environment={"OTEL_CONFIG_FILE": "otel.yaml", "OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout.splitlines()[-1] == "None"
    assert [span.resource["service.name"] for span in receiver.spans] == ["from the file"] * exported
    assert ended.kinds == TOOL_KINDS


def test_a_configuration_file_without_tracing_makes_no_provider(programs: Programs) -> None:
    pytest.importorskip("opentelemetry.configuration")
    (programs.directory / "otel.yaml").write_text('file_format: "1.0"\n')
    ended = programs.run(
        """
        from opentelemetry import trace
        print(type(trace.get_tracer_provider()).__name__)
        """,
        environment={"OTEL_CONFIG_FILE": "otel.yaml"},
    )
    assert ended.untouched, ended.stderr
    assert ended.stdout == "ProxyTracerProvider\n"


def test_a_configuration_file_that_cannot_be_used_is_said_and_calls_are_audited(programs: Programs) -> None:
    ended = programs.run(CALL, environment={"OTEL_CONFIG_FILE": "nowhere.yaml"})
    assert ended.code == 0
    said = "environment asks" if hasattr(sdk_configuration, "OTEL_CONFIG_FILE") else "reads no file"
    assert ended.stderr.count(said) == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.kinds == TOOL_KINDS


def _initialize_components(auto_instrumentation_version: str) -> None:
    raise AssertionError(auto_instrumentation_version)


def test_an_sdk_whose_configurator_takes_no_processor_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"auto_instrumentation_version": "1"}
    assert set(configurator._options(given)) == {"auto_instrumentation_version", "export_span_processor"}
    monkeypatch.setattr(sdk_configuration, "_initialize_components", _initialize_components)
    assert configurator._options(given) == given
    monkeypatch.delattr(sdk_configuration, "_initialize_components")
    assert configurator._options(given) == given
