"""What a run tells while the child runs: to the log what belongs there, to the view what a person has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.audit import actions
from aotel.runner.quantities import duration_in_words
from aotel.runner.supervise import GRACE, WARN_AT
from aotel.view import Kind, Level

if TYPE_CHECKING:
    from aotel.runner.artifacts import Artifact
    from aotel.runner.presenter import Presenter
    from aotel.runner.record import Record

_OUTPUT_WARN_AT: Final = 0.95


class Told:
    """An `Audience` of the supervisor, and more.

    Args:
        record: the log.
        presenter: the view.
    """

    def __init__(self, record: Record, presenter: Presenter) -> None:
        self._record = record
        self._presenter = presenter
        self._output_warned = False

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
        percent = round(WARN_AT * 100)
        message = f"{percent} % of the timeout of {duration_in_words(timeout)} have passed"
        self._warn("time", percent, timeout, message)

    def time_is_over(self, timeout: float) -> None:
        """Say what happens now."""
        text = (
            f"the timeout of {duration_in_words(timeout)} is over: the program is asked to end, "
            f"and killed after {GRACE:g} s"
        )
        self._presenter.say(Kind.ERROR, Level.ERROR, text)

    def memory_is_over(self, used: str, limit: str) -> None:
        """Say what happens now."""
        text = (
            f"the program and what it has started use {used} of memory, more than the limit of {limit}: all are killed"
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
        """Warn, once, if the limit of what is collected is near."""
        if not self._output_warned and collected >= _OUTPUT_WARN_AT * limit:
            self._output_warned = True
            percent = int(100 * collected / limit)
            self._warn("output", percent, limit, f"{percent} % of the limit of collected files are used")

    def left_running(self, pids: list[int]) -> None:
        """Some have outlived the program."""
        what = "process goes" if len(pids) == 1 else "processes go"
        text = f"{len(pids)} {what} on after the program's end, and unseen: {', '.join(map(str, pids))}"
        self._presenter.say(Kind.WARNING, Level.WARNING, text, pids=pids)

    def _warn(self, resource: str, percent: int, limit: float, message: str) -> None:
        self._record.add(
            actions.LIMIT_WARNING,
            {"resource": resource, "percent": percent, "limit": limit, "state": "over", "message": message},
        )
