"""Which log is meant: a run by its name or directory, a file, or the latest run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from aotel.audit import files
from aotel.errors import AotelError

RUNS: Final = Path(".aotel") / "runs"
LATEST: Final = "latest"

_TIME: Final = re.compile(r"[0-9]{8}(?:T[0-9]{6}Z|-[0-9]{6})-")
_AGAIN: Final = re.compile(r"-[0-9]{1,3}\Z")  # a run of the same second and name
_SHOWN: Final = 5


class NoLogError(AotelError):
    """There is no log where one was looked for."""


def locate(argument: str | None, runs_dir: str | Path = RUNS) -> Path:
    """Return the directory or the file of a log.

    Args:
        argument: a run's directory, or its name with the time before it or without, when the latest run of that name
            is meant; the end of its name, if it is no other run's; or a file. None for the latest run.
        runs_dir: where runs are.

    Raises:
        NoLogError: there is none, or several runs are meant.
    """
    runs = Path(runs_dir)
    if argument is None:
        return _latest(runs)
    for path in (Path(argument), runs / argument):
        if _is_log(path):
            return path
    recorded = _recorded(runs)
    named = [run for run in recorded if _name(run) == argument] or [
        run for run in recorded if _AGAIN.sub("", _name(run)) == argument
    ]
    if named:
        return named[-1]
    ending = [run for run in recorded if argument and run.name.endswith(argument)]
    if len(ending) > 1:
        some = ", ".join(run.name for run in ending[-_SHOWN:])
        more = f" and {len(ending) - _SHOWN} more" if len(ending) > _SHOWN else ""
        raise NoLogError(f"{argument!r} is the end of several runs: {some}{more}")
    if not ending:
        raise NoLogError(f"no audit log in {argument!r}, and no run of that name in {runs}")
    return ending[0]


def _latest(runs: Path) -> Path:
    latest = runs / LATEST
    if _is_log(latest):
        return latest.resolve()
    recorded = _recorded(runs)  # where there are no symbolic links, or the run that it leads to is gone
    if not recorded:
        raise NoLogError(f"no run is recorded in {runs} yet: record one with `aotel run -- COMMAND`, or name a file")
    return recorded[-1]


def _recorded(runs: Path) -> list[Path]:
    """Return the directories of runs that have a log, by the time that their names begin with."""
    try:
        found = [run for run in runs.iterdir() if not run.is_symlink() and run.is_dir() and _is_log(run)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, key=lambda run: (_TIME.match(run.name) is not None, run.name))


def _is_log(path: Path) -> bool:
    return bool(files.in_order(path)) if path.is_dir() else path.is_file()


def _name(run: Path) -> str:
    return _TIME.sub("", run.name, count=1)
