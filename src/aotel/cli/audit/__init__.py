"""`aotel audit`: show, follow and check the log of a run or of a pod."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from aotel import audit
from aotel.audit.envelopes import read_object
from aotel.audit.locating import RUNS
from aotel.cli.audit.choosing import Choice, read_since
from aotel.cli.audit.trees import as_json, lines, painter
from aotel.errors import AotelError
from aotel.pod.options import read_key
from aotel.view import EntryReader, Level
from aotel.view.clean_text import clean_json, clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from aotel.audit import Entry

_LONGEST = 300  # characters of a line's text
_COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow"}


class _Group(click.Group):
    """Shows a log where no other command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("audit", cls=_Group)
def command() -> None:
    """Show, follow and check the log of a run or of a pod.

    `aotel audit [RUN]` is `aotel audit show [RUN]`: see its --help for what can be asked of it.
    """


_run = click.argument("run", required=False, metavar="[RUN|FILE]")
_runs_dir = click.option(
    "--runs-dir",
    default=str(RUNS),
    show_default=True,
    help="Where runs are, if RUN is a name or left out.",
)


@command.command()
@_run
@_runs_dir
@click.option("--group-by-span", is_flag=True, help="Operations as trees, with what the machine did under them.")
@click.option("--all", "everything", is_flag=True, help="Also samples of resources, and the pod's own start and stop.")
@click.option("--kind", "kinds", multiple=True, help="Only these envelope kinds or actions, like 'agent.llm.*'.")
@click.option("--agent", help="Only what this agent did, by the pod's word.")
@click.option("--errors", is_flag=True, help="Only what failed, or was refused.")
@click.option(
    "--since",
    metavar="TIME",
    callback=read_since,
    help="Only what was written after a time, or less than 10m, 2h, 1d ago.",
)
@click.option("--follow", is_flag=True, help="Go on as the log grows, until Ctrl-C.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
def show(  # noqa: PLR0913 - one argument an option
    *,
    run: str | None,
    runs_dir: str,
    group_by_span: bool,
    everything: bool,
    kinds: tuple[str, ...],
    agent: str | None,
    errors: bool,
    since: datetime | None,
    follow: bool,
    json_lines: bool,
) -> None:
    """Show a log: the latest run's, or that of a run or file."""
    path = _locate(run, runs_dir)
    choice = Choice(kinds, agent, errors, everything)
    bad: list[tuple[Path, int]] = []
    entries = audit.read(path, since=since, follow=follow, on_bad_line=lambda file, line: bad.append((file, line)))
    shown = _trees if group_by_span else _entries
    try:
        for line in shown(entries, choice, json_lines=json_lines):
            click.echo(line)
    except BrokenPipeError:
        _leave_quietly()
    except KeyboardInterrupt:
        if not follow:
            raise
    if bad:
        file, number = bad[0]
        many = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
        click.echo(f"{file}:{number} is no entry of an audit log{many}; `aotel audit verify` says more", err=True)


def _entries(entries: Iterator[Entry], choice: Choice, *, json_lines: bool) -> Iterator[str]:
    reader, paint = EntryReader(), _painter()
    for entry in entries:
        events = [] if json_lines else reader.feed(entry)  # also those that aren't shown: later ones may refer to them
        if not choice.takes(entry):
            continue
        if json_lines:
            detail = read_object(entry.detail)
            found = {name: getattr(entry, name) for name in entry.__struct_fields__}
            yield clean_json(json.dumps({**found, "detail": detail or entry.detail}, ensure_ascii=False))
        for event in events:
            text = paint(clean_text(event.text, _LONGEST), fg=_COLOURS.get(event.level))
            agent = paint(f"  @{clean_text(entry.agent, 80)}", fg="magenta") if entry.agent else ""
            depth = event.fields.get("depth")
            indent = "  " * min(depth, 20) if isinstance(depth, int) else ""
            yield f"{paint(clean_text(entry.timestamp, 30), dim=True)}  {indent}{text}{agent}"


def _trees(entries: Iterator[Entry], choice: Choice, *, json_lines: bool) -> Iterator[str]:
    paint = _painter()
    for thing in audit.group(entries):
        if not choice.keeps(thing):
            continue
        if json_lines:
            yield clean_json(json.dumps(as_json(thing), ensure_ascii=False))
            continue
        time = paint(clean_text(thing.time, 30), dim=True)
        for number, line in enumerate(lines(thing, paint)):
            yield f"{time}  {line}" if not number else f"{' ' * len(thing.time[:30])}  {line}"


@command.command()
@_run
@_runs_dir
@click.option(
    "--key-file", type=click.Path(dir_okay=False, path_type=Path), help="Key of the chain, if it was written with one."
)
@click.option("--anchor", "anchor_text", help="An end of the log that was kept elsewhere, as `anchor` prints it.")
def verify(*, run: str | None, runs_dir: str, key_file: Path | None, anchor_text: str | None) -> None:
    """Check that the lines of a log are those that were written, all of them, in their order.

    Its exit status is 1 if they are not. A chain without a key shows accidents and casual edits only: who can write the
    file can chain it anew. Lines that were cut off at the end are shown by an anchor alone.
    """
    try:
        path = _locate(run, runs_dir)
        key = None if key_file is None else read_key(key_file)
        anchor_ = None if anchor_text is None else audit.Anchor.parse(anchor_text)
        verdict = audit.verify(path, key, anchor=anchor_)
    except AotelError as error:
        raise click.ClickException(str(error)) from error
    if verdict.half_line:
        click.echo("the log ends in half a line, which is being written, or was torn by a crash", err=True)
    if verdict.broken is not None:
        found = verdict.broken
        seq = "" if found.seq is None else f" (seq {found.seq})"
        click.echo(f"{clean_text(str(found.file))}:{found.line}{seq}: {found.why}", err=True)
        raise SystemExit(1)
    keyed = "" if key is not None else " (without a key this shows accidents and casual edits only)"
    click.echo(f"{verdict.lines:,} lines are in order; the last is {verdict.head}{keyed}")


@command.command()
@_run
@_runs_dir
def anchor(*, run: str | None, runs_dir: str) -> None:
    """Print the end of a log, to be kept where its writers can't reach: `verify --anchor` holds the log against it."""
    path = _locate(run, runs_dir)
    verdict = audit.anchor(path)
    if not verdict.seq:
        raise click.ClickException(f"the log in {path} has no line with a hash yet")
    click.echo(str(verdict))


def _locate(run: str | None, runs_dir: str) -> Path:
    try:
        return audit.locate(run, runs_dir)
    except AotelError as error:
        raise click.ClickException(str(error)) from error


def _painter() -> Callable[..., str]:
    return painter(colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def _leave_quietly() -> NoReturn:
    """End where nobody reads any more, without Python's complaint at its own end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0)
