"""The example agent, sent into a Phoenix, and what its model and it said to each other, as the wire had it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.e2e.running import AGENT, INSTRUMENT, run
from tests.e2e.wiretap import Wiretap
from tests.examples.programs import module

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.phoenix import Phoenix, Span
    from tests.e2e.wiretap import Exchange

QUESTION = "What does docs/faq.md say about secrets?"
"""About a document that there is not: a tool fails."""
PROJECT = "docs demo"
ROOT_SPAN = "docs-demo"
"""Of the session, which ends last."""


@dataclass(frozen=True)
class Demo:
    """A run of the agent.

    Attributes:
        project: where Phoenix has it.
        spans: what Phoenix has, in the order in which they started.
        exchanges: what the agent and its model said.
        printed: what the agent told people.
    """

    project: str
    spans: list[Span]
    exchanges: list[Exchange]
    printed: str

    def named(self, name: str) -> list[Span]:
        """Return the spans of a name."""
        return [span for span in self.spans if span.name == name]

    def tree(self) -> list[tuple[str, str, str | None]]:
        """Return name, kind and parent's name of each span; alike ones once."""
        names = {span.id: span.name for span in self.spans}
        found = ((span.name, span.kind, names.get(span.parent or "")) for span in self.spans)
        return list(dict.fromkeys(found))


def run_agent(
    phoenix: Phoenix,
    directory: Path,
    *,
    project: str = PROJECT,
    command: tuple[str, ...] = INSTRUMENT,
    question: str = QUESTION,
    **variables: str,
) -> Demo:
    """Run the agent, and wait until Phoenix has all of it.

    Args:
        phoenix: where its spans go.
        directory: where it runs.
        project: what Phoenix files them under.
        command: what runs Python, ours if nothing else is said.
        question: what it is asked.
        variables: of its environment. Content is written raw unless they say something else, to be compared.
    """
    local = module("local_server")
    with local.LocalServer() as server, Wiretap(server.url) as tap:
        printed = run(
            directory,
            *command,
            AGENT,
            "--question",
            question,
            project=project,
            phoenix=phoenix,
            **{
                "OPENAI_BASE_URL": tap.url,
                "OPENAI_MODEL": local.MODEL,
                "AOTEL_CAPTURE": "raw",
                **variables,
            },
        )
    spans = phoenix.spans(project, until=lambda found: _is_whole(found, len(tap.exchanges)))
    return Demo(project, spans, tap.exchanges, printed)


def _is_whole(spans: list[Span], calls: int) -> bool:
    names = [span.name for span in spans]
    return ROOT_SPAN in names and "DocsAgent.may_keep" in names and sum(span.kind == "LLM" for span in spans) >= calls
