"""Which operation an event belongs to that names none: a guess by process and time, and marked as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.audit import actions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.view.report.machine import Event
    from aotel.view.report.operations import Operation


def near(events: Iterable[Event], operations: Iterable[Operation], parents: dict[int, int]) -> dict[int, Operation]:
    """Return, by the `id` of each event that names no operation, the one that it probably happened in.

    That is the innermost one that its process, or the nearest parent of that with any, was in the midst of.

    Args:
        events: what happened.
        operations: what was going on.
        parents: of each process, the one that started it.
    """
    by_pid: dict[int, list[Operation]] = {}
    for operation in sorted(operations, key=lambda each: each.start):
        if operation.pid is not None:
            by_pid.setdefault(operation.pid, []).append(operation)
    waiting: dict[int, list[Event]] = {}
    for event in events:
        pid = event.pid
        if pid is not None and not event.span_id and event.action in actions.OF_PROCESSES:
            family = _with_operations(pid, by_pid, parents)
            if family is not None:
                waiting.setdefault(family, []).append(event)
    found: dict[int, Operation] = {}
    for pid, theirs in waiting.items():
        _sweep(sorted(theirs, key=lambda event: event.time), by_pid[pid], found)
    return found


def _with_operations(pid: int, by_pid: dict[int, list[Operation]], parents: dict[int, int]) -> int | None:
    seen: set[int] = set()
    current: int | None = pid
    while current is not None and current not in seen:
        if current in by_pid:
            return current
        seen.add(current)
        current = parents.get(current)
    return None


def _sweep(events: list[Event], operations: list[Operation], found: dict[int, Operation]) -> None:
    """Go through time once: those begun and not ended are open, the last of them is the innermost."""
    begun: list[Operation] = []
    following = 0
    for event in events:
        while following < len(operations) and operations[following].start <= event.time:
            begun.append(operations[following])
            following += 1
        while begun and _ended(begun[-1], event.time):
            begun.pop()
        inside = next((each for each in reversed(begun) if not _ended(each, event.time)), None)
        if inside is not None:
            found[id(event)] = inside


def _ended(operation: Operation, when: float) -> bool:
    return operation.end is not None and operation.end < when
