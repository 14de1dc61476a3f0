"""`aotel run`: run a command, show what it does while it does it, and keep the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aotel.backends import PRESETS
from aotel.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.runner.options import RunOptions
    from aotel.runner.policy_file import Policy

T = TypeVar("T")

_VIEWS = ("rich", "simple", "json", "off")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class _Quantity(click.ParamType):  # type: ignore[type-arg]  # which older versions of click have none of
    """A number with a unit."""

    def __init__(self, name: str, reader: str) -> None:
        self.name = name
        self._reader = reader

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        from aotel.runner import quantities

        read: Callable[[str], float] = getattr(quantities, self._reader)
        try:
            return read(value)
        except ConfigurationError as error:
            self.fail(str(error), param, ctx)


class _Backends(click.ParamType):  # type: ignore[type-arg]  # which older versions of click have none of
    """Where spans go: names with commas between."""

    name = "backends"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        names = tuple(dict.fromkeys(name.strip().lower() for name in value.split(",")))
        for name in names:
            if name not in PRESETS:
                self.fail(f"there is no backend {name!r}; there are {', '.join(PRESETS)}", param, ctx)
        return names


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.argument("command_line", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, type=click.UNPROCESSED, required=True)
@click.option("--agent", metavar="NAME", help="The agent whose identity the command has.")
@click.option(
    "--with", "packages", metavar="PACKAGE", multiple=True, help="Install it for this run alone; may be repeated."
)
@click.option("--view", type=click.Choice(_VIEWS), default="rich", show_default=True, help="What standard error shows.")
@click.option(
    "--level",
    type=click.Choice(_LEVELS, case_sensitive=False),
    default="INFO",
    show_default=True,
    help="The least that it shows.",
)
@click.option(
    "--backend",
    "backends",
    metavar="NAME[,NAME...]",
    type=_Backends(),
    default=(),
    help=f"Where spans go: some of {', '.join(PRESETS)}; pod alone: nothing leaves the machine. "
    "By default, as AOTEL_BACKEND and OTEL_* say.",
)
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Limits and what is allowed, as TOML; options win over it.",
)
@click.option("--output", metavar="DIR", type=click.Path(path_type=Path), help="Keep what is in it after the run.")
@click.option("--output-limit", metavar="SIZE", type=_Quantity("size", "size"), help="At most.  [default: 100 MiB]")
@click.option("--timeout", metavar="DURATION", type=_Quantity("duration", "seconds"), help="End it after 30s, 5m, 1h …")
@click.option("--memory-limit", metavar="SIZE", type=_Quantity("size", "size"), help="Kill it above 512MiB, 2GiB …")
@click.option(
    "--allow-host", "allow_hosts", metavar="HOST", multiple=True, help="Report connections elsewhere; may be repeated."
)
@click.option(
    "--allow-path", "allow_paths", metavar="PATH", multiple=True, help="Report files elsewhere; may be repeated."
)
@click.option(
    "--enforce",
    is_flag=True,
    default=None,
    help="Block what is not allowed, in Python code alone: a help against mistakes, and no sandbox.",
)
@click.option(
    "--runs-dir", metavar="DIR", type=click.Path(path_type=Path), help="Where records lie.  [default: .aotel/runs]"
)
@click.option("--name", help="What the run is called; by default, after the command.")
def command(**given: Any) -> None:
    """Run a command, show what it does while it does it, and keep the record.

    Any command will do. Python programs, and those that they start, are instrumented; others are only watched. Standard
    input and output are the command's own, and so is the exit status, but for 124 (timeout), 126 and 127 (the command
    can't be executed, or is not there) and 1 (the run could not begin).
    """
    from aotel.errors import AotelError
    from aotel.runner import run
    from aotel.runner.command import CommandError

    try:
        status = run(_options(given))
    except CommandError as error:
        _say(str(error))
        status = error.status
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    except AotelError as error:
        _say(str(error))
        status = 1
    except KeyboardInterrupt:
        status = 130
    raise SystemExit(status)


def _say(message: str) -> None:
    click.echo(f"aotel run: {message}", err=True)


def _options(given: dict[str, Any]) -> RunOptions:
    """Return what to do: the command line wins over the policy file, which wins over the defaults."""
    from aotel.runner.artifacts import DEFAULT_LIMIT
    from aotel.runner.directory import DEFAULT_RUNS
    from aotel.runner.options import RunOptions
    from aotel.runner.policy_file import Policy, load

    policy: Policy = Policy() if given["policy"] is None else load(given["policy"])
    return RunOptions(
        command=given["command_line"],
        name=given["name"],
        agent=given["agent"],
        agents=policy.agents,
        packages=given["packages"],
        view=given["view"],
        level=given["level"],
        backends=given["backends"],
        allow_hosts=given["allow_hosts"] or policy.allow_hosts,
        allow_paths=given["allow_paths"] or policy.allow_paths,
        enforce=_first(given["enforce"], policy.enforce, False),  # noqa: FBT003 - the default
        timeout=_first(given["timeout"], policy.timeout, None),
        memory_limit=_first(given["memory_limit"], policy.memory_limit, None),
        output=_first(given["output"], policy.output, None),
        output_limit=_first(given["output_limit"], policy.output_limit, DEFAULT_LIMIT),
        runs_dir=given["runs_dir"] or DEFAULT_RUNS,
    )


def _first(*values: T | None) -> T:
    return next((value for value in values[:-1] if value is not None), values[-1])  # type: ignore[return-value]
