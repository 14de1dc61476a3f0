"""`aotel audit`: show, follow and check the log of a run or of a pod."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aotel import audit
from aotel.audit.locating import RUNS
from aotel.cli.audit.choosing import Choice, read_since
from aotel.cli.audit.following import UntilInterrupted
from aotel.cli.audit.output import Output, say
from aotel.cli.audit.showing import Bad, Shown
from aotel.errors import AotelError
from aotel.pod.options import read_key
from aotel.view.clean_text import clean_text

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime


class _Group(click.Group):
    """Shows a log where no other command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] [RUN|FILE]")
        for name in ("verify", "anchor"):
            formatter.write_usage(ctx.command_path, f"{name} [OPTIONS] [RUN|FILE]", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.commands["show"].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group("audit", cls=_Group)
def command() -> None:
    """Show, follow and check the log of a run or of a pod.

    RUN is a run's directory or its name, or the end of its name; FILE is an audit.jsonl. Without either, it is the
    latest run.
    """


_run = click.argument("run", required=False, metavar="[RUN|FILE]")
_runs_dir = click.option(
    "--runs-dir",
    metavar="DIR",
    default=str(RUNS),
    show_default=True,
    help="Where runs are, if RUN is a name or left out.",
)


@command.command(short_help="Show a log; that is what is done where no command is named.")
@_run
@_runs_dir
@click.option("--group-by-span", is_flag=True, help="Operations as trees, with what the machine did under them.")
@click.option("--all", "everything", is_flag=True, help="Also samples of resources, and the pod's own start and stop.")
@click.option(
    "--kind",
    "kinds",
    metavar="PATTERN",
    multiple=True,
    help="Only these envelope kinds or actions, like 'agent.llm.*'; may be repeated.",
)
@click.option("--agent", metavar="NAME", help="Only what this agent did, by the pod's word.")
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
    with _errors():
        path = audit.locate(run, runs_dir)
        bad = Bad(at_once=follow)
        choice = Choice(kinds, agent, errors, everything)
        with Output(at_once=follow) as output, UntilInterrupted() if follow else nullcontext() as until:
            shown = Shown(output, choice, json_lines=json_lines, until=until)
            (shown.trees if group_by_span else shown.entries)(path, since, bad)
        bad.tell()
        if bad.count and not shown.read:
            raise audit.NoLogError(f"{path} is no audit log")


@command.command(short_help="Check that nothing was changed, moved or removed.")
@_run
@_runs_dir
@click.option(
    "--key-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Key of the chain, if it was written with one.",
)
@click.option(
    "--anchor",
    "anchor_text",
    metavar="ANCHOR",
    help="An end of the log that was kept elsewhere, as `anchor` prints it.",
)
def verify(*, run: str | None, runs_dir: str, key_file: Path | None, anchor_text: str | None) -> None:
    """Check that the lines of a log are those that were written, all of them, in their order.

    Its exit status is 1 if they are not. A chain without a key shows accidents and casual edits only: who can write the
    file can chain it anew. Lines that were cut off at the end are shown by an anchor alone. A log whose first files
    are gone is in order if it goes on from the anchor.
    """
    with _errors():
        path = audit.locate(run, runs_dir)
        key = None if key_file is None else read_key(key_file)
        kept = None if anchor_text is None else audit.Anchor.parse(anchor_text)
        verdict = audit.verify(path, key, anchor=kept)
    if verdict.half_line:
        say("the log ends in half a line, which is being written, or was torn by a crash")
    if verdict.broken is not None:
        found = verdict.broken
        seq = "" if found.seq is None else f" (seq {found.seq})"
        say(f"{found.file}:{found.line}{seq}: {found.why}")
        raise SystemExit(1)
    if not verdict.lines:
        raise click.ClickException("the log is empty: there is nothing to check")
    since = f" from {verdict.follows + 1:,} on, after the anchor," if verdict.follows else ""
    keyed = "" if key is not None else " (without a key this shows accidents and casual edits only)"
    lines = f"{verdict.lines:,} lines{since} are" if verdict.lines > 1 else f"1 line{since} is"
    click.echo(f"{lines} in order; the last is {verdict.head}{keyed}")


@command.command(short_help="Print the end of a log, to be kept elsewhere.")
@_run
@_runs_dir
def anchor(*, run: str | None, runs_dir: str) -> None:
    """Print the end of a log, to be kept where the log's writers can't reach: `verify --anchor` holds the log to it."""
    with _errors():
        path = audit.locate(run, runs_dir)
        found = audit.anchor(path)
        if not found.seq:
            raise audit.NoLogError(f"the log in {path} has no line with a hash yet")
    click.echo(str(found))


@contextmanager
def _errors() -> Generator[None]:
    """Have what can't be done said in a line, whatever is in the names of files."""
    try:
        yield
    except (AotelError, OSError) as error:
        told = str(error) if isinstance(error, AotelError) else f"{error.filename}: {error.strerror or error}"
        raise click.ClickException(clean_text(told)) from error
