"""A pod's socket for each test, and a way to run a program that is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.sensor import program
from tests.sensor.receiver import Receiver

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path


class Watched(Protocol):
    """Runs code under the sensor, to its end; see `tests.sensor.program` for the arguments."""

    def __call__(self, code: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def pod() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The directory that programs run in."""
    directory = tmp_path / "work"
    directory.mkdir()
    return directory


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that isn't allowed, with a file in it."""
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "secret.txt").write_text("secret")
    return directory


@pytest.fixture
def watched(pod: Receiver, work: Path) -> Watched:
    def run(code: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return program.run(program.write(work, code, pod.path, **options), *arguments)

    return run
