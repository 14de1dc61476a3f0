"""Local variables at the return of a function: by `sys.monitoring`, and by a profile hook."""

from __future__ import annotations

import asyncio
import cProfile
import gc
import inspect
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from aotel.content import ContentPolicy
from aotel.content.local_variables import Watch, watch
from aotel.content.profile_hook import ProfileWatch
from aotel.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator
    from types import CodeType, FrameType

policy = ContentPolicy.build(Settings())
capture = policy.default
monitored = sys.version_info >= (3, 12)


def make_watch(code: CodeType) -> Watch:
    found = watch(code, capture)
    assert found is not None
    return found


def make_profile_watch(code: CodeType) -> Watch:
    return ProfileWatch(code, capture)


KINDS = [pytest.param(make_watch, id="default"), pytest.param(make_profile_watch, id="profile hook")]
either = pytest.mark.parametrize("make", KINDS)


def run(make: Callable[[CodeType], Watch], fn: Callable[..., Any], *args: Any) -> tuple[Any, dict[str, Any]]:
    found = make(fn.__code__)
    found.activate()
    try:
        return fn(*args), dict(found.result)
    finally:
        found.deactivate()
        assert sys.getprofile() is None


def add(a: int, b: int) -> int:
    total = a + b
    _private = 1
    api_key = "hunter2"
    password, token_count = "hunter2", 3
    note = "password=hunter2"
    return total + len(api_key) * 0 + _private * 0 + len(password + note) * 0 + token_count * 0


@either
def test_locals_are_captured_at_return_without_private_and_secret_ones(make: Callable[[CodeType], Watch]) -> None:
    result, values = run(make, add, 1, 2)
    assert result == 3
    assert values == {
        "a": 1,
        "b": 2,
        "total": 3,
        "token_count": 3,
        "note": f"password={policy.redactor.marker.of('hunter2')}",
    }


@either
def test_the_result_is_there_after_the_call_too(make: Callable[[CodeType], Watch]) -> None:
    found = make(add.__code__)
    found.activate()
    add(1, 2)
    found.deactivate()
    assert found.result["total"] == 3


@either
def test_an_exception_leaves_no_variables(make: Callable[[CodeType], Watch]) -> None:
    def fail(a: int) -> None:
        b = a
        raise ValueError(b)

    found = make(fail.__code__)
    found.activate()
    with pytest.raises(ValueError, match="1"):
        fail(1)
    found.deactivate()
    assert found.result == {}


@either
def test_returning_none_is_returning(make: Callable[[CodeType], Watch]) -> None:
    def nothing(a: int) -> None:
        b = a
        _ = b

    def nothing_said(a: int) -> None:
        b = a
        _ = b
        return None  # noqa: PLR1711, RET501

    def caught(a: int) -> None:
        try:
            raise ValueError
        except ValueError:
            b = a
        _ = b

    for fn in (nothing, nothing_said, caught):
        assert run(make, fn, 1) == (None, {"a": 1, "b": 1})


@either
def test_recursion_shows_the_outermost_call(make: Callable[[CodeType], Watch]) -> None:
    def factorial(n: int) -> int:
        below = 1 if n < 2 else factorial(n - 1)
        return n * below

    assert run(make, factorial, 5) == (120, {"n": 5, "below": 24})


@either
def test_recursion_by_way_of_others_shows_the_outermost_call(make: Callable[[CodeType], Watch]) -> None:
    def even(n: int) -> bool:
        answer = n == 0 or odd(n - 1)
        return answer

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    assert run(make, even, 300) == (True, {"n": 300, "answer": True})


@either
def test_each_call_that_is_watched_in_another_shows_its_own(make: Callable[[CodeType], Watch]) -> None:
    results = []

    def countdown(n: int) -> int:
        inner = 0
        if n:
            found = make(countdown.__code__)
            found.activate()
            inner = countdown(n - 1)
            found.deactivate()
            results.append(found.result)
            del found
        return n + inner

    assert run(make, countdown, 3) == (6, {"n": 3, "inner": 3})
    assert results == [{"n": 0, "inner": 0}, {"n": 1, "inner": 0}, {"n": 2, "inner": 1}]


@either
def test_closures_show_what_is_theirs(make: Callable[[CodeType], Watch]) -> None:
    outside = "outside"

    def outer(a: int) -> Callable[[], object]:
        kept = a
        return lambda: (outside, kept)

    _, values = run(make, outer, 1)
    assert values == {"a": 1, "kept": 1}


@either
def test_arguments_of_every_kind_are_variables(make: Callable[[CodeType], Watch]) -> None:
    def take(a: int, *args: int, b: int = 2, **kwargs: int) -> None:
        del a

    assert run(make, take, 1, 2)[1] == {"b": 2, "args": [2], "kwargs": {}}


@either
def test_a_return_from_within_comprehensions_and_blocks_is_seen(make: Callable[[CodeType], Watch]) -> None:
    def search(items: list[int]) -> int | None:
        doubled = [item * 2 for item in items]
        for item in doubled:
            try:
                if item > 2:
                    return item
            finally:
                done = True
                _ = done
        return None

    result, values = run(make, search, [1, 2, 3])
    assert result == 4
    assert values == {"items": [1, 2, 3], "doubled": [2, 4, 6], "item": 4, "done": True}


@either
def test_variables_are_those_of_the_thread_that_is_watched(make: Callable[[CodeType], Watch]) -> None:
    def work(n: int) -> int:
        if n == 1:
            other = threading.Thread(target=work, args=(2,))
            other.start()
            other.join()
        return n

    assert run(make, work, 1)[1].get("n") == 1


@either
def test_hostile_variables_harm_nobody(make: Callable[[CodeType], Watch]) -> None:
    from tests.content import zoo

    def collect() -> int:
        values = zoo.inhabitants()
        one = 1
        _ = values
        return one

    zoo.asked.clear()
    result, values = run(make, collect)
    assert result == 1
    assert set(values) == {"values", "one"}
    assert zoo.asked == []


@either
@pytest.mark.parametrize("mode", ["hash", "summary", "raw"])
def test_variables_are_written_as_the_mode_says(make: Callable[[CodeType], Watch], mode: str) -> None:
    other = policy.for_call(mode)
    found = watch(add.__code__, other) if make is make_watch else ProfileWatch(add.__code__, other)
    assert found is not None
    found.activate()
    add(1, 2)
    found.deactivate()
    assert found.result == other.variables({"a": 1, "b": 2, "total": 3, "token_count": 3, "note": "password=hunter2"})


@either
def test_a_call_that_is_not_watched_is_left_alone(make: Callable[[CodeType], Watch]) -> None:
    found = make(add.__code__)
    add(1, 2)
    assert found.result == {}
    found.activate()
    found.deactivate()
    found.deactivate()
    add(1, 2)
    assert found.result == {}


def generate(n: int) -> Generator[int, int, str]:
    total = 0
    for step in range(n):
        total += yield step
    return f"done {total}"


async def aio(n: int) -> int:
    await asyncio.sleep(0)
    later = n * 2
    await asyncio.sleep(0)
    return later


async def agenerate(n: int) -> AsyncGenerator[int, None]:
    last = 0
    for step in range(n):
        last = step
        yield last


def step(found: Watch, advance: Callable[[], Any]) -> Any:
    found.activate()
    try:
        return advance()
    finally:
        found.deactivate()


def test_a_generator_is_watched_step_by_step() -> None:
    found = watch(generate.__code__, capture)
    if not monitored:
        assert found is None
        return
    assert found is not None
    generator, other = generate(2), generate(5)
    assert step(found, lambda: next(generator)) == 0
    next(other)
    assert step(found, lambda: generator.send(5)) == 1
    other.close()
    assert found.result == {}
    with pytest.raises(StopIteration, match="done 12"):
        step(found, lambda: generator.send(7))
    assert found.result == {"n": 2, "total": 12, "step": 1}


def test_coroutines_are_watched_beside_each_other() -> None:
    if not monitored:
        assert watch(aio.__code__, capture) is None
        assert watch(agenerate.__code__, capture) is None
        return

    class Steps:
        def __init__(self, n: int) -> None:
            self.watch = make_watch(aio.__code__)
            self.coroutine = aio(n)

        def __await__(self) -> Generator[Any, Any, int]:
            while True:
                try:
                    waiting = step(self.watch, lambda: self.coroutine.send(None))
                except StopIteration as stop:
                    return int(stop.value)
                yield waiting

    async def main() -> None:
        steps = [Steps(n) for n in range(5)]

        async def one(which: Steps) -> int:
            return await which

        assert await asyncio.gather(*map(one, steps)) == [0, 2, 4, 6, 8]
        assert [which.watch.result for which in steps] == [{"n": n, "later": 2 * n} for n in range(5)]

    asyncio.run(main())


def test_an_async_generator_is_watched_step_by_step() -> None:
    if not monitored:
        return

    async def main() -> None:
        found = make_watch(agenerate.__code__)
        generator = agenerate(2)
        for _ in range(3):
            found.activate()
            try:
                await generator.__anext__()
            except StopAsyncIteration:
                break
            finally:
                found.deactivate()
        assert found.result == {"n": 2, "last": 1, "step": 1}

    asyncio.run(main())


class TestProfileHook:
    """What the hook does to other hooks: nothing."""

    def test_a_hook_that_is_there_is_called_on_and_restored(self) -> None:
        events: list[tuple[str, str]] = []

        def hook(frame: FrameType, event: str, arg: object) -> None:
            events.append((event, frame.f_code.co_name))

        found = make_profile_watch(add.__code__)
        sys.setprofile(hook)
        try:
            found.activate()
            add(1, 2)
            found.deactivate()
            assert sys.getprofile() is hook
        finally:
            sys.setprofile(None)
        assert found.result["total"] == 3
        assert ("call", "add") in events
        assert ("return", "add") in events

    def test_watches_inside_each_other_call_each_other_on(self) -> None:
        def outer(a: int) -> int:
            found = make_profile_watch(add.__code__)
            found.activate()
            b = add(a, 1)
            found.deactivate()
            assert found.result["total"] == b
            del found
            return b

        assert run(make_profile_watch, outer, 1) == (2, {"a": 1, "b": 2})

    def test_a_hook_that_the_function_sets_stays(self) -> None:
        def hook(frame: FrameType, event: str, arg: object) -> None:
            pass

        def profiled(a: int) -> int:
            sys.setprofile(hook)
            return a

        found = make_profile_watch(profiled.__code__)
        found.activate()
        try:
            profiled(1)
            found.deactivate()
            assert sys.getprofile() is hook
        finally:
            sys.setprofile(None)

    def test_a_hook_that_the_function_takes_away_stays_away(self) -> None:
        def unprofiled() -> None:
            sys.setprofile(None)

        def hook(frame: FrameType, event: str, arg: object) -> None:
            pass

        found = make_profile_watch(unprofiled.__code__)
        sys.setprofile(hook)
        found.activate()
        unprofiled()
        found.deactivate()
        assert sys.getprofile() is None

    def test_a_function_that_puts_back_what_it_found_is_watched_to_its_end(self) -> None:
        def careful(a: int) -> int:
            before = sys.getprofile()
            sys.setprofile(None)
            sys.setprofile(before)
            del before
            return a

        assert run(make_profile_watch, careful, 1) == (1, {"a": 1})

    def test_a_hook_that_somebody_kept_only_calls_on(self) -> None:
        events: list[str] = []
        kept: list[Any] = []

        def hook(frame: FrameType, event: str, arg: object) -> None:
            events.append(frame.f_code.co_name)

        def keep() -> None:
            kept.append(sys.getprofile())

        found = make_profile_watch(keep.__code__)
        sys.setprofile(hook)
        try:
            found.activate()
            keep()
            found.deactivate()
            events.clear()
            sys.setprofile(kept[0])
            add(1, 2)
        finally:
            sys.setprofile(None)
        assert "add" in events
        assert found.result == {}

    def test_a_profiler_that_cannot_be_called_on_is_not_disturbed(self) -> None:
        profiler = cProfile.Profile()
        profiler.enable()
        try:
            before = sys.getprofile()
            found = make_profile_watch(add.__code__)
            found.activate()
            add(1, 2)
            found.deactivate()
            assert sys.getprofile() is before
        finally:
            profiler.disable()

    def test_a_hook_that_raises_raises_as_ever(self) -> None:
        def hook(frame: FrameType, event: str, arg: object) -> None:
            if event == "return" and frame.f_code is add.__code__:
                raise RuntimeError("from the hook")

        found = make_profile_watch(add.__code__)
        sys.setprofile(hook)
        try:
            found.activate()
            with pytest.raises(RuntimeError, match="from the hook"):
                add(1, 2)
            found.deactivate()
        finally:
            sys.setprofile(None)


if sys.version_info >= (3, 12):
    from aotel.content import monitoring

    @pytest.fixture
    def _released() -> Iterator[None]:
        monitoring.release()
        yield
        monitoring.release()

    @pytest.mark.usefixtures("_released")
    class TestMonitoring:
        """What we do to other tools: nothing."""

        def test_events_are_set_for_the_code_alone(self) -> None:
            make_watch(add.__code__)
            tool = monitoring._Tool.id
            assert tool in {3, 4}
            assert sys.monitoring.get_tool(tool) == "aotel"
            assert sys.monitoring.get_events(tool) == 0
            assert sys.monitoring.get_local_events(tool, add.__code__) == sys.monitoring.events.PY_RETURN
            assert sys.monitoring.get_local_events(tool, run.__code__) == 0

        def test_the_tool_id_is_given_back(self) -> None:
            make_watch(add.__code__)
            tool = monitoring._Tool.id
            assert tool is not None
            monitoring.release()
            assert sys.monitoring.get_tool(tool) is None
            monitoring.release()
            assert run(make_watch, add, 1, 2)[1]["total"] == 3

        def test_another_tool_keeps_its_id(self) -> None:
            sys.monitoring.use_tool_id(4, "another")
            try:
                assert run(make_watch, add, 1, 2)[1]["total"] == 3
                assert monitoring._Tool.id == 3
                assert sys.monitoring.get_tool(4) == "another"
            finally:
                sys.monitoring.free_tool_id(4)

        def test_where_other_tools_hold_all_ids_a_profile_hook_serves(self) -> None:
            sys.monitoring.use_tool_id(4, "one")
            sys.monitoring.use_tool_id(3, "two")
            try:
                assert isinstance(make_watch(add.__code__), ProfileWatch)
                assert run(make_watch, add, 1, 2)[1]["total"] == 3
                assert watch(generate.__code__, capture) is None
            finally:
                sys.monitoring.free_tool_id(4)
                sys.monitoring.free_tool_id(3)

        def test_an_id_that_somebody_takes_away_is_claimed_again(self) -> None:
            make_watch(add.__code__)
            tool = monitoring._Tool.id
            assert tool is not None
            sys.monitoring.free_tool_id(tool)
            assert run(make_watch, add, 1, 2)[1]["total"] == 3

        def test_debuggers_and_coverage_go_on(self) -> None:
            lines: list[int] = []
            for tool in (sys.monitoring.DEBUGGER_ID, sys.monitoring.COVERAGE_ID):
                if sys.monitoring.get_tool(tool) is not None:
                    continue
                sys.monitoring.use_tool_id(tool, "another")
                sys.monitoring.register_callback(
                    tool, sys.monitoring.events.LINE, lambda code, line: lines.append(line)
                )
                sys.monitoring.set_local_events(tool, add.__code__, sys.monitoring.events.LINE)
                assert run(make_watch, add, 1, 2)[1]["total"] == 3
                sys.monitoring.set_local_events(tool, add.__code__, 0)
                sys.monitoring.free_tool_id(tool)
            assert len(lines) >= 6

        def test_a_trace_function_goes_on(self) -> None:
            seen: list[str] = []

            def trace(frame: FrameType, event: str, arg: object) -> Any:
                if frame.f_code is add.__code__:
                    seen.append(event)
                return trace

            before = sys.gettrace()
            sys.settrace(trace)
            try:
                _, values = run(make_watch, add, 1, 2)
            finally:
                sys.settrace(before)
            assert values["total"] == 3
            assert "return" in seen

        def test_code_that_is_gone_is_forgotten(self) -> None:
            for _ in range(50):
                namespace: dict[str, Any] = {}
                exec("def f():\n    a = 1\n    return a", namespace)
                assert run(make_watch, namespace["f"])[1] == {"a": 1}
            namespace = {}
            gc.collect()
            assert len(monitoring._Tool.codes) < 10


def test_a_watch_is_made_for_functions_of_every_kind_that_can_be_watched() -> None:
    kinds = [fn.__code__ for fn in (generate, aio, agenerate)]
    assert all((watch(code, capture) is not None) is monitored for code in kinds)
    assert inspect.iscoroutinefunction(aio)


def test_the_base_class_watches_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Watch(add.__code__, capture).activate()
    with pytest.raises(NotImplementedError):
        Watch(add.__code__, capture).deactivate()
