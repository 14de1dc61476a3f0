"""A run as one web page: what happened when, in which order, and at what cost; to be opened from disk."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from aotel.view.report.chain import check
from aotel.view.report.collecting import Collection
from aotel.view.report.limits import Limits
from aotel.view.report.reading import ReportError, about, find
from aotel.view.report.writing import pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Limits", "ReportError", "page", "write_report"]


def write_report(source: Path, out: Path | TextIO, *, key: bytes | None = None, limits: Limits | None = None) -> None:
    """Write a run as a web page.

    The page is one file with everything in it. It is for who may read the log: a new file is its owner's alone.

    Args:
        source: a run's directory, its `audit.jsonl`, or a file of envelopes.
        out: where to write; a file appears when it is complete.
        key: what the log's chain was made with, if with a key.
        limits: how much of a run the page holds.

    Raises:
        ReportError: there is no log at `source`, or nothing can be written to `out`.
    """
    text = page(source, key=key, limits=limits)
    try:
        if isinstance(out, Path):
            _write(text, out)
        else:
            out.writelines(text)
    except BrokenPipeError:  # whoever reads has had enough
        raise
    except OSError as error:
        raise ReportError(f"cannot write the report to {_name(out)}: {error.strerror or error}") from error


def page(source: Path, *, key: bytes | None = None, limits: Limits | None = None) -> Iterator[str]:
    """Return the text of a report, piece by piece; the log is read before the first.

    Args:
        source: see `write_report`.
        key: see `write_report`.
        limits: see `write_report`.

    Raises:
        ReportError: there is no log at `source`.
    """
    found = find(source)
    collection = Collection(limits or Limits())
    for entry in found.entries():
        collection.add(entry)
    return pieces(collection.document(about(found), check(found, key), found.skipped))


def _name(out: Path | TextIO) -> str:
    return str(out) if isinstance(out, Path) else str(getattr(out, "name", "the stream"))


def _write(text: Iterator[str], out: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)  # made for its owner alone
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.writelines(text)
        Path(temporary).replace(out)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
