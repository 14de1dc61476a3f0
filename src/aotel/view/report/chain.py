"""Whether the log that a report was made of is as it was written: said of its chain of hashes, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.audit import verify

if TYPE_CHECKING:
    from aotel.view.report.fields import Object
    from aotel.view.report.reading import Source

VERIFIED: Final = "verified"
BROKEN: Final = "broken"
UNKNOWN: Final = "unknown"
"""It may be that the log was made with a key, which was not given."""
NONE: Final = "none"


class Chain(NamedTuple):
    """What is to be said of a chain.

    Args:
        state: one of the words above.
        text: a sentence.
        where: the first line that is not as it was written, "" if all are.
    """

    state: str
    text: str
    where: str = ""

    @property
    def note(self) -> str:
        """What has to be said where everybody sees it; "" if nothing has to."""
        return self.text if self.state in {BROKEN, UNKNOWN} else ""

    def as_object(self) -> Object:
        """Return it as the page reads it."""
        return self._asdict()


def check(source: Source, key: bytes | None) -> Chain:
    """Return what is to be said of a log's chain.

    Args:
        source: the log.
        key: what its chain was made with, if with a key.
    """
    if source.envelopes:
        return Chain(NONE, "A file of envelopes has no chain that could be checked.")
    verdict = verify(source.path, key)
    broken = verdict.broken
    if broken is None:
        how = "with its key" if key else "without a key, which shows accidents and casual edits only"
        return Chain(VERIFIED, f"{verdict.lines:,} lines are in order, checked {how}.")
    line = f"line {broken.line} of {broken.file.name}"
    if key is None and broken.seq == 1:
        return Chain(UNKNOWN, f"The chain of the log could not be checked from {line} on: {broken.why}.", line)
    return Chain(BROKEN, f"The chain of the log is broken at {line}: {broken.why}.", line)
