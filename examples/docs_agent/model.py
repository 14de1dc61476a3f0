"""The agent's "model": no network and nothing learned, it answers with sentences of the passages that it is given.

It has a chat model's face (messages in, a message out), so that a real one could stand in its place.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpus import WORD, keywords
from opentelemetry import trace

import aotel

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "extractive-local"
NO_ANSWER = "The documentation does not say."
SENTENCES = 3  # of an answer at most
SHORTEST = 4  # words of a sentence that can stand alone
REPEATED = 0.35  # what a word is worth that the answer has already
ENOUGH = 0.3  # of what the first sentence is worth, which a further one has to be worth too

PASSAGE = re.compile(r"^\[(\d+)\] (.*?)\n(.*?)(?=^\[\d+\] |\Z)", re.MULTILINE | re.DOTALL)
BLOCK_END = re.compile(r"\n\s*(?:[-*]|\d+\.)\s+|\n\s*\n")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\"(])")
TABLE = re.compile(r"^\|.*$", re.MULTILINE)
MARKUP = re.compile(r"\*\*|<!--.*?-->|\[(?P<text>[^\]]+)\]\([^)]*\)", re.DOTALL)

Message = dict[str, str]


@dataclass(frozen=True)
class Sentence:
    """A sentence of a passage, with those of its words that mean something."""

    passage: int
    position: int
    text: str
    words: frozenset[str]


def prompt(question: str, passages: list[tuple[str, str]]) -> list[Message]:
    """Return the messages that ask a question about passages, each of which has a title and a text."""
    numbered = "\n\n".join(f"[{number}] {title}\n{text}" for number, (title, text) in enumerate(passages, 1))
    return [
        {"role": "system", "content": f"Answer from these passages alone, and say from which.\n\n{numbered}"},
        {"role": "user", "content": question},
    ]


@aotel.coat("llm", attributes={"gen_ai.provider.name": "local", "gen_ai.request.model": NAME})
def chat(messages: list[Message]) -> str:
    """Return the sentences that answer the last message, each with the number of its passage behind it."""
    passages, question = messages[0]["content"], messages[-1]["content"]
    chosen = _choose(frozenset(keywords(question)), list(_sentences(passages)))
    in_order = sorted(chosen, key=lambda sentence: (sentence.passage, sentence.position))
    answer = " ".join(f"{sentence.text} [{sentence.passage}]" for sentence in in_order) or NO_ANSWER
    _report_usage(messages, answer)
    return answer


def _sentences(content: str) -> Iterator[Sentence]:
    for number, _, text in PASSAGE.findall(content):
        for position, sentence in enumerate(split_sentences(text)):
            yield Sentence(int(number), position, sentence, frozenset(keywords(sentence)))


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a Markdown text: of its paragraphs and lists, not of its tables."""
    plain = MARKUP.sub(lambda found: found["text"] or "", TABLE.sub("", text))
    blocks = (" ".join(block.split()) for block in BLOCK_END.split(f"\n{plain}"))
    sentences = (sentence for block in blocks for sentence in SENTENCE_END.split(block))
    return [one for one in sentences if len(WORD.findall(one)) >= SHORTEST and not one.endswith(":")]


def _choose(asked: frozenset[str], sentences: list[Sentence]) -> list[Sentence]:
    """Choose one sentence after the other: each time the one that answers most of what is still open."""
    holders = Counter(word for sentence in sentences for word in sentence.words & asked)
    chosen: list[Sentence] = []

    def worth(sentence: Sentence) -> float:
        said = {word for other in chosen for word in other.words}
        words = sentence.words & asked
        matter = sum((REPEATED if word in said else 1) / math.sqrt(holders[word]) for word in words)
        return matter / math.sqrt(sentence.passage + 4)

    least = 0.0
    while len(chosen) < SENTENCES:
        best = max((sentence for sentence in sentences if sentence not in chosen), key=worth, default=None)
        if best is None or worth(best) <= least:
            break
        least = least or ENOUGH * worth(best)
        chosen.append(best)
    return chosen


def _report_usage(messages: list[Message], answer: str) -> None:
    # A model's own numbers are written as GenAI attributes; aotel says them in the other vocabularies.
    span = trace.get_current_span()
    span.set_attribute("gen_ai.usage.input_tokens", sum(len(WORD.findall(message["content"])) for message in messages))
    span.set_attribute("gen_ai.usage.output_tokens", len(WORD.findall(answer)))
    span.set_attribute("gen_ai.response.finish_reasons", ["stop"])
