"""The directory of a run: where its record lies, beside those of the runs before it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aotel.errors import AotelError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_RUNS: Final = Path(".aotel/runs")
LATEST: Final = "latest"
_INFO: Final = "run.json"
_ATTEMPTS: Final = 1000


class RunDirectoryError(AotelError):
    """A run's directory that can't be made or written to; nothing is run then."""


class RunDirectory:
    """The directory of one run.

    Args:
        path: where it is, absolute; made by `create`.

    Attributes:
        artifacts: the directory of collected files in it.
        overlay: where packages are installed for the run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.artifacts = path / "artifacts"
        self.overlay = path / "overlay"

    @classmethod
    def create(cls, runs: Path, name: str, now: datetime | None = None) -> RunDirectory:
        """Make the directory of a run that begins now, for our user alone.

        Args:
            runs: the directory of all runs; made if it is not there.
            name: what the run is called.
            now: when it begins.

        Raises:
            RunDirectoryError: it can't be made.
        """
        moment = (now or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
        runs = Path(os.path.abspath(runs))  # noqa: PTH100 - a link to elsewhere is the user's, and stays
        try:
            _make_runs(runs)
            for attempt in range(_ATTEMPTS):
                path = runs / (f"{moment}-{name}" if not attempt else f"{moment}-{name}-{attempt + 1}")
                with contextlib.suppress(FileExistsError):
                    path.mkdir(mode=0o700)
                    made = cls(path)
                    made.artifacts.mkdir(mode=0o700)
                    return made
        except OSError as error:
            msg = (
                f"the record of the run can't be kept in {runs}: {error.strerror or error}; "
                "--runs-dir names another place"
            )
            raise RunDirectoryError(msg) from None
        msg = f"{runs} has {_ATTEMPTS} runs of this second and name"
        raise RunDirectoryError(msg)

    def write_info(self, info: Mapping[str, Any]) -> None:
        """Write `run.json` anew; who reads it meanwhile sees the former or the new one, never a part.

        Raises:
            RunDirectoryError: it can't be written, the disk being full, say.
        """
        part = self.path / f".{_INFO}-{secrets.token_hex(4)}"
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                json.dump(info, file, indent=2, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(descriptor)
            part.replace(self.path / _INFO)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            msg = f"{self.path / _INFO} can't be written: {error.strerror or error}"
            raise RunDirectoryError(msg) from None

    def point_latest(self) -> None:
        """Have `latest` beside it lead to it; where there are no symbolic links, it leads nowhere."""
        part = self.path.parent / f".{LATEST}-{secrets.token_hex(4)}"
        with contextlib.suppress(OSError):
            part.symlink_to(self.path.name)
            try:
                part.replace(self.path.parent / LATEST)
            except OSError:
                part.unlink()


def _make_runs(runs: Path) -> None:
    new = not runs.exists()
    runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    if new:
        # What a program said and did is not for the repository that it stands in.
        with contextlib.suppress(FileExistsError):
            (runs / ".gitignore").write_text("*\n", encoding="utf-8")
