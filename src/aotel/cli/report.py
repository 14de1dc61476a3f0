"""`aotel report`: a run as one web page."""

from __future__ import annotations

import io
import sys
import webbrowser
from pathlib import Path

import click

from aotel.audit import locate
from aotel.audit.locating import RUNS
from aotel.errors import AotelError
from aotel.pod.options import read_key
from aotel.view.report import Limits, write_report

_STDOUT = "-"
_NAME = "report.html"


@click.command("report")
@click.argument("run", metavar="[RUN|FILE]", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Where to write the page, or - for standard output.  [default: report.html in the run's directory]",
)
@click.option("--runs-dir", default=str(RUNS), show_default=True, help="Where runs are, if RUN is a name or left out.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Key of the log's chain, if it was written with one.",
)
@click.option(
    "--max-operations",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="How many operations the page holds; the first ones are kept.",
)
def command(  # noqa: PLR0913 - one argument an option
    *,
    run: str | None,
    output: str | None,
    runs_dir: str,
    show: bool,
    key_file: Path | None,
    max_operations: int,
) -> None:
    """Write a run as a web page: what happened when, inside of what, and at what cost.

    RUN is a run's name or directory, and the latest run if there is none; FILE is an audit log, or envelopes that
    AOTEL_ENVELOPES=file:FILE wrote. The page is one file, needs no network, and can be opened from disk. It shows what
    the log holds: hand it on only to who may read that.
    """
    if show and output == _STDOUT:
        raise click.UsageError("--open needs a file to open: leave out `-o -`, or --open")
    try:
        source = locate(run, runs_dir)
        key = None if key_file is None else read_key(key_file)
        limits = Limits(operations=max_operations)
        if output == _STDOUT:
            _print(source, key, limits)
            return
        out = Path(output) if output else (source if source.is_dir() else source.parent) / _NAME
        write_report(source, out, key=key, limits=limits)
    except AotelError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(out))
    if show and not webbrowser.open(out.resolve().as_uri()):
        click.echo(f"no browser could be started: open {out.resolve()} in one", err=True)


def _print(source: Path, key: bytes | None, limits: Limits) -> None:
    """Write to standard output, in UTF-8 whatever the terminal's encoding: the page says that it is."""
    stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="replace", newline="\n")
    write_report(source, stream, key=key, limits=limits)
    stream.flush()
    stream.detach()
