"""An agent that answers questions about this project's documentation, and shows what aotel recorded of it.

    python examples/docs_agent/agent.py --question "How are secrets redacted?"

It plans, searches, ranks, reads, asks a model, has a second agent check the sources, and asks you before it writes a
file. Each of these is a plain function with a decorator; what the decorators recorded is printed at the end.
"""

from __future__ import annotations

import argparse
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import model
from console import Console
from corpus import keywords
from library import Library
from recording import Recording

import aotel

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = Path(".aotel")
QUESTIONS = (
    "What is lost when a process is killed?",
    "Where do envelopes go when there is no pod?",
    "What does docs/faq.md say about secrets?",
)
INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended

DOCUMENT = re.compile(r"[\w./-]+\.md")
CITATION = re.compile(r"(.*?) \[(\d+)\]\s*", re.DOTALL)

Passage = tuple[str, str]  # the address of a section, and its text


@dataclass(frozen=True)
class Plan:
    """How a question is going to be answered."""

    words: list[str]
    documents: list[str]


@dataclass(frozen=True)
class Answer:
    """What the agent says, where it read it, and whether that was found to be so."""

    question: str
    text: str
    sources: list[str]
    supported: bool

    @property
    def footnotes(self) -> str:
        """What the numbers in the text mean."""
        cited = sorted({int(number) for _, number in CITATION.findall(self.text)})
        checked = "each sentence was found there" if self.supported else "not all of it was found there"
        return "\n".join([*(f"   [{number}] {self.sources[number - 1]}" for number in cited), f"   ({checked})"])


class DocsAgent:
    """Answers questions.

    Args:
        library: what it may read.
        console: where it talks to people.
    """

    def __init__(self, library: Library, console: Console) -> None:
        self._library = library
        self._console = console
        self._checker = SourceChecker(library)

    @aotel.run
    def answer(self, question: str) -> Answer:
        """Answer a question from the documents."""
        plan = self.plan(question)
        passages = self.read_named(plan.documents) or self.read_found(plan.words)
        text = model.chat(model.prompt(question, passages))
        self.say(text)
        sources = [address for address, _ in passages]
        aotel.set_result(text)  # what a person wants to see, in place of the object that is returned
        return Answer(question, text, sources, self._checker.check(text, sources))

    @aotel.coat("planning")
    def plan(self, question: str) -> Plan:
        """Decide which documents to open and what to look for."""
        return Plan(keywords(DOCUMENT.sub("", question)), DOCUMENT.findall(question))

    def read_named(self, documents: list[str]) -> list[Passage]:
        """Return what stands in the documents that the question names; one that cannot be read is passed over."""
        passages: list[Passage] = []
        for path in documents:
            try:
                passages += ((section.id, section.text) for section in self._library.read_document(path))
            except OSError as error:
                aotel.tie("document passed over", {"path": path, "because": type(error).__name__})
        return passages

    def read_found(self, words: list[str]) -> list[Passage]:
        """Return the sections that a search finds, read side by side: threads keep their place in the trace."""
        hits = self._library.rank(words, self._library.search(words))
        addresses = [hit.id for hit in hits]
        with aotel.step("read", sections=len(hits)), ThreadPoolExecutor() as threads:
            return list(zip(addresses, threads.map(self._library.read_section, addresses), strict=True))

    def say(self, text: str) -> None:
        """Say an answer word by word, as a model's stream would bring it."""
        with aotel.stream("say") as words:
            self._console.write(words.wrap(text.split()), mark="A  ")

    @aotel.coat("human")
    def may_keep(self, file: Path) -> bool:
        """Ask the person at the terminal, if there is one, whether the answers may be written to a file."""
        answer = self._console.ask(f"Keep the answers in {file}? [y/N]", default="n", timeout=15)
        return answer.lower().startswith("y")

    @aotel.coat("memory")
    def keep(self, answers: list[Answer], file: Path) -> None:
        """Write answers to a file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(f"# {answer.question}\n\n{answer.text}\n" for answer in answers), encoding="utf-8")


class SourceChecker:
    """A second agent, which does not take the first one's word for it.

    Args:
        library: where it looks things up.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    @aotel.coat("delegation")
    def check(self, text: str, sources: list[str]) -> bool:
        """Say whether each sentence of an answer stands in the source whose number is behind it."""
        claims = [(sentence, sources[int(number) - 1]) for sentence, number in CITATION.findall(text)]
        return all(self.stands_in(sentence, source) for sentence, source in claims)

    @aotel.coat("validation")
    def stands_in(self, sentence: str, address: str) -> bool:
        """Say whether a sentence stands in a section."""
        return sentence in model.split_sentences(self._library.read_section(address))


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    options = _options(arguments)
    console = Console(quiet=options.json)
    recording = Recording(OUTPUT / "docs_agent.jsonl")
    try:
        answers = _ask(options.question or QUESTIONS, console)
    except KeyboardInterrupt:
        return INTERRUPTED
    if options.json:
        print(recording.as_json(answers))
    else:
        print("\n".join(recording.as_text()))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Answers questions about aotel from its documentation, and shows what aotel recorded of that.",
        epilog="Envelopes go to a file in .aotel, and like spans to wherever the environment says (AOTEL_*, OTEL_*).",
    )
    parser.add_argument("-q", "--question", action="append", help="what to ask; may be given several times")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON, and ask nothing back")
    return parser.parse_args(arguments)


def _ask(questions: Sequence[str], console: Console) -> list[Answer]:
    library = Library(ROOT)
    agent = DocsAgent(library, console)
    console.say(f"{len(library)} sections of documentation, answered by {model.NAME}\n")
    answers = []
    with aotel.session(name="docs-demo"):
        for question in questions:
            console.say(f"Q  {question}")
            answers.append(agent.answer(question))
            console.say(answers[-1].footnotes + "\n")
        if agent.may_keep(OUTPUT / "answers.md"):
            agent.keep(answers, OUTPUT / "answers.md")
    return answers


if __name__ == "__main__":
    sys.exit(main())
