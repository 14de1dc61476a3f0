"""The group of commands; each is imported when it is asked for, so that help and mistakes are answered at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from aotel._version import __version__

COMMANDS = {
    "audit": "Show, follow and check an audit log.",
    "doctor": "Say what is installed, configured and reachable, and what to do about each problem.",
    "pod": "Receive envelopes on a socket and keep the audit log.",
    "queue": "List, approve and deny actions that wait for a person.",
    "report": "Write a run as one web page.",
    "run": "Run a command, show what it does while it does it, and keep the record.",
}


class _Commands(click.Group):
    """Finds the command `x` in the module `aotel.cli.x`, as its attribute `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature, as below
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"aotel.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}; there are {', '.join(sorted(COMMANDS))}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="aotel %(version)s")
def aotel() -> None:
    """See what an AI agent does, and keep a record of it that can be trusted."""
