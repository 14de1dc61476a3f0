"""What the demo's local "model" says: nothing is learned, it answers with sentences of the documents it is given.

Before it answers it asks for the tools it is offered, as a model would: it opens the document that the question names,
searches, and reads the sections that were found. It knows the agent's three tools by their names.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpus import COMMON, WORD, keywords

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

NO_ANSWER = "The documentation does not say."
CALLS = 3  # tools that are asked for at once, at most
SENTENCES = 3  # of an answer at most
SHORTEST = 4  # words of a sentence that can stand alone
REPEATED = 0.35  # what a word is worth that the answer has already
ENOUGH = 0.3  # of what the first sentence is worth, which a further one has to be worth too

DOCUMENT = re.compile(r"[\w./-]{1,200}\.md")
ADDRESS = re.compile(r"^- ([^\s#]+#\S+):", re.MULTILINE)
PASSAGE = re.compile(r"^\[(\d+)\] (.*?)\n(.*?)(?=^\[\d+\] |\Z)", re.MULTILINE | re.DOTALL)
BLOCK_END = re.compile(r"\n\s*(?:[-*]|\d+\.)\s+|\n\s*\n")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\"(])")
TABLE = re.compile(r"^\|.*$", re.MULTILINE)
MARKUP = re.compile(r"\*\*|<!--.*?-->|\[(?P<text>[^\]]+)\]\([^)]*\)", re.DOTALL)

Message = dict[str, Any]  # as in the wire format


@dataclass(frozen=True)
class ToolCall:
    """A tool to be called."""

    name: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class Said:
    """What the model says: a text, or the tools that it wants called first."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """A sentence of a passage, with those of its words that mean something."""

    passage: int
    position: int
    text: str
    words: frozenset[str]


def reply(messages: list[Message], tools: Collection[str]) -> Said:
    """Return what follows on messages.

    Args:
        messages: the conversation so far.
        tools: names of the tools that may be asked for.
    """
    question = next((text_of(message) for message in reversed(messages) if message.get("role") == "user"), "")
    texts = [text_of(message) for message in messages if message.get("role") in {"system", "tool"}]
    wanted = _wanted(question, messages, has_read=any(PASSAGE.search(text) for text in texts))
    calls = tuple(call for call in wanted if call.name in tools)
    return Said(calls=calls[:CALLS]) if calls else Said(answer(question, texts))


def answer(question: str, texts: Iterable[str]) -> str:
    """Return the sentences that answer a question, each with the number of its passage behind it.

    Args:
        question: what is asked.
        texts: what they are taken from: of passages, each of which is a line `[number] title` and what stands below it.
    """
    sentences = [sentence for text in texts for sentence in _sentences(text)]
    chosen = _choose(frozenset(keywords(question)), sentences)
    in_order = sorted(chosen, key=lambda sentence: (sentence.passage, sentence.position))
    return " ".join(f"{sentence.text} [{sentence.passage}]" for sentence in in_order) or NO_ANSWER


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a Markdown text: of its paragraphs and lists, not of its tables."""
    plain = MARKUP.sub(lambda found: found["text"] or "", TABLE.sub("", text))
    blocks = (" ".join(block.split()) for block in BLOCK_END.split(f"\n{plain}"))
    sentences = (sentence for block in blocks for sentence in SENTENCE_END.split(block))
    return [one for one in sentences if len(WORD.findall(one)) >= SHORTEST and not one.endswith(":")]


def text_of(message: Message) -> str:
    """Return the text of a message, which may come in parts."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _wanted(question: str, messages: list[Message], *, has_read: bool) -> list[ToolCall]:
    """Return the tools to call next; none that was called before."""
    called = {
        (call["function"]["name"], call["function"]["arguments"])
        for message in messages
        for call in message.get("tool_calls") or ()
    }
    found = "\n".join(text_of(message) for message in messages if message.get("role") == "tool")
    words = [word for word in WORD.findall(DOCUMENT.sub("", question).lower()) if word not in COMMON]
    steps = [[ToolCall("read_document", {"path": path}) for path in dict.fromkeys(DOCUMENT.findall(question))]]
    if words and not has_read:
        steps.append([ToolCall("search", {"query": " ".join(words)})])
    if not has_read:
        steps.append([ToolCall("read_section", {"address": address}) for address in ADDRESS.findall(found)])
    for step in steps:
        fresh = [call for call in step if (call.name, json.dumps(call.arguments)) not in called]
        if fresh:
            return fresh
    return []


def _sentences(text: str) -> Iterator[Sentence]:
    for number, _, passage in PASSAGE.findall(text):
        for position, sentence in enumerate(split_sentences(passage)):
            yield Sentence(int(number), position, sentence, frozenset(keywords(sentence)))


def _choose(asked: frozenset[str], sentences: Iterable[Sentence]) -> list[Sentence]:
    """Choose one sentence after the other: each time the one that answers most of what is still open."""
    left = list(sentences)
    holders = Counter(word for sentence in left for word in sentence.words & asked)
    chosen: list[Sentence] = []

    def worth(sentence: Sentence) -> float:
        said = {word for other in chosen for word in other.words}
        words = sentence.words & asked
        matter = sum((REPEATED if word in said else 1) / math.sqrt(holders[word]) for word in words)
        return matter / math.sqrt(sentence.passage + 4)

    least = 0.0
    while left and len(chosen) < SENTENCES:
        best = max(left, key=worth)
        if worth(best) <= least:
            break
        least = least or ENOUGH * worth(best)
        left.remove(best)
        chosen.append(best)
    return chosen
