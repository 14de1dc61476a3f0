"""`run`: an agent's entry point, its id on all inside, and where its code came from."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aotel import coat, run, session
from aotel.tracing.provenance import git_commit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.recording import Recorded


@coat("tool")
def leaf() -> None:
    """Do nothing."""


@run
def bare() -> str:
    leaf()
    return "done"


@run("nightly")
def named() -> str:
    leaf()
    return "done"


@run()
async def waiting() -> str:
    await asyncio.sleep(0)
    leaf()
    return "done"


def test_run_defines_the_id_of_all_inside(recorded: Recorded) -> None:
    assert named() == "done"
    inside, around = recorded.operations
    run_id = around.start["ids"]["run_id"]
    assert around.span.name == "nightly"
    assert around.start["kind"], around.end["kind"] == ("agent.run.start", "agent.run.end")
    assert inside.start["ids"]["run_id"] == run_id != f"run_{inside.start['ids']['trace_id'][-16:]}"
    assert around.attributes["agent.run.id"] == run_id
    assert around.attributes["agent.run.name"] == "nightly"
    assert around.attributes["aot.run_id"] == inside.attributes["aot.run_id"] == run_id
    assert around.end["payload"]["result_preview"] == "'done'"


def test_each_call_is_a_run_of_its_own(recorded: Recorded) -> None:
    bare()
    bare()
    first, second = (operation for operation in recorded.operations if operation.span.name == "bare")
    assert first.start["ids"]["run_id"] != second.start["ids"]["run_id"]


def test_runs_nest(recorded: Recorded) -> None:
    @run
    def outer() -> None:
        named()
        leaf()

    outer()
    ids = [operation.start["ids"]["run_id"] for operation in recorded.operations]
    assert ids[0] == ids[1]
    assert ids[2] == ids[3] != ids[0]


async def test_every_kind_of_function_can_be_a_run(recorded: Recorded) -> None:
    @run
    def pieces() -> Iterator[int]:
        leaf()
        yield 1

    class Agent:
        @run
        def work(self) -> str:
            leaf()
            return "work"

        @run
        @classmethod
        def build(cls) -> str:
            leaf()
            return cls.__name__

        @run("static")
        @staticmethod
        def add(first: int, second: int) -> int:
            leaf()
            return first + second

    assert await waiting() == "done"
    assert list(pieces()) == [1]
    assert Agent().work() == "work"
    assert Agent().build() == Agent.build() == "Agent"
    assert Agent().add(1, 2) == Agent.add(1, 2) == 3
    operations = recorded.operations
    assert [operation.span.name for operation in operations[1::2]] == [
        "waiting",
        "pieces",
        "Agent.work",
        "Agent.build",
        "Agent.build",
        "static",
        "static",
    ]
    for inside, around in zip(operations[::2], operations[1::2], strict=True):
        assert inside.start["ids"]["run_id"] == around.attributes["agent.run.id"]


async def test_parallel_runs_keep_apart(recorded: Recorded) -> None:
    await asyncio.gather(*(waiting() for _ in range(5)))
    by_run: dict[str, list[str]] = {}
    for operation in recorded.operations:
        by_run.setdefault(operation.start["ids"]["run_id"], []).append(operation.span.name)
    assert list(by_run.values()) == [["leaf", "waiting"]] * 5


def test_threads_carry_the_run(recorded: Recorded) -> None:
    @run
    def outer() -> None:
        thread = threading.Thread(target=leaf)
        thread.start()
        thread.join()

    outer()
    assert len({operation.start["ids"]["run_id"] for operation in recorded.operations}) == 1


def test_session_inside_a_run_and_run_inside_a_session(recorded: Recorded) -> None:
    with session("chat-7", user_id="u"):
        bare()

    @run
    def outer() -> None:
        with session("chat-8"):
            leaf()

    outer()
    inside, around, _, leaf_two, session_two, run_two = recorded.operations
    assert inside.attributes["session.id"] == around.attributes["session.id"] == "chat-7"
    assert inside.attributes["user.id"] == "u"
    assert leaf_two.start["ids"]["run_id"] == session_two.start["ids"]["run_id"] == run_two.attributes["agent.run.id"]
    assert leaf_two.start["ids"]["session_id"] == "chat-8"


def test_provenance_of_the_code(recorded: Recorded) -> None:
    bare()
    attributes = recorded.operations[1].attributes
    here = Path(__file__)
    assert attributes["agent.run.source_file"] == str(here)
    assert attributes["agent.run.source_sha256"] == hashlib.sha256(here.read_bytes()).hexdigest()
    distributions = attributes["agent.run.distributions"]
    assert list(distributions) == sorted(distributions)
    assert any(name.startswith("opentelemetry-sdk==") for name in distributions)
    digest = hashlib.sha256("\n".join(distributions).encode()).hexdigest()
    assert attributes["agent.run.distributions_sha256"] == digest


def test_function_without_a_source_has_no_file(recorded: Recorded) -> None:
    namespace: dict[str, Any] = {}
    exec("def made(): return 1", namespace)
    assert run(namespace["made"])() == 1
    assert run(len)([1]) == 1
    for operation in recorded.operations:
        assert "agent.run.source_sha256" not in operation.attributes


def test_failed_run_is_an_error(recorded: Recorded) -> None:
    @run
    def failing() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        failing()
    assert recorded.operation.outcome == "error"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_commit_is_read_from_gits_own_files(tmp_path: Path) -> None:
    place = tmp_path / "project"
    inside = place / "package" / "deep"
    inside.mkdir(parents=True)
    assert git_commit(inside) is None or (Path("/") / ".git").exists()
    git(place, "init", "-q")
    git(place, "commit", "-q", "--allow-empty", "-m", "first")
    expected = git(place, "rev-parse", "HEAD")
    assert git_commit(inside) == expected
    git(place, "pack-refs", "--all")
    assert git_commit(inside) == expected
    git(place, "checkout", "-q", "--detach")
    assert git_commit(inside) == expected
    git(place, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    assert git_commit(tmp_path / "tree") == expected


def test_broken_git_folder_is_no_commit(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/unborn\n")
    assert git_commit(tmp_path) is None


@pytest.mark.parametrize("name", [7, b"name", ["name"]])
def test_bad_name_is_named(name: Any) -> None:
    with pytest.raises(TypeError, match="name is a string"):
        run(name)


@pytest.mark.parametrize("decorator", [run("name"), run(), session("s"), coat("tool"), coat()])
def test_what_cannot_be_called_cannot_be_decorated(decorator: Any) -> None:
    with pytest.raises(TypeError, match="is something callable, got int: 7"):
        decorator(7)
