"""Operations as trees: by span where there is one, by process and time where there is none, and what is in no tree."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aotel.audit import Entry, Happening, Operation, group, grouping

START = datetime(2026, 4, 14, tzinfo=timezone.utc)
TRACE = "tr_1"


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def envelope(time: float, span: str, phase: str, parent: str = "", pid: int = 1, name: str = "") -> Entry:
    payloads: dict[str, dict[str, Any]] = {
        "start": {"fn": name or span, "preview": {}},
        "end": {"fn": name or span, "result_preview": "", "duration_ms": 1.0, "ok": True},
        "error": {"fn": name or span, "error_type": "E", "message": "m", "ok": False},
        "emit": {"tag": name, "data": None},
    }
    kinds = {"start": "agent.tool.call", "end": "agent.tool.result", "error": "coat.error", "emit": "coat.emit"}
    ids = {"trace_id": TRACE, "span_id": span, "parent_span_id": parent}
    detail = {"kind": kinds[phase], "ts": at(time), "ids": ids, "payload": payloads[phase], "envpod": {"pid": pid}}
    return Entry(at(time), "p", "agent_coat", json.dumps(detail), success=True)


def opened(time: float, path: str, span: str = "", pid: int = 1, written: float | None = None) -> Entry:
    ids = {"trace_id": TRACE, "span_id": span} if span else {}
    detail = {"ts": at(time), "pid": pid, "path": path, "mode": "read", "count": 1, **ids}
    return Entry(at(time if written is None else written), "p", "file_open", json.dumps(detail), success=True)


def shape(thing: Operation | Happening) -> Any:
    if isinstance(thing, Happening):
        shown = thing.detail.get("path") or thing.detail.get("payload", {}).get("tag") or thing.entry.action
        return f"{shown}?" if thing.heuristic else shown
    ended = "" if thing.end is not None else "..."
    return thing.first.name + ended, [shape(each) for each in thing.inside]


def grouped(*entries: Entry) -> list[Any]:
    return [shape(thing) for thing in group(entries)]


def test_nesting_and_order() -> None:
    assert grouped(
        envelope(0, "a", "start"),
        envelope(1, "b", "start", "a"),
        envelope(2, "b", "emit", "a", name="note"),
        envelope(3, "b", "end", "a"),
        envelope(4, "c", "start", "a"),
        envelope(5, "c", "error", "a"),
        envelope(6, "a", "end"),
    ) == [("a", [("b", ["note"]), ("c", [])])]


def test_machine_events_by_span_are_exact_also_when_they_come_late() -> None:
    assert grouped(
        envelope(0, "a", "start"),
        envelope(1, "b", "start", "a"),
        envelope(2, "b", "end", "a"),
        envelope(3, "a", "end"),
        opened(1.5, "/x", "b", pid=77, written=4),
    ) == [("a", [("b", ["/x"])])]


def test_machine_events_without_a_span_are_guessed_by_process_and_time() -> None:
    assert grouped(
        envelope(0, "a", "start", pid=1),
        envelope(1, "b", "start", "a", pid=1),
        opened(1.5, "/in b", pid=1),
        envelope(2, "b", "end", "a", pid=1),
        opened(2.5, "/in a", pid=1),
        opened(2.6, "/of another process", pid=2),
        envelope(3, "a", "end", pid=1),
        opened(1.7, "/in b, told late", pid=1, written=3.5),
        opened(3.2, "/after all", pid=1),
    ) == [
        "/of another process",
        "/after all",
        ("a", [("b", ["/in b?", "/in b, told late?"]), "/in a?"]),
    ]


def test_unfinished_operations_and_those_whose_start_is_missing() -> None:
    assert grouped(envelope(0, "a", "start"), envelope(1, "b", "start", "a")) == [("a...", [("b...", [])])]
    assert grouped(envelope(1, "b", "end", "a")) == [("b", [])]


def test_what_is_in_no_operation_stands_by_itself() -> None:
    entry = Entry(at(0), "p", "claim", "{}", success=False)
    assert grouped(envelope(0, "a", "start"), entry, envelope(1, "", "emit", name="said"), envelope(2, "a", "end")) == [
        "claim",
        "said",
        ("a", []),
    ]


def test_a_span_id_that_comes_again_is_another_operation() -> None:
    found = grouped(
        envelope(0, "a", "start"),
        envelope(1, "a", "end"),
        envelope(60, "a", "start", name="again"),
        envelope(61, "a", "end", name="again"),
    )
    assert found == [("a", []), ("again", [])]


def test_envelopes_of_other_makers_and_nonsense() -> None:
    other = {"kind": "agent.tool.call", "ids": {"span_id": 7}, "payload": [], "envpod": {"pid": "x"}}
    entries = [Entry(at(0), "p", "agent_coat", text, success=True) for text in (json.dumps(other), "[]", "}", "\ud800")]
    assert len(grouped(*entries)) == 4


def test_what_is_held_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(grouping, "HELD", 100)
    most = 0
    held = grouping._Grouping()
    out = 0
    for number in range(5000):
        out += sum(1 for _ in held.add(envelope(0, f"s{number}", "start")))
        most = max(most, len(held._operations), len(held._trees))
    out += sum(1 for _ in held.rest())
    assert most <= 101
    assert out == 5000
    assert not held._operations
    assert not held._of_process


@given(
    st.lists(
        st.tuples(
            st.floats(0, 100),
            st.sampled_from("abcd"),
            st.sampled_from(["start", "end", "error", "emit"]),
            st.sampled_from(["", "a", "b", "c", "d"]),
        ),
        max_size=30,
    )
)
def test_nothing_is_lost_or_doubled_whatever_the_order(events: list[tuple[float, str, str, str]]) -> None:
    entries = [envelope(time, span, phase, parent, name=str(n)) for n, (time, span, phase, parent) in enumerate(events)]

    def names(thing: Operation | Happening) -> list[str]:
        if isinstance(thing, Happening):
            return [thing.detail["payload"]["tag"]]
        own = [found.name for found in (thing.start, thing.end) if found is not None]
        return own + [name for each in thing.inside for name in names(each)]

    found = [name for thing in group(entries) for name in names(thing)]
    assert len(found) == len(set(found))
    emitted = {str(n) for n, event in enumerate(events) if event[2] in {"emit", "start"}}
    assert emitted <= set(found)
