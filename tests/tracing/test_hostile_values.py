"""Hostile values through `coat` and its kin: nothing raises, nothing is lost, all is valid, and in bounded time."""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from aotel import coat, session, set_result, step, stream, tie
from tests.recording import Recorded, recording
from tests.tracing.hostile import HOSTILE, RaisesOnSight, Surrogate

if TYPE_CHECKING:
    from collections.abc import Iterator

every_value = pytest.mark.parametrize("what", HOSTILE)
every_mode = pytest.mark.parametrize("mode", ["none", "redacted", "hash", "summary", "raw"])

SECONDS = 2.0
"""What a call may take with a hostile value in it; a naive walk of the worst of them takes minutes."""


@pytest.fixture
def no_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing failed on the way: a failure of ours is logged."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if "mode raw" not in record.getMessage()] == []


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def check(recorded: Recorded, count: int) -> None:
    """Everything arrived, is JSON, and can be sent over OTLP: with one odd value, that encoding loses its batch."""
    assert len(recorded.operations) == count
    for span in recorded.spans:
        for name in ("input.value", "output.value", "aot.data", "metadata"):
            text = (span.attributes or {}).get(name)
            if text is not None and (span.attributes or {}).get(f"{name.partition('.')[0]}.mime_type") != "text/plain":
                json.loads(str(text), parse_constant=refuse)
        for event in span.events:
            if "aot.data" in (event.attributes or {}):
                json.loads(str((event.attributes or {})["aot.data"]), parse_constant=refuse)
    encode_spans(recorded.spans).SerializeToString()
    for record in recorded.records:
        json.loads(str(record.log_record.body), parse_constant=refuse)
    encode_logs(recorded.records).SerializeToString()


@every_mode
@every_value
def test_as_argument_and_result(what: str, mode: Any, no_log: None) -> None:
    @coat("tool", capture=mode)
    def work(positional: object, *, keyword: object) -> object:
        return positional

    value = HOSTILE[what]()
    with recording() as recorded:
        began = time.perf_counter()
        assert work(value, keyword=value) is value
        took = time.perf_counter() - began
        check(recorded, 1)
    assert took < SECONDS


@every_mode
@every_value
def test_as_data_of_everything_else(what: str, mode: str, no_log: None) -> None:
    value = HOSTILE[what]()
    with recording(capture=mode) as recorded:
        began = time.perf_counter()
        with session("s", metadata={"value": value}), step("work", value=value), stream("pieces") as pieces:
            tie("found", value)
            set_result(value)
            pieces.event("piece", value)
        took = time.perf_counter() - began
        check(recorded, 3)
    assert took < 3 * SECONDS


@every_value
def test_as_argument_of_an_exception(what: str, no_log: None) -> None:
    value = HOSTILE[what]()
    error = LookupError(value)

    @coat("tool")
    def failing() -> None:
        raise error

    with recording() as recorded:
        began = time.perf_counter()
        with pytest.raises(LookupError) as caught:
            failing()
        took = time.perf_counter() - began
        assert caught.value is error
        check(recorded, 1)
    assert took < SECONDS


@every_value
def test_as_something_in_a_class_or_generator(what: str, no_log: None) -> None:
    value = HOSTILE[what]()

    @coat("tool")
    class Holder:
        def __init__(self, content: object) -> None:
            self.content = content

    @coat("tool")
    def pieces(content: object) -> Iterator[object]:
        yield content

    with recording() as recorded:
        assert Holder(value).content is value
        (piece,) = pieces(value)
        assert piece is value
        check(recorded, 2)


def test_lazy_values_are_never_consumed(no_log: None) -> None:
    @coat("tool")
    def work(values: Any) -> Any:
        return values

    with recording():
        for lazy in (iter([1, 2, 3]), (number for number in [1, 2, 3]), map(int, "123")):
            assert list(work(lazy)) == [1, 2, 3]


def test_names_that_no_encoding_takes(no_log: None) -> None:
    with recording() as recorded:
        with session("s\ud800", user_id="\udfff", agent_id="\ud800", name="n\ud800"), step("step \ud800") as inside:
            assert inside is not None
            tie("tag \ud800", {"\ud800": 1})
        coat("tool \ud800", lambda: 1, name="\ud800", attributes={"key": "\ud800", "\ud800": 1})()
        odd: dict[str, Any] = {"name\ud800": 1}
        with stream("stream", **odd) as pieces:
            pieces.event("\ud800")
        for record in recorded.records:
            json.loads(str(record.log_record.body))
        encode_spans(recorded.spans).SerializeToString()
        encode_logs(recorded.records).SerializeToString()
        assert len(recorded.spans) == 4


ODD_ERRORS: list[BaseException] = [Surrogate("\ud800"), RecursionError("deep"), MemoryError()]
if sys.version_info >= (3, 11):
    from builtins import ExceptionGroup

    ODD_ERRORS.append(ExceptionGroup("several", [ValueError("one"), ExceptionGroup("nested", [KeyError("two")])]))


@pytest.mark.parametrize("error", ODD_ERRORS, ids=lambda error: type(error).__name__)
def test_exceptions_of_odd_kinds(error: BaseException, no_log: None) -> None:
    def failing() -> None:
        raise error

    with recording() as recorded:
        with pytest.raises(type(error)) as caught:
            coat("tool", failing)()
        assert caught.value is error
        check(recorded, 1)
        assert recorded.operation.outcome == "error"


def test_exception_whose_str_raises(no_log: None) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def failing() -> None:
        raise Unspeakable

    with recording() as recorded:
        with pytest.raises(Unspeakable):
            coat("tool", failing)()
        check(recorded, 1)
        assert recorded.operation.end["payload"]["error_type"] == "Unspeakable"


def test_exception_with_an_endless_chain(no_log: None) -> None:
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first

    def failing() -> None:
        raise first

    with recording() as recorded:
        with pytest.raises(ValueError, match="first"):
            coat("tool", failing)()
        check(recorded, 1)


def test_bottomless_recursion_is_the_programs_own_error(no_log: None) -> None:
    @coat("tool")
    def endless(depth: int) -> int:
        return endless(depth + 1)

    with recording() as recorded:
        with pytest.raises(RecursionError):
            endless(0)
        gc.collect()
        # The deepest calls have no stack left to end their spans in; the program saw its own error all the same.
        assert recorded.spans
        assert recorded.spans[-1].name.endswith("endless")


def test_values_that_change_while_they_are_looked_at(no_log: None) -> None:
    changing: dict[str, object] = {str(number): number for number in range(2000)}
    stopped = threading.Event()

    def change() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            changing[f"new {number % 500}"] = number
            changing.pop(f"new {(number - 250) % 500}", None)

    thread = threading.Thread(target=change)
    with recording() as recorded:
        thread.start()
        try:
            for _ in range(50):
                coat("tool", lambda value: None)(changing)
        finally:
            stopped.set()
            thread.join()
        check(recorded, 50)


TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.datetimes()
    | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


def test_any_value_passes_and_leaves_valid_json(no_log: None) -> None:
    @coat("tool")
    def work(value: object) -> object:
        return value

    with recording() as recorded:

        @given(TREES | st.text(st.characters(min_codepoint=0xD700, max_codepoint=0xE000)))
        def passes(value: object) -> None:
            recorded.clear()
            assert work(value) is value
            check(recorded, 1)

        passes()


def test_after_a_hostile_value_the_next_call_is_recorded(no_log: None) -> None:
    with recording() as recorded:
        for make in HOSTILE.values():
            coat("tool", lambda value: value)(make())
        coat("tool", lambda: "fine", name="last")()
        assert recorded.named("last").end["payload"]["result_preview"] == "'fine'"
        check(recorded, len(HOSTILE) + 1)


def test_hostile_object_as_self(no_log: None) -> None:
    class Agent(RaisesOnSight):
        @coat("tool")
        def work(self) -> int:
            return 1

        @coat("tool")
        def pieces(self) -> Iterator[int]:
            yield 1

    with recording() as recorded:
        assert Agent().work() == 1
        assert list(Agent().pieces()) == [1]
        check(recorded, 2)
