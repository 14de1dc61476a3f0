"""Programs in processes of their own: how they are set up, how they end, and what a forked child leaves alone."""

from __future__ import annotations

import os
import time
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from tests.distro.programs import Programs
from tests.instrumentation.openai.wire import chunks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instrumentation.openai.wire import Exchange, OpenAiWire

CLIENT = """
    import os
    import sys
    import openai

    client = openai.OpenAI(api_key="none", base_url=os.environ["WIRE"], max_retries=0)
    chat = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
"""
CALL = """
    print(client.chat.completions.create(**chat).choices[0].message.content)
"""
INSTRUMENT = """
    import aotel

    aotel.instrument()
"""
OPEN = """
    answer = client.chat.completions.create(**chat, stream=True)
    next(answer)
    next(answer)
"""
CALLED = ["agent.llm.request", "agent.llm.response"]


@pytest.fixture
def programs(tmp_path: Path, wire: OpenAiWire) -> Programs:
    # Whatever else is installed here would make spans of its own.
    others = [found.name for found in entry_points(group="opentelemetry_instrumentor") if "aotel" not in found.name]
    environment = {
        "WIRE": wire.url,
        "NO_PROXY": "127.0.0.1",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(others),
    }
    return Programs(tmp_path, environment)


def test_the_environment_configures_a_program_that_only_asks(programs: Programs) -> None:
    ended = programs.run(INSTRUMENT, CLIENT, CALL, instrumented=False)
    assert ended.stdout == "echo hi\n", ended.stderr
    assert ended.kinds == CALLED
    assert ended.envelopes[1]["payload"]["llm"]["input_tokens"] == 30


def test_it_makes_no_difference_what_is_imported_first(programs: Programs) -> None:
    assert programs.run(CLIENT, INSTRUMENT, CALL, instrumented=False).kinds == CALLED


def test_under_opentelemetry_instrument_nothing_is_to_be_said(programs: Programs) -> None:
    ended = programs.run(CLIENT, CALL)
    assert ended.kinds == CALLED, ended.stderr


@pytest.mark.parametrize(
    ("environment", "instrumented"),
    [
        ({"AOTEL_DISABLED": "true"}, False),
        ({"AOTEL_INSTRUMENT": "none"}, False),
        ({"AOTEL_INSTRUMENT": "anthropic"}, True),
    ],
    ids=str,
)
def test_the_environment_can_say_no(environment: dict[str, str], instrumented: bool, programs: Programs) -> None:
    ended = programs.run(INSTRUMENT, CLIENT, CALL, instrumented=instrumented, environment=environment)
    assert ended.stdout == "echo hi\n", ended.stderr
    assert not ended.envelopes


def test_an_instrumentor_by_itself_sets_nothing_up(programs: Programs, wire: OpenAiWire) -> None:
    alone = """
        from aotel.instrumentation.openai import OpenAIInstrumentor

        OpenAIInstrumentor().instrument()
    """
    looked = """
        list(client.chat.completions.create(**chat, stream=True))
        from opentelemetry import trace
        print(type(trace.get_tracer_provider()).__name__, "opentelemetry.sdk" in sys.modules)
    """
    later = """
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        client.chat.completions.create(**chat)
        print([span.attributes["gen_ai.usage.input_tokens"] for span in exporter.get_finished_spans()])
    """
    ended = programs.run(alone, CLIENT, CALL, looked, later, instrumented=False)
    assert ended.stdout.splitlines()[0] == "echo hi", ended.stderr
    assert ended.stdout.splitlines()[1].startswith("ProxyTracerProvider")
    assert "stream_options" not in wire.requests[1].body
    assert ended.stdout.splitlines()[2] == "[30]", ended.stderr


def held_open(exchange: Exchange) -> None:
    """Begin a stream, and say no more."""
    exchange.start()
    exchange.send(*chunks("Hello")[:3])
    time.sleep(3)


def test_a_stream_that_is_open_at_the_end_is_abandoned(programs: Programs, wire: OpenAiWire) -> None:
    wire.script(always=held_open)
    ended = programs.run(INSTRUMENT, CLIENT, OPEN, instrumented=False)
    assert ended.kinds == ["agent.llm.request", "coat.error"], ended.stderr
    assert ended.envelopes[1]["payload"]["outcome"] == "abandoned"


def test_a_stream_that_is_open_in_a_frame_is_abandoned(programs: Programs, wire: OpenAiWire) -> None:
    wire.script(always=held_open)
    inside = """
        def use():
            answer = client.chat.completions.create(**chat, stream=True)
            for chunk in answer:
                raise KeyboardInterrupt
        use()
    """
    ended = programs.run(INSTRUMENT, CLIENT, inside, instrumented=False)
    assert ended.kinds == ["agent.llm.request", "coat.error"], ended.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_leaves_the_stream_to_its_parent(programs: Programs) -> None:
    fork = """
        import warnings

        warnings.simplefilter("ignore")
        for child in ("ends", "is gone", "closes", "forgets"):
            if os.fork() == 0:
                if child == "closes":
                    answer.close()
                if child == "forgets":
                    del answer
                (os._exit if child == "is gone" else sys.exit)(0)
            os.wait()
        print(len(list(answer)))
    """
    ended = programs.run(INSTRUMENT, CLIENT, OPEN, fork, instrumented=False)
    assert ended.kinds == CALLED, ended.stderr
    (pid,) = {envelope["envpod"]["pid"] for envelope in ended.envelopes}
    assert pid
    assert ended.envelopes[1]["payload"]["llm"]["input_tokens"] == 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_makes_calls_of_its_own(programs: Programs) -> None:
    fork = """
        import warnings

        warnings.simplefilter("ignore")
        client.chat.completions.create(**chat)
        if os.fork() == 0:
            with openai.OpenAI(api_key="none", base_url=os.environ["WIRE"]) as own:
                list(own.chat.completions.create(**chat, stream=True))
            sys.exit(0)
        os.wait()
    """
    ended = programs.run(INSTRUMENT, CLIENT, fork, instrumented=False)
    assert sorted(ended.kinds) == sorted(CALLED * 2), ended.stderr
    assert len({envelope["envpod"]["pid"] for envelope in ended.envelopes}) == 2
