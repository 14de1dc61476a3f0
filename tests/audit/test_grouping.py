"""Operations as trees: by span where there is one, by process and time where there is none, and what is in no tree."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.audit import Entry, Grouping, Happening, Operation, group, grouping, nodes

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


def process(time: float, action: str, pid: int, **said: Any) -> Entry:
    return Entry(at(time), "p", action, json.dumps({"ts": at(time), "pid": pid, **said}), success=True)


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


def test_ends_whose_starts_were_dropped_are_nested_and_in_the_order_in_which_they_began() -> None:
    def ended(time: float, span: str, took: float, phase: str = "end") -> Entry:
        entry = envelope(time, span, phase, "" if span == "a" else "a")
        detail = json.loads(entry.detail)
        detail["payload"]["duration_ms"] = took * 1000
        return Entry(entry.timestamp, entry.pod_id, entry.action, json.dumps(detail), success=True)

    entries = [
        envelope(2.5, "b", "emit", "a", name="note"),
        envelope(3, "c", "start", "a"),
        ended(4, "c", 1),
        ended(8, "b", 6),
        ended(9, "d", 0.5, "error"),
        ended(10, "a", 9),
    ]
    (root,) = group(entries)
    assert shape(root) == ("a", [("b", ["note"]), ("c", []), ("d", [])])
    assert isinstance(root, Operation)
    assert root.time == at(1)
    assert [each.time for each in root.inside] == [at(2), at(3), at(8.5)]
    assert [each.failed for each in root.inside if isinstance(each, Operation)] == [False, False, True]


@pytest.mark.parametrize("took", [-1.0, 1e300, "long", None])
def test_an_odd_duration_says_nothing_of_the_beginning(took: object) -> None:
    entry = envelope(3, "a", "end")
    detail = json.loads(entry.detail)
    detail["payload"]["duration_ms"] = took
    (operation,) = group([Entry(entry.timestamp, "p", entry.action, json.dumps(detail), success=True)])
    assert operation.time == at(3)


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
    texts = (json.dumps(other), "[]", "}", "\ud800", "{}", '{"payload":{"ok":true}}', '{"ts":[]}', "[" * 5000)
    entries = [Entry(at(0), "p", "agent_coat", text, success=True) for text in texts]
    assert len(grouped(*entries)) == len(texts)


def test_a_tree_is_shown_when_it_is_complete_whatever_else_goes_on() -> None:
    found = grouped(
        envelope(0, "server", "start"),
        envelope(1, "a", "start"),
        envelope(2, "a", "end"),
        envelope(10, "b", "start"),
        envelope(11, "b", "end"),
        envelope(20, "server", "end"),
    )
    assert found == [("a", []), ("b", []), ("server", [])]


def test_an_operation_that_is_told_of_after_what_is_inside() -> None:
    """Those of other instrumentors may be: both envelopes leave when they end."""
    found = grouped(
        envelope(1, "c", "start", "b"),
        envelope(1, "d", "start", "b"),
        envelope(2, "c", "end", "b"),
        envelope(3, "d", "end", "b"),
        envelope(60, "b", "start", "a"),
        envelope(60, "b", "end", "a"),
        envelope(120, "a", "start"),
        envelope(120, "a", "end"),
    )
    assert found == [("a", [("b", [("c", []), ("d", [])])])]


def test_what_names_an_operation_waits_for_it() -> None:
    assert grouped(
        opened(1, "/x", "a"),
        envelope(1, "a", "emit", name="note"),
        envelope(2, "a", "start"),
        envelope(3, "a", "end"),
        opened(4, "/of none", "z"),
    ) == ["/of none", ("a", ["/x", "note"])]


def test_what_is_inside_is_in_the_order_in_which_it_happened() -> None:
    assert grouped(
        opened(1, "/1", "a"),
        opened(4, "/4", "a"),
        envelope(0, "a", "start"),
        envelope(5, "c", "start", "a"),
        envelope(6, "c", "end", "a"),
        envelope(2, "b", "start", "a"),
        envelope(3, "b", "end", "a"),
        envelope(7, "a", "end"),
    ) == [("a", ["/1", ("b", []), "/4", ("c", [])])]


def test_operations_around_each_other_and_around_themselves() -> None:
    found = grouped(
        envelope(0, "a", "start", "b"),
        envelope(1, "b", "start", "a"),
        envelope(2, "c", "start", "c"),
        envelope(3, "c", "end", "c"),
    )
    assert found == [("a...", [("b...", [])]), ("c", [])]


def test_a_guess_waits_for_an_operation_that_is_told_late() -> None:
    assert grouped(
        opened(1.5, "/x"),
        envelope(1, "a", "start"),
        envelope(2, "a", "end"),
        opened(30, "/later"),
    ) == [("a", ["/x?"]), "/later"]


def test_of_operations_side_by_side_the_latest_is_guessed() -> None:
    assert grouped(
        envelope(0, "a", "start"),
        envelope(1, "b", "start"),
        opened(1.5, "/x"),
        opened(0.5, "/before b"),
        envelope(3, "b", "end"),
        envelope(4, "a", "end"),
    ) == [("a", ["/before b?"]), ("b", ["/x?"])]


def test_a_process_without_operations_works_for_the_one_that_started_it() -> None:
    assert grouped(
        envelope(0, "a", "start", pid=1),
        envelope(1, "b", "start", "a", pid=1),
        process(2, "process_start", 2, ppid=1),
        process(2, "process_start", 3, ppid=2),
        opened(2.5, "/by a grandchild", pid=3),
        process(3, "process_exit", 3),
        envelope(4, "b", "end", "a", pid=1),
        envelope(5, "a", "end", pid=1),
        process(6, "process_start", 4, ppid=4),
        opened(6.5, "/of another", pid=4),
    ) == [
        "process_start",
        "/of another",
        ("a", [("b", ["process_start?", "process_start?", "/by a grandchild?", "process_exit?"])]),
    ]


def test_operations_of_a_process_that_is_gone_do_not_go_on() -> None:
    held = Grouping(follows=True)
    entries = [envelope(0, "a", "start", pid=5), envelope(1, "b", "start", "a", pid=5), process(2, "process_exit", 5)]
    assert not [thing for entry in entries for thing in held.add(entry)]
    shown = [shape(thing) for thing in held.passed((START + timedelta(seconds=5.5)).timestamp())]
    assert shown == [("a...", [("b...", ["process_exit?"])])]


def test_an_end_that_comes_after_its_process_is_gone() -> None:
    assert grouped(
        envelope(0, "a", "start", pid=5), process(2, "process_exit", 5), envelope(1.9, "a", "end", pid=5)
    ) == ["process_exit", ("a", [])]


def test_followed_trees_are_shown_after_a_while_without_anything_new() -> None:
    held = Grouping(follows=True)
    entries = [envelope(0, "a", "start"), envelope(1, "a", "end"), envelope(0, "b", "start", "gone")]
    entries += [envelope(1, "b", "end", "gone"), opened(1, "/early", "never"), opened(1, "/x", pid=9)]
    assert not [thing for entry in entries for thing in held.add(entry)]
    shown = [[shape(thing) for thing in held.passed(START.timestamp() + seconds)] for seconds in (1.5, 2.5, 5, 20, 60)]
    assert shown == [[], ["/x"], [("a", [])], [], [("b", []), "/early"]]
    assert not list(held.rest())


def test_two_ends_of_one_span_are_both_there() -> None:
    """A process that is forked inside of an operation ends it, too."""
    found = grouped(
        envelope(0, "a", "start"),
        envelope(1, "b", "start", "a", pid=1),
        envelope(2, "b", "end", "a", pid=2, name="of the child"),
        envelope(3, "b", "end", "a", pid=1, name="of the parent"),
        envelope(4, "a", "end"),
    )
    assert found == [("a", [("b", []), ("of the parent", [])])]


def test_a_start_that_was_sent_twice() -> None:
    start = envelope(0, "a", "start")
    assert grouped(start, start, envelope(1, "a", "end")) == [("a", [])]


def test_what_was_stopped_has_not_failed() -> None:
    stopped = envelope(1, "a", "error")
    detail = json.loads(stopped.detail)
    detail["payload"]["outcome"] = "cancelled"
    entries = [envelope(0, "a", "start"), Entry(at(1), "p", "agent_coat", json.dumps(detail), success=True)]
    (found,) = group([*entries, envelope(2, "b", "error")][:2])
    assert isinstance(found, Operation)
    assert (found.failed, found.outcome) == (False, "cancelled")
    (failed,) = group([envelope(2, "b", "error")])
    assert isinstance(failed, Operation)
    assert failed.failed


def depth(thing: Any) -> int:
    return 1 + max((depth(each) for each in thing[1]), default=0)


def test_depth_is_bounded_from_above_and_from_below() -> None:
    downwards = [envelope(n, f"s{n}", "start", f"s{n - 1}") for n in range(400)]
    (found,) = grouped(*downwards)
    assert depth(found) == nodes.DEEPEST + 1
    upwards = [envelope(n, f"s{n}", "start", f"s{n + 1}") for n in range(400)]
    trees = grouped(*upwards)
    assert max(map(depth, trees)) == nodes.DEEPEST + 1
    assert len(names_of(trees)) == 400


def names_of(found: list[Any]) -> list[str]:
    return [name for name, inside in found for name in [name, *names_of(inside)]]


def test_a_tree_that_is_too_large_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "HELD", 20)
    entries = [envelope(0, "root", "start"), envelope(0, "loop", "start", "root")]
    for number in range(50):
        entries += [envelope(1, f"s{number}", "start", "loop"), envelope(1, f"s{number}", "end", "loop")]
    entries += [envelope(2, "loop", "end", "root"), envelope(3, "root", "end")]
    parts = [thing for thing in group(entries) if isinstance(thing, Operation)]
    assert len(parts) > 2
    assert [part.continues for part in parts] == [True] * (len(parts) - 1) + [False]
    assert [part.is_continued for part in parts] == [False] + [True] * (len(parts) - 1)
    assert {part.first.name for part in parts} == {"root"}
    loops = [each for part in parts for each in part.inside if isinstance(each, Operation)]
    assert {loop.first.name for loop in loops} == {"loop"}
    inside = [each.first.name for loop in loops for each in loop.inside if isinstance(each, Operation)]
    assert list(dict.fromkeys(inside)) == [f"s{number}" for number in range(50)]  # one that is open goes on
    assert [part.end is not None for part in parts] == [False] * (len(parts) - 1) + [True]


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "HELD", 100)
    most = 0
    held = Grouping()
    out = 0
    for number in range(5000):
        out += sum(1 for _ in held.add(envelope(0, f"s{number}", "start", pid=number)))
        most = max(most, len(held._nodes), len(held._trees), len(held._processes))
    out += sum(1 for _ in held.rest())
    assert most <= 101
    assert out == 5000
    assert not held._nodes
    assert not len(held._processes)


def test_what_is_held_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "HELD_BYTES", 100_000)
    held = Grouping()
    out = 0
    for number in range(200):
        out += sum(1 for _ in held.add(envelope(0, f"s{number}", "start", name="x" * 5000)))
        assert number - out < 25
    assert out > 150


EVENTS = st.tuples(
    st.floats(0, 100),
    st.sampled_from("abcd"),
    st.sampled_from(["start", "end", "error", "emit", "open", "open of a span", "exit", "fork"]),
    st.sampled_from(["", "a", "b", "c", "d"]),
    st.integers(1, 3),
)


def entry_of(number: int, event: tuple[float, str, str, str, int]) -> Entry:
    time, span, phase, parent, pid = event
    match phase:
        case "open":
            return opened(time, str(number), pid=pid)
        case "open of a span":
            return opened(time, str(number), span, pid=pid)
        case "exit":
            return process(time, "process_exit", pid, path=str(number))
        case "fork":
            return process(time, "process_start", pid, ppid=pid % 3 + 1, path=str(number))
    return envelope(time, span, phase, parent, pid, name=str(number))


def told(thing: Operation | Happening) -> list[str]:
    if isinstance(thing, Happening):
        return [thing.detail.get("path") or thing.detail["payload"]["tag"]]
    own = [] if thing.is_continued or thing.start is None else [thing.start.name]
    own += [] if thing.continues or thing.end is None else [thing.end.name]
    return own + [name for each in thing.inside for name in told(each)]


@given(st.lists(EVENTS, max_size=40), st.sampled_from([2, 5, 50_000]), st.sampled_from([500, 1 << 25]), st.booleans())
def test_nothing_is_lost_or_doubled_whatever_the_order(
    events: list[tuple[float, str, str, str, int]], most: int, most_bytes: int, follows: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "HELD", most)
        patch.setattr(grouping, "HELD_BYTES", most_bytes)
        held = Grouping(follows=follows)
        things = [thing for number, event in enumerate(events) for thing in held.add(entry_of(number, event))]
        things += held.rest()
    assert sorted(name for thing in things for name in told(thing)) == sorted(str(n) for n in range(len(events)))
    assert (held._things, held._bytes, len(held._processes)) == (0, 0, 0)
    left = (held._nodes, held._trees, held._waiting, held._early, held._undecided, held._quiet, held._lonely)
    assert not any(left)
