"""What the local model says: only what it was given, and from where; before that, it asks for tools."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.examples.programs import module

extractive = module("extractive")

PASSAGES = """[1] a.md#keys
Keys are replaced by a marker. The weather is fine today. A marker hides the key.

[2] b.md#more
- **Bold** words in a [list](there.md) item. Nothing of it matters here."""
TOOLS = ("read_document", "read_section", "search")


class _Talk:
    """A conversation in which tools say what they are told to."""

    def __init__(self, question: str) -> None:
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": question}]

    def next(self, *results: str, tools: tuple[str, ...] = TOOLS) -> Any:
        """Return what the model says, and take it up with the results of the tools that it asked for."""
        said = extractive.reply(self.messages, tools)
        calls = [{"function": {"name": call.name, "arguments": json.dumps(call.arguments)}} for call in said.calls]
        self.messages.append({"role": "assistant", "content": said.text or None, "tool_calls": calls})
        self.messages += [{"role": "tool", "content": result} for result in results]
        return [(call.name, *call.arguments.values()) for call in said.calls] or said.text


def test_answer_is_made_of_the_sentences_that_fit() -> None:
    answer = extractive.answer("What replaces keys?", [PASSAGES])
    assert answer.startswith("Keys are replaced by a marker. [1]")
    assert "weather" not in answer


def test_nothing_that_fits_is_admitted() -> None:
    assert extractive.answer("Zyzzyva?", [PASSAGES]) == extractive.NO_ANSWER
    assert extractive.answer("Keys?", []) == extractive.NO_ANSWER


def test_sentences_are_those_of_paragraphs_and_lists_without_markup() -> None:
    text = "One sentence is here. `Code` may begin one!\n\n- **Bold** words in a [list](x.md)\n| a table | of words |"
    assert extractive.split_sentences(text) == [
        "One sentence is here.",
        "`Code` may begin one!",
        "Bold words in a list",
    ]


def test_it_searches_reads_what_was_found_and_answers() -> None:
    talk = _Talk("What replaces the keys?")
    assert talk.next("- a.md#keys: Keys are\n- b.md#more: Bold words") == [("search", "replaces keys")]
    sections = PASSAGES.split("\n\n")
    assert talk.next(*sections) == [("read_section", "a.md#keys"), ("read_section", "b.md#more")]
    assert talk.next().startswith("Keys are replaced by a marker. [1]")


def test_it_opens_the_document_that_the_question_names_and_searches_if_there_is_none() -> None:
    talk = _Talk("What does docs/keys.md say about keys?")
    assert talk.next("FileNotFoundError: there is no docs/keys.md") == [("read_document", "docs/keys.md")]
    assert talk.next("nothing was found") == [("search", "keys")]
    assert talk.next() == extractive.NO_ANSWER


def test_document_that_was_read_is_answered_from() -> None:
    talk = _Talk("What does a.md say about keys?")
    assert talk.next(PASSAGES) == [("read_document", "a.md")]
    assert talk.next().startswith("Keys are replaced by a marker. [1]")


def test_it_asks_for_no_tool_that_it_was_not_offered() -> None:
    assert _Talk("What replaces the keys?").next(tools=("weather",)) == extractive.NO_ANSWER


def test_few_tools_are_asked_for_at_once() -> None:
    names = " ".join(f"page{number}.md" for number in range(50))
    assert len(_Talk(f"What is in {names}?").next()) == extractive.CALLS


def test_text_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": "What replaces keys?"}, {"type": "image_url", "image_url": {"url": "x"}}]
    messages = [{"role": "system", "content": PASSAGES}, {"role": "user", "content": parts}]
    assert extractive.reply(messages, ()).text.startswith("Keys are replaced")


@given(st.lists(st.tuples(st.from_regex(r"[a-z#.]{1,9}", fullmatch=True), st.text()), max_size=4), st.text())
def test_any_question_about_any_passages_is_answered(passages: list[tuple[str, str]], question: str) -> None:
    numbered = "\n\n".join(f"[{number}] {title}\n{text}" for number, (title, text) in enumerate(passages, 1))
    answer = extractive.answer(question, [numbered])
    assert answer == extractive.NO_ANSWER or re.search(r" \[\d+\]$", answer)


_NAMES = st.sampled_from(["- a.md#keys: Keys", "docs/keys.md", PASSAGES, "nothing was found"])


@given(_NAMES | st.text(), st.lists(_NAMES | st.text(), max_size=4))
def test_any_conversation_comes_to_an_end(question: str, results: list[str]) -> None:
    talk = _Talk(question)
    for result in [*results, *[""] * 9]:
        said = talk.next(result)
        if isinstance(said, str):
            assert said
            return
    raise AssertionError(f"it still asks for {said}")


@given(st.text())
def test_any_text_has_sentences_or_none(text: str) -> None:
    assert all(sentence == " ".join(sentence.split()) for sentence in extractive.split_sentences(text))
