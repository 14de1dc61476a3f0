"""Which log is meant: a run by its name or directory, a file, or the latest run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aotel.audit import files
from aotel.errors import AotelError

RUNS: Final = Path(".aotel") / "runs"
LATEST: Final = "latest"


class NoLogError(AotelError):
    """There is no log where one was looked for."""


def locate(argument: str | None, runs_dir: str | Path = RUNS) -> Path:
    """Return the directory or the file of a log.

    Args:
        argument: a run's directory or name, the end of its name, or a file; None for the latest run.
        runs_dir: where runs are.

    Raises:
        NoLogError: there is none, or several runs are meant.
    """
    runs = Path(runs_dir)
    if argument is None:
        latest = runs / LATEST
        if files.newest(latest).exists():
            return latest.resolve()
        raise NoLogError(f"no run is recorded in {runs} yet: record one with `aotel run -- COMMAND`, or name a file")
    for path in (Path(argument), runs / argument):
        if path.is_file() or files.newest(path).is_file():
            return path
    matching = sorted(run for run in runs.glob("*") if run.name.endswith(argument) and files.newest(run).is_file())
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise NoLogError(f"{argument!r} is the end of several runs: {', '.join(run.name for run in matching)}")
    raise NoLogError(f"no audit log in {argument!r}, and no run of that name in {runs}")
