"""What the steps of a run share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aotel.runner.directory import RunDirectoryError
from aotel.view import Kind, Level

if TYPE_CHECKING:
    from aotel.pod.embedded import EmbeddedPod
    from aotel.runner.artifacts import Place
    from aotel.runner.audience import Told
    from aotel.runner.directory import RunDirectory
    from aotel.runner.info import Info
    from aotel.runner.options import RunOptions
    from aotel.runner.presenter import Presenter
    from aotel.runner.record import Record


@dataclass
class Stage:
    """One run's parts.

    Attributes:
        options: what is asked for.
        directory: where the record lies.
        info: what `run.json` says.
        pod: receives what the child tells.
        presenter: shows it.
        record: takes what is seen from outside.
        told: says what a person has to know.
        mask: signals that were blocked when we came.
        place: the output directory, if there is to be one.
        artifacts: descriptor of the directory that files are collected in; held from before the child runs.
    """

    options: RunOptions
    directory: RunDirectory
    info: Info
    pod: EmbeddedPod
    presenter: Presenter
    record: Record
    told: Told
    mask: frozenset[int]
    place: Place | None
    artifacts: int

    def save(self) -> None:
        """Write `run.json` as it is now; what can't be written is said, and the program goes on."""
        try:
            self.directory.write_info(self.info.content())
        except RunDirectoryError as error:
            self.presenter.say(Kind.ERROR, Level.ERROR, str(error))
