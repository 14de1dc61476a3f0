"""`aotel doctor`: what is installed, configured and reachable, and what to do about each problem."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from aotel.cli.doctor import destinations, in_force, installed
from aotel.cli.visible import visible

if TYPE_CHECKING:
    from aotel.cli.doctor.finding import Finding, Section

_MARKS = {"ok": ("✓", "green"), "info": ("·", "dim"), "warning": ("!", "yellow"), "problem": ("✗", "red")}
_PLAIN = {"ok": "ok", "info": "-", "warning": "!", "problem": "X"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 60),
    default=3.0,
    show_default=True,
    help="Seconds to wait for the answer of each endpoint.",
)
def command(*, as_json: bool, timeout: float) -> None:
    """Say what is installed and instrumented, where spans and envelopes go, and whether each endpoint answers.

    It looks at the environment that it runs in: call it where and how the program is called. Its exit status is 1 if
    something does not work.
    """
    sections = [
        installed.packages(),
        installed.instrumented(),
        in_force.settings(),
        destinations.exporters(),
        destinations.endpoints(timeout),
    ]
    problems = sum(finding.state == "problem" for section in sections for finding in section.findings)
    if as_json:
        click.echo(json.dumps(_as_json(sections), indent=2))
    else:
        _print(sections, problems)
    raise SystemExit(1 if problems else 0)


def _as_json(sections: list[Section]) -> dict[str, list[dict[str, str]]]:
    return {section.title: [finding._asdict() for finding in section.findings] for section in sections}


def _print(sections: list[Section], problems: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    arrow = "→" if _fancy(console.encoding) else "->"
    width = max(len(finding.about) for section in sections for finding in section.findings)
    for section in sections:
        console.print(f"[bold]{escape(section.title)}[/]")
        for finding in section.findings:
            console.print(_line(finding, width, console.encoding))
            if finding.advice:
                console.print(Text(f"    {'':{width}}  {arrow} {visible(finding.advice)}", style="cyan"))
        console.print()
    verdict = {0: "Nothing is wrong.", 1: "One thing does not work."}.get(problems, f"{problems} things do not work.")
    console.print(Text(verdict, style="bold red" if problems else "bold green"))


def _line(finding: Finding, width: int, encoding: str) -> Text:
    mark, style = _MARKS[finding.state]
    line = Text("  ")
    line.append(mark if _fancy(encoding) else _PLAIN[finding.state], style)
    line.append(f" {finding.about:{width}}  ")
    line.append(visible(finding.text), "dim" if finding.state == "info" else "")
    return line


def _fancy(encoding: str) -> bool:
    return encoding.lower().replace("-", "") == "utf8"
