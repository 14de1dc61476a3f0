"""A program with no line of aotel in it: under `opentelemetry-instrument`, its calls of an SDK are spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.openai_api import OpenAIServer

if TYPE_CHECKING:
    from tests.distro.programs import Programs

ASK = """
    import openai

    answer = openai.OpenAI(max_retries=0).chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Good morning"}]
    )
    print(answer.choices[0].message.content)
"""


@pytest.mark.parametrize(
    ("environment", "kinds"),
    [
        ({}, ["agent.llm.request", "agent.llm.response"]),
        ({"AOTEL_INSTRUMENT": "mcp"}, []),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "aotel_openai,langchain,openai,anthropic,litellm"}, []),
        ({"AOTEL_DISABLED": "true"}, []),
    ],
    ids=["by default", "of another library only", "switched off by its entry point", "everything off"],
)
def test_calls_of_an_sdk_are_spans(environment: dict[str, str], kinds: list[str], programs: Programs) -> None:
    pytest.importorskip("openai")
    with OpenAIServer() as server:
        given = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-none", "OTEL_TRACES_EXPORTER": "none"}
        ended = programs.run(ASK, environment={**given, "OTEL_METRICS_EXPORTER": "none", **environment})
    assert (ended.stdout, ended.stderr, ended.code) == ("Good morning\n", "", 0)
    assert ended.kinds == kinds
    if kinds:
        assert ended.envelopes[-1]["payload"]["llm"]["input_tokens"] == 19
