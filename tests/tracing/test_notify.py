"""`notify` and `progress`: events, and envelopes that need no span around them."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

import aotel
from aotel import notify, progress, step
from tests.recording import recording

if TYPE_CHECKING:
    from tests.recording import Recorded


def emitted(recorded: Recorded) -> list[dict[str, Any]]:
    return [envelope for envelope in recorded.envelopes if envelope["kind"] == "coat.emit"]


def test_event_and_envelope_inside_an_operation(recorded: Recorded) -> None:
    with step("work"):
        notify("warning", "the index is old", age_days=40)
    (event,) = recorded.operation.span.events
    (envelope,) = recorded.operation.between
    data = {"message": "the index is old", "age_days": 40, "kind": "warning"}
    assert event.name == "notify"
    assert json.loads(str((event.attributes or {})["aot.data"])) == data
    assert envelope["payload"] == {"tag": "notify", "data": data}
    assert envelope["ids"] == recorded.operation.start["ids"]


def test_outside_any_span_the_envelope_has_no_ids_of_one(recorded: Recorded) -> None:
    notify("lifecycle", "ready")
    notify("success", "done")
    first, second = emitted(recorded)
    for envelope in (first, second):
        ids = envelope["ids"]
        assert [ids[name] for name in ("run_id", "step_id", "trace_id", "span_id", "parent_span_id")] == [""] * 5
        assert ids["session_id"]
    assert second["seq"] > first["seq"] > 0  # receivers tell them apart by their numbers


def test_inside_a_session_but_outside_spans_of_ours_it_belongs_to_the_session(recorded: Recorded) -> None:
    with aotel.session("talk"):
        notify("activity", "thinking")
    (envelope,) = emitted(recorded)
    assert envelope["ids"]["session_id"] == "talk"


@pytest.mark.parametrize("kind", ["lifecycle", "metrics", "activity", "warning", "error", "success"])
def test_kinds(recorded: Recorded, kind: str) -> None:
    notify(kind, "x")
    assert emitted(recorded)[0]["payload"]["data"]["kind"] == kind


def test_details_cannot_change_the_kind_of_a_report(recorded: Recorded) -> None:
    with pytest.raises(TypeError):
        notify("error", "x", kind="success")  # type: ignore[misc]
    assert not emitted(recorded)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match=r"kind is one of lifecycle, metrics, .*, got 'info'"):
        notify("info", "x")
    with pytest.raises(TypeError, match="message is a string, got int: 3"):
        notify("error", 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="name is a string, got bytes"):
        progress(b"x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="total is a number, got str: '10'"):
        progress("x", "10")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="total is a number from 0, got -1"):
        progress("x", -1)
    with pytest.raises(ValueError, match="n is a number from 0, got nan"):
        progress("x").advance(float("nan"))


def test_secrets_are_removed(recorded: Recorded) -> None:
    notify("error", "login with sk-ant-REDACTED failed", password="hunter2")
    text = json.dumps(emitted(recorded))
    assert "hunter2" not in text
    assert "abcdefghijklmnop" not in text


@pytest.mark.parametrize("mode", ["none", "hash", "summary"])
def test_capture_modes(mode: str) -> None:
    with recording(capture=mode) as recorded:
        notify("error", "nobody may read this")
        with progress("nor this", 10) as bar:
            bar.advance()
    text = json.dumps(emitted(recorded))
    assert "nobody" not in text
    assert "nor this" not in text
    told = [envelope["payload"]["data"] for envelope in emitted(recorded)]
    assert [data and data.get("state", data.get("kind")) for data in told] == (
        [None] * 3 if mode == "none" else ["error", "started", "done"]
    )


def test_progress_tells_start_and_end(recorded: Recorded) -> None:
    with progress("indexing", total=3) as bar:
        for _ in range(3):
            bar.advance()
    told = [envelope["payload"] for envelope in emitted(recorded)]
    assert [payload["tag"] for payload in told] == ["progress"] * len(told)
    assert told[0]["data"] == {"name": "indexing", "done": 0, "total": 3, "state": "started"}
    assert told[-1]["data"] == {"name": "indexing", "done": 3, "total": 3, "state": "done"}


def test_progress_of_many_steps_is_told_a_few_times(recorded: Recorded) -> None:
    began = time.monotonic()
    with progress("counting") as bar:
        for _ in range(20_000):
            bar.advance(0.5)
    told = [envelope["payload"]["data"] for envelope in emitted(recorded)]
    assert len(told) <= 3 + (time.monotonic() - began) * 10
    assert told[-1] == {"name": "counting", "done": 10_000, "total": None, "state": "done"}


def test_progress_that_fails(recorded: Recorded) -> None:
    def work() -> None:
        with progress("x", 5) as bar:
            bar.advance(2)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert emitted(recorded)[-1]["payload"]["data"] == {"name": "x", "done": 2, "total": 5, "state": "failed"}


async def test_progress_in_async_code(recorded: Recorded) -> None:
    async with progress("x", 1) as bar:
        bar.advance()
    assert emitted(recorded)[-1]["payload"]["data"]["state"] == "done"


def test_progress_by_many_threads_counts_everything(recorded: Recorded) -> None:
    with progress("x") as bar:

        def work() -> None:
            for _ in range(500):
                bar.advance()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert emitted(recorded)[-1]["payload"]["data"]["done"] == 4000


def test_under_a_foreign_span_that_is_not_recorded(recorded: Recorded) -> None:
    context = trace.SpanContext(0xA1, 0xB2, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(context)):
        notify("error", "x")
    assert emitted(recorded)[0]["ids"]["span_id"] == f"sp_{0xB2:016x}"


def test_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOTEL_DISABLED", "true")
    with recording() as recorded:
        notify("error", "x")
        with progress("x") as bar:
            bar.advance()
    assert not recorded.envelopes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_numbers_its_own(recorded: Recorded) -> None:
    notify("lifecycle", "parent")
    child = os.fork()
    if not child:
        notify("lifecycle", "child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert [envelope["payload"]["data"]["message"] for envelope in emitted(recorded)] == ["parent"]
