"""An agent that answers questions about this project's documentation.

    aotel run -- python examples/docs_agent/agent.py --question "How are secrets redacted?"

A model plans, looks things up with the tools it is given, and answers; a second agent checks its sources, and you are
asked before a file is written. The model's calls are recorded because the package they are made with is instrumented,
everything else because it is a plain function with a decorator. Nothing in here says where the recording goes.
"""

from __future__ import annotations

import argparse
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from console import Console
from corpus import keywords
from library import Library
from model import MISSING, Message, Model, ModelError, Reply, ToolCall, connect
from tools import TOOLS, Tools

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
INSTRUCTIONS = """\
You answer questions about aotel from its documentation, and from nothing else. Look things up first: open the document
that the question names, or search and then read the sections that fit. If a tool fails, find a way round. Answer in
three sentences at most, in plain text, and put behind each sentence the number of the section that says so, like [1].
If the documentation does not say it, answer: The documentation does not say."""
TURNS = 6  # in which the model may look things up; then it has to answer
AT_ONCE = 8  # tools that run side by side
SUPPORT = 0.6  # of a sentence's words that have to stand in its source
INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended

CITED = re.compile(r"((?:\s*\[\d+\])+)")
NUMBER = re.compile(r"\[(\d+)\]")


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
        numbers = sorted({int(number) for number in NUMBER.findall(self.text)})
        cited = [f"[{number}] {self.sources[number - 1]}" for number in numbers if 0 < number <= len(self.sources)]
        checked = "each sentence was found there" if self.supported else "not all of it was found there"
        return "\n".join(f"   {line}" for line in (*cited, f"({checked})" if cited else "(no section is named)"))


class DocsAgent:
    """Answers questions.

    Args:
        library: what it may read.
        console: where it talks to people.
        model: what it asks.
    """

    def __init__(self, library: Library, console: Console, model: Model) -> None:
        self._tools = Tools(library)
        self._console = console
        self._model = model
        self._checker = SourceChecker(library)

    @aotel.run
    def answer(self, question: str) -> Answer:
        """Answer a question from the documents."""
        talk: list[Message] = [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": question},
        ]
        sources: list[str] = []
        reply = self.plan(talk)
        for turn in range(1, TURNS + 1):
            if not reply.calls:
                break
            talk += [reply.message, *self.look_up(reply.calls, sources)]
            reply = self.say(talk, tool_choice="auto" if turn < TURNS else "none")
        aotel.set_result(reply.text)  # what a person wants to see, in place of the object that is returned
        return Answer(question, reply.text, sources, self._checker.check(reply.text, sources))

    @aotel.coat("planning")
    def plan(self, talk: list[Message]) -> Reply:
        """Have the model say what it wants to look up first."""
        reply = self._model.ask(talk, tools=TOOLS, tool_choice="required")
        if not reply.calls:  # not every model does as it is told
            self._console.write(reply.text.split(), mark="A  ")
        aotel.set_result(" ".join(f"{call.name} {call.arguments}" for call in reply.calls))
        return reply

    def look_up(self, calls: list[ToolCall], sources: list[str]) -> list[Message]:
        """Return what the tools say that the model asks for, run side by side: threads keep their place in the trace.

        Args:
            calls: what it asks for.
            sources: addresses of the sections that were read; new ones are added, and their place is their number.
        """
        with aotel.step("look up", calls=len(calls)), ThreadPoolExecutor(AT_ONCE) as threads:
            found = list(threads.map(self._tools.call, calls))
        told = []
        for call, result in zip(calls, found, strict=True):
            passages = [] if isinstance(result, str) else result
            sources += [address for address, _ in passages if address not in sources]
            numbered = (f"[{sources.index(address) + 1}] {address}\n{text}" for address, text in passages)
            content = result if isinstance(result, str) else "\n\n".join(numbered)
            told.append({"role": "tool", "tool_call_id": call.id, "content": content})
        return told

    def say(self, talk: list[Message], tool_choice: str) -> Reply:
        """Have the model go on, and say what it says as it comes."""
        with self._model.stream(talk, tools=TOOLS, tool_choice=tool_choice) as reply:
            self._console.write(reply, mark="A  ")
        return reply

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
        parts = CITED.split(text)  # sentences, each with numbers behind it
        cited = zip(parts[::2], parts[1::2], strict=False)
        claims = [(sentence, int(number)) for sentence, numbers in cited for number in NUMBER.findall(numbers)]
        return bool(claims) and all(
            0 < number <= len(sources) and self.stands_in(sentence, sources[number - 1]) for sentence, number in claims
        )

    @aotel.coat("validation")
    def stands_in(self, sentence: str, address: str) -> bool:
        """Say whether a sentence stands in a section: most of its words, for a model may put it in its own."""
        words = set(keywords(sentence))
        found = words & set(keywords(self._library.read_section(address)))
        return len(found) >= SUPPORT * len(words)


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    options = _options(arguments)
    if find_spec("openai") is None:
        print(MISSING, file=sys.stderr)
        return 1
    console = Console()
    try:
        with connect() as model:
            _ask(options.question or QUESTIONS, console, model)
    except ModelError as error:
        console.say()
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Answers questions about aotel from its documentation.",
        epilog="What it does is recorded, and goes where the environment says (AOTEL_*, OTEL_*), or `aotel run`.",
    )
    parser.add_argument("-q", "--question", action="append", help="what to ask; may be given several times")
    return parser.parse_args(arguments)


def _ask(questions: Sequence[str], console: Console, model: Model) -> None:
    """Ask questions, and have the answers kept if somebody wants them."""
    answers: list[Answer] = []
    library = Library(ROOT)
    agent = DocsAgent(library, console, model)
    console.say(f"{len(library)} sections of documentation, answered by {model.name}\n")
    with aotel.session(name="docs-demo"):
        for question in questions:
            console.say(f"Q  {question}")
            answers.append(agent.answer(question))
            console.say(answers[-1].footnotes + "\n")
        if agent.may_keep(OUTPUT / "answers.md"):
            agent.keep(answers, OUTPUT / "answers.md")


if __name__ == "__main__":
    sys.exit(main())
