"""What is coated is pickled and copied like its twin, and traces in whatever process it arrives in."""

from __future__ import annotations

import asyncio
import copy
import functools
import multiprocessing
import operator
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from aotel import coat, run, session
from tests.envelope_schema import assert_paired, read_envelopes
from tests.tracing.callables import (
    COATED,
    COATED_ASYNC_PARTIAL,
    COATED_BUILTIN,
    COATED_EXISTING,
    COATED_GENERATOR_PARTIAL,
    COATED_PARTIAL,
    COATED_WORKER,
    PLAIN,
    Coated,
    CoatedClass,
    coated_generator,
    coated_plain,
    plain,
    plain_generator,
)
from tests.tracing.kinds import KINDS, Kind
from tests.tracing.kinds import run as run_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.recording import Recorded

every_kind = pytest.mark.parametrize("kind", KINDS, ids=attrgetter("id"))


def pickled(protocol: int, value: Any) -> Any:
    """Return what comes out of a pickle."""
    return pickle.loads(pickle.dumps(value, protocol))


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {protocol}": functools.partial(pickled, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.mark.parametrize("how", COPIES)
@every_kind
def test_copy_still_traces(kind: Kind, how: str, recorded: Recorded) -> None:
    duplicate = COPIES[how](kind.coated)
    assert run_kind(kind, duplicate, lambda: 7) == 7
    operation = recorded.operation
    assert operation.span.name == kind.span
    assert operation.outcome == "ok"
    assert isinstance(duplicate, type(kind.twin))


@pytest.mark.parametrize("how", COPIES)
def test_options_survive(how: str, recorded: Recorded) -> None:
    coated = coat("llm", plain_generator, name="renamed", capture="none", attributes={"team": "red"})
    duplicate = COPIES[how](coated)
    assert list(duplicate(lambda: 7)) == [7]
    operation = recorded.operation
    assert operation.span.name == "renamed"
    assert operation.start["kind"] == "agent.llm.request"
    assert operation.start["capture"]["content"] == "none"
    assert operation.attributes["team"] == "red"


@pytest.mark.parametrize("how", COPIES)
def test_sessions_and_runs_survive(how: str, recorded: Recorded) -> None:
    in_session = COPIES[how](session("chat-7", user_id="u")(plain))
    in_run = COPIES[how](run("nightly")(plain))
    assert in_session(lambda: 1) == in_run(lambda: 1) == 1
    first, second = recorded.operations
    assert first.attributes["session.id"] == "chat-7"
    assert first.attributes["user.id"] == "u"
    assert second.span.name == "nightly"
    assert second.start["kind"] == "agent.run.start"


@pytest.mark.parametrize("how", COPIES)
def test_objects_with_coated_methods_are_copied(how: str, recorded: Recorded) -> None:
    duplicate = COPIES[how](COATED)
    assert duplicate.method(lambda: 1) == 1
    assert list(duplicate.generator_method(lambda: 2)) == [2]
    built = COPIES[how](CoatedClass(int))
    assert built.came_of_it == 0
    assert len(recorded.operations) == 3


def test_what_stands_under_its_name_is_pickled_by_name() -> None:
    for coated in (coated_plain, coated_generator, Coated.method, Coated.generator_method):
        assert pickle.loads(pickle.dumps(coated)) is coated


def test_what_stands_under_another_name_is_pickled_with_its_original() -> None:
    duplicate = pickle.loads(pickle.dumps(COATED_EXISTING))
    assert duplicate is not COATED_EXISTING
    assert duplicate.__wrapped__ is plain


def test_what_cannot_be_pickled_says_so() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(coat("tool", lambda: 1))


def answer() -> int:
    """Return what the tests in other processes expect."""
    return 42


def collect(coated: Any) -> list[Any]:
    """Run a generator function to its end; generators themselves cannot be sent."""
    return list(coated(answer))


def complete(coated: Any) -> Any:
    """Run an async function to its end."""
    return asyncio.run(coated(answer))


def reduced(coated: Any) -> Any:
    """Run what stands for `functools.reduce`."""
    return coated(operator.add, [40, 2])


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProcessPoolExecutor, Path]]:
    """A spawned process, which knows nothing of this one, and the file that it writes envelopes to."""
    written = tmp_path_factory.mktemp("pool") / "envelopes.jsonl"
    executor = ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), initializer=_envelopes_to, initargs=(str(written),)
    )
    with executor:
        yield executor, written


def _envelopes_to(path: str) -> None:
    import aotel  # in the new process

    aotel.configure(envelopes=f"file:{path}")


def flushed() -> bool:
    """Deliver what waits in the process this runs in."""
    import aotel  # in the new process

    return aotel.flush(10)


@pytest.mark.parametrize(
    ("task", "argument", "result", "name"),
    [
        (COATED_EXISTING, answer, 42, "plain"),
        (coated_plain, answer, 42, "coated_plain"),
        (COATED_PARTIAL, answer, 42, "two"),
        (COATED_WORKER, answer, 42, "Worker"),
        (COATED.method, answer, 42, "Coated.method"),
        (coat("tool", PLAIN.method), answer, 42, "Plain.method"),
        (Coated.class_method, answer, 42, "Coated.class_method"),
        (reduced, COATED_BUILTIN, 42, "reduce"),
        (collect, COATED_GENERATOR_PARTIAL, [42], "two_generator"),
        (collect, coated_generator, [42], "coated_generator"),
        (complete, COATED_ASYNC_PARTIAL, 42, "two_async"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_spawned_process_traces_what_it_is_sent(
    pool: tuple[ProcessPoolExecutor, Path], task: Callable[[Any], Any], argument: Any, result: Any, name: str
) -> None:
    executor, written = pool
    assert executor.submit(task, argument).result(50) == result
    assert executor.submit(flushed).result(50)
    envelopes = read_envelopes(written)
    assert_paired(envelopes)
    assert [envelope["payload"]["fn"] for envelope in envelopes[-2:]] == [name, name]


def test_program_that_is_the_main_module_pickles_too(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import pickle, functools\n"
        "from aotel import coat\n"
        "def tool(x): return x\n"
        "direct = coat('tool', tool)\n"
        "@coat\n"
        "def decorated(x): return x\n"
        "@coat\n"
        "def generator(x):\n    yield x\n"
        "for fn in (direct, decorated, generator):\n"
        "    assert pickle.loads(pickle.dumps(fn))\n"
        "print('pickled')\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=50, check=False)
    assert (done.stdout, done.stderr) == ("pickled\n", "")


def test_a_wrapped_stand_in_can_be_decorated_again(recorded: Recorded) -> None:
    @functools.wraps(coated_generator)
    def around(*args: Any) -> Any:
        return coated_generator(*args)

    assert list(around(lambda: 1)) == [1]
    assert around.__name__ == "coated_generator"
    assert len(recorded.operations) == 1
