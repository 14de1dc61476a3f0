"""Where a report comes from: a run's directory, an audit log, or a file of envelopes."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from aotel.audit import read
from aotel.errors import AotelError
from aotel.view.report.fields import Object, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aotel.audit import Entry

_LOG = "audit.jsonl"
_RUN = "run.json"
_LINE = 16 * 1024 * 1024  # characters of a line of envelopes
_ABOUT = 1024 * 1024  # characters of a run.json


class ReportError(AotelError):
    """A report that cannot be made: the message says what was expected, what is there, and what to do."""


@dataclasses.dataclass(slots=True)
class Source:
    """A log that was found.

    Attributes:
        path: the directory of a run, or a file.
        file: the newest file of the log.
        envelopes: whether its lines are envelopes, rather than entries of an audit log.
        skipped: lines that could not be read, so far.
    """

    path: Path
    file: Path
    envelopes: bool
    skipped: int = 0

    def entries(self) -> Iterator[Entry | Object]:
        """Yield entries of the audit log, from its oldest file on, or bare envelopes."""
        if not self.envelopes:
            yield from read(self.path, on_bad_line=self._skip)
            return
        with self.file.open(encoding="utf-8", errors="replace") as lines:
            while line := lines.readline(_LINE):
                envelope = parse(line)
                if envelope is not None:
                    yield envelope
                elif line.strip():
                    self.skipped += 1

    def _skip(self, file: Path, number: int) -> None:  # noqa: ARG002 - the reader's signature
        self.skipped += 1


def find(path: Path) -> Source:
    """Return the log of a run's directory, or in a file.

    Raises:
        ReportError: there is none.
    """
    file = path / _LOG if path.is_dir() else path
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            first = parse(lines.readline(_LINE))
    except OSError as error:
        raise ReportError(f"no log to report on in {path}: {error.strerror or error}") from error
    return Source(path, file, first is not None and "action" not in first and "payload" in first)


def about(source: Source) -> Object:
    """Return what the run says of itself (`run.json`); an empty object where it does not."""
    directory = source.path if source.path.is_dir() else source.file.parent
    try:
        with (directory / _RUN).open(encoding="utf-8", errors="replace") as file:
            told = json.loads(file.read(_ABOUT))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
