"""Beside other instrumentors of the same call, whoever came first, one span of each call counts its tokens: ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.neighbours.running import MODULES, spans_of

ORDERS = (
    "aotel,openinference-openai,openinference-anthropic",
    "openinference-anthropic,openinference-openai,aotel",
    "aotel,genai-openai",
    "genai-openai,aotel",
    "aotel,openinference-langchain",
    "openinference-langchain,openinference-openai,aotel",
    "openinference-langchain,genai-openai,aotel,openinference-openai",
    "aotel,openinference-litellm",
    "openinference-litellm,openinference-openai,aotel",
)
TOKENS = ("llm.token_count.prompt", "gen_ai.usage.input_tokens")
NUMBERS = ("llm.token_count.", "gen_ai.usage.", "llm.usage.", "llm.cost.")
SIGNS = ("gen_ai.operation.name", "gen_ai.request.model", "gen_ai.response.model", "llm.model_name")


def run(order: str, calls: str | None = None) -> dict[str, Any]:
    for name in order.split(","):
        if name in MODULES:
            pytest.importorskip(MODULES[name])
    return spans_of("calls.py", order, *([calls] if calls else []))


@pytest.mark.parametrize("order", ORDERS)
def test_tokens_of_every_call_are_counted_once(order: str) -> None:
    seen = run(order)
    problems = {name: found for name, call in seen.items() if (found := problems_of(**call))}
    assert not problems
    assert len(seen) >= 6


def problems_of(requests: int, spans: list[dict[str, Any]]) -> list[str]:
    counting = [span for span in spans if any(name.startswith(NUMBERS) for name in span["attributes"])]
    calls = [span for span in spans if span["attributes"].get("openinference.span.kind") in {"LLM", "EMBEDDING"}]
    problems: list[str] = []
    if counting != calls or {span["scope"] for span in calls} != {"aotel"}:
        problems.append(f"counted by {[(span['name'], span['scope']) for span in counting]}")
    tokens = [[span["attributes"].get(name) for span in calls] for name in TOKENS]
    if tokens != [[11] * requests] * len(TOKENS):
        problems.append(f"tokens {tokens}")
    problems += [
        f"{span['name']} has {sign}"
        for span in spans
        for sign in SIGNS
        if sign in span["attributes"]
        if span not in calls
    ]
    return problems


def test_calls_are_children_of_the_langchain_run_that_makes_them() -> None:
    calls = (
        "chain_plain,chain_streamed,chain_plain_async,chain_streamed_async,chain_parallel,chain_in_threads,"
        "chain_of_two_prompts,chain_beside_direct_calls,chain_with_both_inside"
    )
    seen = run("openinference-langchain,aotel", calls)
    for name, call in seen.items():
        runs = {span["id"]: span for span in call["spans"] if span["name"] == "ChatOpenAI"}
        ours = [span for span in call["spans"] if span["name"] == "chat model-1"]
        inside = [span["parent"] for span in ours if span["parent"] in runs]
        assert sorted(inside) == sorted(runs), name
        assert all(span["trace"] == runs[span["parent"]]["trace"] for span in ours if span["parent"] in runs)


def test_what_is_around_a_call_keeps_what_went_in_and_came_out() -> None:
    seen = run("aotel,openinference-openai", "plain")
    (outer,) = [span for span in seen["plain"]["spans"] if span["scope"] != "aotel"]
    assert "hi" in outer["attributes"]["input.value"]
    assert "Hello" in outer["attributes"]["output.value"]
    assert outer["attributes"]["openinference.span.kind"] == "CHAIN"


def test_each_call_is_seen_once_by_each_whoever_is_switched_on_and_off() -> None:
    pytest.importorskip("openinference.instrumentation.openai")
    assert spans_of("off.py") == {
        "put back before ours": ["ours"],
        "inside ours": ["ours", "theirs"],
        "inside ours, ours off": ["theirs"],
        "inside ours, ours on again": ["ours", "theirs"],
        "inside ours, theirs off, ours again": ["ours"],
        "around ours": ["ours", "theirs"],
        "around ours, ours off": ["theirs"],
        "around ours, ours on again": ["ours", "theirs"],
        "around ours, theirs off": ["ours"],
        "all off": [],
    }
