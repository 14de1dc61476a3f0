"""Collecting files: whole ones are copied with their digest; tricks are refused, and leave nothing behind."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aotel.errors import ConfigurationError
from aotel.runner.artifacts import Artifact, Collector, hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Collection:
    """An output directory, and a collector into a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.output = root / "out"
        self.kept = root / "run" / "artifacts"
        self.kept.mkdir(parents=True)
        self.place = hold(self.output)
        self.told: list[Artifact] = []

    def collect(self, limit: int = 1 << 20, interrupted: Callable[[], bool] = lambda: False) -> Collector:
        target = os.open(self.kept, os.O_RDONLY | os.O_DIRECTORY)
        try:
            collector = Collector(target, limit, self.told.append, interrupted=interrupted)
            collector.collect(self.place)
        finally:
            os.close(target)
        return collector

    def files(self) -> list[str]:
        return sorted(path.relative_to(self.kept).as_posix() for path in self.kept.rglob("*") if not path.is_dir())

    def message(self, path: str) -> str:
        (found,) = [each for each in self.told if each.path == path]
        assert not found.collected
        assert found.message is not None
        assert found.sha256 is None
        return found.message


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    made = Collection(tmp_path)
    yield made
    os.close(made.place.above)


def test_files_are_copied_with_their_digest_mode_and_time(collection: Collection) -> None:
    inner = collection.output / "a" / "b"
    inner.mkdir(parents=True)
    (collection.output / "report.md").write_bytes(b"# done\n")
    program = inner / "run.sh"
    program.write_bytes(os.urandom(600_000))
    program.chmod(0o4755)
    os.utime(program, ns=(1_000_000_000, 1_700_000_000_123_456_789))
    collector = collection.collect()
    assert (collector.collected, collector.refused, collector.bytes) == (2, 0, 600_007)
    copy = collection.kept / "a" / "b" / "run.sh"
    assert copy.read_bytes() == program.read_bytes()
    assert copy.stat().st_mode & 0o7777 == 0o700
    assert copy.stat().st_mtime_ns == 1_700_000_000_123_456_789
    assert {each.path: each.sha256 for each in collection.told} == {
        "a/b/run.sh": hashlib.sha256(program.read_bytes()).hexdigest(),
        "report.md": hashlib.sha256(b"# done\n").hexdigest(),
    }


def test_no_directory_is_nothing_collected(collection: Collection) -> None:
    assert collection.collect().refused == 0
    assert collection.told == []


def test_directory_that_was_made_anew_is_collected(collection: Collection) -> None:
    collection.output.mkdir()
    place = hold(collection.output)
    collection.output.rmdir()
    collection.output.mkdir()
    (collection.output / "x").write_text("new")
    os.close(collection.place.above)
    collection.place = place
    collection.collect()
    assert collection.files() == ["x"]


@pytest.mark.parametrize("path", ["../out", "a/../../out", ".."])
def test_dots_in_the_path_are_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"without '\.\.'"):
        hold(Path(path))


def test_links_are_not_followed(collection: Collection) -> None:
    secret = collection.root / "secret"
    secret.mkdir()
    (secret / "key").write_text("s3cret")
    collection.output.mkdir()
    (collection.output / "file").symlink_to(secret / "key")
    (collection.output / "folder").symlink_to(secret)
    (collection.output / "nowhere").symlink_to("/no/such")
    collector = collection.collect()
    assert collector.refused == 3
    assert all("symbolic link" in collection.message(name) for name in ("file", "folder", "nowhere"))
    assert collection.files() == []


def test_output_directory_that_became_a_link_is_refused(collection: Collection) -> None:
    secret = collection.root / "secret"
    secret.mkdir()
    (secret / "key").write_text("s3cret")
    collection.output.symlink_to(secret)
    collection.collect()
    assert "symbolic link" in collection.message(str(collection.output))
    assert collection.files() == []


def test_directory_above_that_is_exchanged_during_the_run_leads_nowhere_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret" / "out"
    secret.mkdir(parents=True)
    (secret / "key").write_text("s3cret")
    work = tmp_path / "work"
    work.mkdir()
    collection = Collection(work)
    # As a hostile program would: `work/out` now names the secret directory.
    work.rename(tmp_path / "away")
    work.symlink_to(tmp_path / "secret")
    collection.kept = tmp_path / "away" / "run" / "artifacts"
    collection.collect()
    os.close(collection.place.above)
    assert collection.files() == []


def test_new_directory_above_that_is_a_link_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret" / "out"
    secret.mkdir(parents=True)
    (secret / "key").write_text("s3cret")
    place = hold(tmp_path / "work" / "out")
    (tmp_path / "work").symlink_to(tmp_path / "secret")
    collection = Collection(tmp_path / "here")
    os.close(collection.place.above)
    collection.place = place
    collection.collect()
    os.close(place.above)
    assert [each.collected for each in collection.told] == [False]
    assert collection.files() == []


def test_pipes_sockets_and_devices_are_never_opened(collection: Collection) -> None:
    collection.output.mkdir()
    os.mkfifo(collection.output / "pipe")
    opened = threading.Event()

    def wait_for_reader() -> None:
        os.close(os.open(collection.output / "pipe", os.O_WRONLY))
        opened.set()

    writer = threading.Thread(target=wait_for_reader, daemon=True)
    writer.start()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(collection.output / "s"))
        collector = collection.collect()
    assert collector.refused == 2
    assert collection.message("pipe") == "it is a pipe, not a file"
    assert collection.message("s") == "it is a socket, not a file"
    assert not opened.wait(0.1)
    os.close(os.open(collection.output / "pipe", os.O_RDONLY | os.O_NONBLOCK))
    writer.join(5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_device_is_refused(collection: Collection) -> None:
    collection.output.mkdir()
    try:
        os.mknod(collection.output / "null", 0o600 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("not even root makes devices here")
    collection.collect()
    assert collection.message("null") == "it is a device, not a file"


def test_file_that_would_cross_the_limit_is_refused_and_the_next_is_not(collection: Collection) -> None:
    collection.output.mkdir()
    for name, size in (("1", 600), ("2", 600), ("3", 300)):
        (collection.output / name).write_bytes(b"x" * size)
    collector = collection.collect(limit=1000)
    assert collection.files() == ["1", "3"]
    assert collector.bytes == 900
    assert collection.message("2") == "it has 600 bytes, and 400 bytes are left of the limit of 1000 bytes"


def test_sparse_file_costs_nothing(collection: Collection) -> None:
    collection.output.mkdir()
    with (collection.output / "huge").open("wb") as file:
        file.truncate(1 << 40)
    collection.collect()
    assert "1 TiB" in collection.message("huge")


def _second_time(act: Callable[[], object]) -> Callable[[], bool]:
    """Return a question that acts when it is asked for the second time: between two chunks of the first file."""
    asked = iter((False, True))

    def interrupted() -> bool:
        if next(asked, False):
            act()
        return False

    return interrupted


def test_file_that_grows_during_the_copy_is_refused(collection: Collection) -> None:
    collection.output.mkdir()
    file = collection.output / "log"
    file.write_bytes(b"x" * 400_000)

    def grow() -> None:
        with file.open("ab") as end:
            end.write(b"y" * 1_000_000)

    collection.collect(interrupted=_second_time(grow))
    assert collection.message("log") == "it grew while it was copied"
    assert collection.files() == []


def test_file_that_is_rewritten_during_the_copy_is_refused_although_its_time_is_set_back(
    collection: Collection,
) -> None:
    collection.output.mkdir()
    file = collection.output / "log"
    file.write_bytes(b"x" * 400_000)
    before = file.stat()

    def rewrite() -> None:
        with file.open("r+b") as start:
            start.write(b"forged")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    collection.collect(interrupted=_second_time(rewrite))
    assert collection.message("log") == "it changed while it was copied"
    assert collection.files() == []


def test_file_that_is_replaced_during_the_copy_is_refused(collection: Collection) -> None:
    collection.output.mkdir()
    file = collection.output / "log"
    file.write_bytes(b"x" * 400_000)
    other = collection.root / "other"
    other.write_bytes(b"x" * 400_000)
    collection.collect(interrupted=_second_time(lambda: other.rename(file)))
    assert collection.message("log") == "it changed while it was copied"
    assert collection.files() == []


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_file_that_is_exchanged_before_it_is_opened_is_refused(collection: Collection, kind: str) -> None:
    collection.output.mkdir()
    file = collection.output / "file"
    file.write_text("harmless")
    secret = collection.root / "key"
    secret.write_text("s3cret!!")
    changed: list[bool] = []

    def exchange() -> bool:
        if not changed:
            changed.append(True)
            file.unlink()
            os.mkfifo(file) if kind == "pipe" else file.symlink_to(secret)
        return False

    collection.collect(interrupted=exchange)
    assert collection.message("file")
    assert collection.files() == []


def test_directory_that_is_exchanged_before_it_is_opened_is_refused(collection: Collection) -> None:
    inner = collection.output / "inner"
    inner.mkdir(parents=True)
    secret = collection.root / "secret"
    secret.mkdir()
    (secret / "key").write_text("s3cret")

    def exchange() -> bool:
        if inner.is_dir() and not inner.is_symlink():
            inner.rmdir()
            inner.symlink_to(secret)
        return False

    collection.collect(interrupted=exchange)
    assert collection.message("inner")
    assert collection.files() == []


def test_what_a_program_planted_where_files_are_kept_is_not_written_through(collection: Collection) -> None:
    victim = collection.root / "victim"
    victim.write_text("precious")
    elsewhere = collection.root / "elsewhere"
    elsewhere.mkdir()
    (collection.kept / "file").symlink_to(victim)
    (collection.kept / "folder").symlink_to(elsewhere)
    (collection.output / "folder").mkdir(parents=True)
    (collection.output / "folder" / "x").write_text("x")
    (collection.output / "file").write_text("new")
    collection.collect()
    assert victim.read_text() == "precious"
    assert list(elsewhere.iterdir()) == []
    assert (collection.kept / "file").read_text() == "new"
    assert not (collection.kept / "file").is_symlink()
    assert collection.message("folder")


def test_hard_links_are_files(collection: Collection) -> None:
    collection.output.mkdir()
    (collection.output / "a").write_text("same")
    (collection.output / "b").hardlink_to(collection.output / "a")
    collection.collect()
    assert collection.files() == ["a", "b"]


def test_names_that_are_no_text_are_told_as_text(collection: Collection) -> None:
    collection.output.mkdir()
    odd = os.fsdecode(b"\xff\n\x1b[2J")
    (collection.output / odd).write_text("x")
    collection.collect()
    assert [each.path for each in collection.told] == ["\\xff\n\x1b[2J"]
    assert (collection.kept / odd).read_text() == "x"


def test_depth_is_bounded(collection: Collection) -> None:
    collection.output.mkdir()
    deep = collection.output.joinpath(*["d"] * 70)
    deep.mkdir(parents=True)
    (deep / "x").write_text("x")
    collector = collection.collect()
    assert (collector.collected, collector.refused) == (0, 1)


def test_number_of_files_is_bounded(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aotel.runner.artifacts._MOST", 20)
    collection.output.mkdir()
    for number in range(30):
        (collection.output / f"{number:03}").write_text("x")
    collector = collection.collect()
    assert (collector.collected, collector.refused) == (20, 1)
    assert "more than 20 files" in collection.message("020")


def test_interrupt_stops_and_leaves_no_part(collection: Collection) -> None:
    collection.output.mkdir()
    for name in "abc":
        (collection.output / name).write_bytes(b"x" * 400_000)
    answers = iter([False, False, False, False, False])
    collection.collect(interrupted=lambda: next(answers, True))
    assert collection.files() == ["a"]
    assert [each.path for each in collection.told if not each.collected] == ["b"]


def test_directories_of_the_run_itself_are_left_out(collection: Collection) -> None:
    collection.output.mkdir()
    record = collection.output / ".aotel"
    record.mkdir()
    (record / "audit.jsonl").write_text("{}")
    (collection.output / "x").write_text("x")
    found = record.stat()
    target = os.open(collection.kept, os.O_RDONLY | os.O_DIRECTORY)
    skipped = frozenset({(found.st_dev, found.st_ino)})
    Collector(target, 1000, collection.told.append, skip=skipped).collect(collection.place)
    os.close(target)
    assert collection.files() == ["x"]
