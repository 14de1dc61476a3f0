"""Whoever sets OpenTelemetry up, and whenever: the pipeline is on it, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.distro.programs import CALL, SPANS

if TYPE_CHECKING:
    from tests.distro.programs import Programs
    from tests.servers import OtlpReceiver

MAKE_PROVIDER = """
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
"""
SET_PROVIDER = f"""
    {MAKE_PROVIDER.strip()}
    trace.set_tracer_provider(provider)
"""
DISTRO = """
    import os
    from opentelemetry.instrumentation.distro import BaseDistro

    class Distro(BaseDistro):
        def _configure(self, **kwargs):
            os.environ["DISTRO"] = "theirs"

    class Configurator:
        def configure(self, **kwargs):
            os.environ["CONFIGURATOR"] = "theirs"
"""
THEIRS = {"OTEL_PYTHON_DISTRO": "theirs", "OTEL_PYTHON_CONFIGURATOR": "theirs"}
BOTH = (CALL, SPANS)
BOTH_KINDS = ["agent.tool.call", "agent.tool.result", "agent.llm.request", "agent.llm.response"]


def install_theirs(programs: Programs, configure: str = "") -> None:
    body = configure.replace("\n", "\n        ")  # the body of a method
    programs.install(
        "theirs",
        DISTRO + f"        {body}\n",
        {"opentelemetry_distro": "Distro", "opentelemetry_configurator": "Configurator"},
    )


def quiet(stderr: str) -> bool:
    """Whether nothing is said but OpenTelemetry's own word on the configurator that was not chosen."""
    return all("Configuration of aotel not loaded" in line for line in stderr.splitlines())


def test_another_configurators_provider_is_attached_to(programs: Programs, receiver: OtlpReceiver) -> None:
    install_theirs(programs, SET_PROVIDER)
    ended = programs.run(*BOTH, "import os; print(os.environ['DISTRO'])", environment=THEIRS)
    assert quiet(ended.stderr), ended.stderr
    assert ended.stdout.splitlines()[-1] == "theirs"
    assert [span.attributes["openinference.span.kind"] for span in receiver.spans] == ["TOOL", "LLM"]
    assert ended.kinds == BOTH_KINDS


def test_another_distro_with_our_configurator_is_configured_once(programs: Programs, receiver: OtlpReceiver) -> None:
    install_theirs(programs)
    ended = programs.run(
        *BOTH,
        environment={
            "OTEL_PYTHON_DISTRO": "theirs",
            "OTEL_PYTHON_CONFIGURATOR": "aotel",
            "OTEL_TRACES_EXPORTER": "otlp",
        },
    )
    assert ended.code == 0
    assert [span.name for span in receiver.spans] == ["search", "chat m1"]
    assert ended.kinds == BOTH_KINDS


def test_a_configurator_that_sets_nothing_up_leaves_it_to_the_first_call(
    programs: Programs, receiver: OtlpReceiver
) -> None:
    install_theirs(programs)
    ended = programs.run(*BOTH, environment={**THEIRS, "OTEL_TRACES_EXPORTER": "otlp"})
    assert quiet(ended.stderr), ended.stderr
    assert [span.name for span in receiver.spans] == ["search", "chat m1"]
    assert ended.kinds == BOTH_KINDS


def test_a_provider_set_later_is_followed_and_not_replaced(programs: Programs, receiver: OtlpReceiver) -> None:
    install_theirs(programs)
    ended = programs.run(SET_PROVIDER, *BOTH, "print(trace.get_tracer_provider() is provider)", environment=THEIRS)
    assert quiet(ended.stderr), ended.stderr
    assert ended.stdout.splitlines()[-1] == "True"
    assert [span.name for span in receiver.spans] == ["search", "chat m1"]
    assert ended.kinds == BOTH_KINDS


def test_spans_of_a_provider_set_later_are_served_without_a_line_of_aotel(
    programs: Programs, receiver: OtlpReceiver
) -> None:
    install_theirs(programs)
    ended = programs.run(SET_PROVIDER, SPANS, environment=THEIRS)
    (span,) = receiver.spans
    assert quiet(ended.stderr), ended.stderr
    assert span.attributes["openinference.span.kind"] == "LLM"
    assert ended.kinds == ["agent.llm.request", "agent.llm.response"]


def test_a_provider_made_after_another_was_shut_down_is_served(programs: Programs, receiver: OtlpReceiver) -> None:
    install_theirs(programs)
    ended = programs.run(
        SET_PROVIDER,
        CALL,
        """
        provider.shutdown()
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        tool = {"gen_ai.operation.name": "execute_tool"}
        with provider.get_tracer("app").start_as_current_span("tool", attributes=tool):
            pass
        """,
        environment=THEIRS,
    )
    assert quiet(ended.stderr), ended.stderr
    assert [span.name for span in receiver.spans] == ["search", "tool"]
    assert ended.kinds == ["agent.tool.call", "agent.tool.result"] * 2


def test_a_provider_beside_the_global_one_is_served_too(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        MAKE_PROVIDER,
        """
        tool = {"gen_ai.operation.name": "execute_tool"}
        with provider.get_tracer("app").start_as_current_span("tool", attributes=tool):
            pass
        """,
        CALL,
    )
    assert ended.untouched, ended.stderr
    assert sorted(span.name for span in receiver.spans) == ["search", "tool"]
    assert ended.kinds == ["agent.tool.call", "agent.tool.result"] * 2


@pytest.mark.parametrize("further", ["", "import aotel; aotel.configure()"])
def test_a_provider_set_before_keeps_its_set_up(programs: Programs, receiver: OtlpReceiver, further: str) -> None:
    ended = programs.run(
        SET_PROVIDER,
        """
        from opentelemetry.instrumentation.auto_instrumentation import initialize

        initialize()
        """,
        further,
        *BOTH,
        "assert trace.get_tracer_provider() is provider",
        instrumented=False,
    )
    assert ended.untouched, ended.stderr
    assert [span.name for span in receiver.spans] == ["search", "chat m1"]
    assert ended.kinds == BOTH_KINDS


def test_a_provider_that_replaces_its_exporter_when_something_is_added_keeps_it(
    programs: Programs, receiver: OtlpReceiver
) -> None:
    install_theirs(programs)
    ended = programs.run(
        """
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    class Replacing(TracerProvider):  # as Phoenix has it
        def __init__(self):
            super().__init__()
            self.default = SimpleSpanProcessor(OTLPSpanExporter())
            super().add_span_processor(self.default)

        def add_span_processor(self, processor):
            if self.default is not None:
                self._active_span_processor._span_processors = ()
                self.default = None
            super().add_span_processor(processor)

    trace.set_tracer_provider(Replacing())
    """,
        *BOTH,
        environment=THEIRS,
    )
    assert quiet(ended.stderr), ended.stderr
    assert [span.name for span in receiver.spans] == ["search", "chat m1"]
    assert ended.kinds == BOTH_KINDS


def test_a_provider_that_takes_no_processors_is_told_once(programs: Programs) -> None:
    install_theirs(programs)
    ended = programs.run(
        """
    from opentelemetry import trace

    class Closed(trace.TracerProvider):
        def get_tracer(self, *args, **kwargs):
            return trace.NoOpTracer()

    trace.set_tracer_provider(Closed())
    import aotel
    aotel.configure()
    aotel.configure()
    """,
        CALL,
        environment=THEIRS,
    )
    assert ended.code == 0
    assert ended.stderr.count("takes no span processors") == 1, ended.stderr
    assert "sampler" not in ended.stderr


def test_a_sampler_that_is_not_ours_is_told_once(programs: Programs, receiver: OtlpReceiver) -> None:
    install_theirs(programs, SET_PROVIDER)
    ended = programs.run(CALL, CALL, environment={**THEIRS, "OTEL_TRACES_SAMPLER": "always_off"})
    assert ended.stdout.count("found") == 2
    assert ended.stderr.count("does not record every span") == 1, ended.stderr
    assert receiver.spans == []


def test_with_all_instrumentation_off_the_pipeline_is_on(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(*BOTH, environment={"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"})
    assert ended.untouched, ended.stderr
    assert len(receiver.spans) == 2
    assert ended.kinds == BOTH_KINDS
