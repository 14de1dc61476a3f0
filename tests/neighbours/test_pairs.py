"""Every pair of instrumentors in one process: a call's tokens are counted once, in the spans and in the envelopes."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import pytest

from tests.neighbours.running import foreign

OPENAI = ("openinference-openai", "genai-openai", "openllmetry-openai")
ANTHROPIC = ("openinference-anthropic", "openllmetry-anthropic")
PAIRS: list[tuple[str, tuple[str, ...]]] = [
    *(("openai", pair) for name in OPENAI for pair in permutations(("aotel", name))),
    *(("openai", pair) for pair in combinations(OPENAI, 2)),
    *(("anthropic", pair) for pair in permutations(("aotel", *ANTHROPIC), 2)),
    *(("anthropic", (name,)) for name in ANTHROPIC),  # the SDK's own spans are the other half of the pair
    ("langchain", ("aotel", "openinference-langchain")),
    ("langchain", ("openinference-langchain", "aotel")),
    *(("langchain", ("openinference-langchain", name)) for name in OPENAI),
    ("litellm", ("aotel", "openinference-litellm")),
    ("litellm", ("openinference-litellm", "aotel")),
    *(("litellm", ("openinference-litellm", name)) for name in OPENAI),
    ("litellm", ("aotel", "openllmetry-openai")),
    *(("pydantic-ai", ("pydantic-ai", name)) for name in ("aotel", *OPENAI)),
    ("openai", ("aotel", *OPENAI)),
    ("anthropic", ("aotel", *ANTHROPIC)),
]
"""Library, and who instruments it, in their order."""

TWICE = {"one_while_another_is_read", "two_in_threads", "two_in_tasks"}
"""Calls that are made twice, with the same model and messages, at one time."""
COUNTED = {"LLM", "EMBEDDING"}
NUMBERS = ("llm.token_count.", "gen_ai.usage.", "llm.usage.", "llm.cost.")


@pytest.mark.parametrize(
    ("library", "names"), PAIRS, ids=lambda value: "+".join(value) if type(value) is tuple else value
)
def test_tokens_are_counted_once(library: str, names: tuple[str, ...]) -> None:
    (seen,) = foreign(library, *names)
    reported = 24 if library == "anthropic" else 19
    for name, call in seen.items():
        expected = [] if name == "failing" else [8] if name == "embedding" else [reported]
        if name in TWICE:
            expected *= 2
        if name == "streamed_unasked" and "aotel" not in names:
            expected = []  # nobody asked, and the server did not say
        assert counted(call["spans"], "llm.token_count.prompt") == expected, name
        assert counted(call["spans"], "gen_ai.usage.input_tokens") == expected, name
        assert told(call["envelopes"], "input_tokens") == expected, name
        if name != "embedding":
            assert counted(call["spans"], "llm.token_count.completion") == [10] * len(expected), name
            assert told(call["envelopes"], "output_tokens") == [10] * len(expected), name
        if "aotel" in names:
            assert {span["scope"] for span in call["spans"] if kind(span) in COUNTED} == {"aotel"}, name


def kind(span: dict[str, Any]) -> str | None:
    found: str | None = span["attributes"].get("openinference.span.kind")
    return found


def counted(spans: list[dict[str, Any]], name: str) -> list[int]:
    """Return what a backend adds up, after a check that no other span of a call has numbers."""
    for span in spans:
        if kind(span) == "CHAIN":
            assert not [key for key in span["attributes"] if key.startswith(NUMBERS)], span["name"]
        elif kind(span) not in COUNTED:
            assert "llm.token_count.prompt" not in span["attributes"], span["name"]
    return [span["attributes"][name] for span in spans if kind(span) in COUNTED and name in span["attributes"]]


def told(envelopes: list[dict[str, Any]], name: str) -> list[int]:
    said = [envelope["payload"].get("llm") or {} for envelope in envelopes]
    return [model[name] for model in said if name in model]
