"""What a run tells while the child runs: to the log what belongs there, to the view what a person has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.audit import actions
from aotel.runner.quantities import duration_in_words, in_words
from aotel.runner.supervise import GRACE, WARN_AT
from aotel.sensor.thresholds import Thresholds
from aotel.view import Kind, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.runner.artifacts import Artifact
    from aotel.runner.presenter import Presenter
    from aotel.runner.record import Record
    from aotel.sensor.sample import Sample
    from aotel.sensor.thresholds import LimitWarning


class Told:
    """An `Audience` of the supervisor, and more.

    Args:
        record: the log.
        presenter: the view.
    """

    def __init__(self, record: Record, presenter: Presenter) -> None:
        self._record = record
        self._presenter = presenter
        self._thresholds = Thresholds()

    def suspend(self) -> None:
        """Leave the terminal."""
        self._presenter.suspend()

    def resume(self) -> None:
        """Take the terminal up again."""
        self._presenter.resume()

    def resized(self) -> None:
        """Look at its size."""
        self._presenter.resized()

    def time_is_short(self, timeout: float) -> None:
        """Warn."""
        self._warn(self._thresholds.time(WARN_AT * timeout, timeout))

    def time_is_over(self, timeout: float) -> None:
        """Say what happens now."""
        text = (
            f"the timeout of {duration_in_words(timeout)} is over: the program is asked to end, "
            f"and killed after {GRACE:g} s"
        )
        self._presenter.say(Kind.ERROR, Level.ERROR, text)

    def memory_is_over(self, used: int, limit: int) -> None:
        """Say what happens now; both in bytes."""
        text = (
            f"the program and what it has started use {in_words(used)} of memory, "
            f"more than the limit of {in_words(limit)}: all are killed"
        )
        self._presenter.say(Kind.ERROR, Level.ERROR, text)

    def interrupted(self, *, again: bool) -> None:
        """Say what an interrupt does."""
        text = (
            "interrupted again: the program and all that it has started are killed"
            if again
            else "interrupted: waiting for the program to end; Ctrl-C again kills it"
        )
        self._presenter.say(Kind.WARNING, Level.WARNING, text)

    def started(self, pid: int, parent: int, command: list[str]) -> None:
        """The child runs."""
        self._record.add(actions.PROCESS_START, {"pid": pid, "ppid": parent, "command": command})

    def installing(self, packages: tuple[str, ...], state: str, message: str | None = None) -> None:
        """Packages are being installed, or are, or could not be."""
        detail: dict[str, object] = {"packages": list(packages), "state": state, "message": message}
        self._record.add(actions.INSTALL, detail, success=state != "failed")

    def artifact(self, found: Artifact) -> None:
        """A file was collected, or not."""
        detail: dict[str, object] = {
            "path": found.path,
            "bytes": found.bytes,
            "sha256": found.sha256,
            "status": "collected" if found.collected else "refused",
            "message": found.message,
        }
        self._record.add(actions.ARTIFACT, detail, success=found.collected)

    def output_is_large(self, collected: int, limit: int) -> None:
        """Warn, once, if the limit of what is collected is near; both in bytes."""
        self._warn(self._thresholds.output(collected, limit))

    def sampled(self, pid: int, sample: Sample, warnings: Iterable[LimitWarning]) -> None:
        """What the program, process `pid`, and all that it has started use; and what of that comes near its limit."""
        self._record.add(actions.RESOURCE, {"pid": pid, **sample.detail()})
        for each in warnings:
            self._warn(each)

    def left_running(self, pids: list[int]) -> None:
        """Some have outlived the program."""
        what = "process goes" if len(pids) == 1 else "processes go"
        text = f"{len(pids)} {what} on after the program's end, and unseen: {', '.join(map(str, pids))}"
        self._presenter.say(Kind.WARNING, Level.WARNING, text, pids=pids)

    def _warn(self, warning: LimitWarning | None) -> None:
        if warning is not None:
            self._record.add(actions.LIMIT_WARNING, warning.detail())
