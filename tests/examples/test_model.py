"""The extractive model: it says only what it was given, and says from where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.examples.programs import module

if TYPE_CHECKING:
    from aotel.testing import RecordedEnvelopes, RecordedSpans

model = module("model")

PASSAGES = [
    ("a.md#keys", "Keys are replaced by a marker. The weather is fine today. A marker hides the key."),
    ("b.md#more", "- **Bold** words in a [list](there.md) item. Nothing of it matters here."),
]


def test_answer_is_made_of_the_sentences_that_fit() -> None:
    answer = model.chat(model.prompt("What replaces keys?", PASSAGES))
    assert answer.startswith("Keys are replaced by a marker. [1]")
    assert "weather" not in answer


def test_nothing_that_fits_is_admitted() -> None:
    assert model.chat(model.prompt("Zyzzyva?", PASSAGES)) == model.NO_ANSWER
    assert model.chat(model.prompt("Keys?", [])) == model.NO_ANSWER


def test_sentences_are_those_of_paragraphs_and_lists_without_markup() -> None:
    text = "One sentence is here. `Code` may begin one!\n\n- **Bold** words in a [list](x.md)\n| a table | of words |"
    assert model.split_sentences(text) == [
        "One sentence is here.",
        "`Code` may begin one!",
        "Bold words in a list",
    ]


def test_span_says_model_and_tokens(record_spans: RecordedSpans, record_envelopes: RecordedEnvelopes) -> None:
    model.chat(model.prompt("What replaces keys?", PASSAGES))
    attributes = dict(record_spans.named("chat").attributes or {})
    assert attributes["gen_ai.request.model"] == attributes["llm.model_name"] == "extractive-local"
    assert attributes["llm.token_count.prompt"] == attributes["gen_ai.usage.input_tokens"]
    assert attributes["openinference.span.kind"] == "LLM"
    llm = record_envelopes.envelopes[-1]["payload"]["llm"]
    assert llm["request_model"] == "extractive-local"
    assert llm["output_tokens"] == attributes["llm.token_count.completion"]


_TITLES = st.from_regex(r"[a-z#.]{1,9}", fullmatch=True)


@given(st.lists(st.tuples(_TITLES, st.text()), max_size=4), st.text())
def test_any_question_about_any_passages_is_answered(passages: list[tuple[str, str]], question: str) -> None:
    answer = model.chat(model.prompt(question, passages))
    assert answer == model.NO_ANSWER or re.search(r" \[\d+\]$", answer)


@given(st.text())
def test_any_text_has_sentences_or_none(text: str) -> None:
    assert all(sentence == " ".join(sentence.split()) for sentence in model.split_sentences(text))
