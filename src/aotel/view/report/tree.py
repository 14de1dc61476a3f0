"""Operations as a tree, written down in the order of the waterfall."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.view.report.operations import Operation


def in_order(operations: Iterable[Operation]) -> list[tuple[Operation, int]]:
    """Return operations in the order of the waterfall, each with the place of its parent, -1 at a root.

    Each stands behind its parent, and those with one parent in the order in which they began.
    """
    everything = sorted(operations, key=lambda operation: operation.start)
    exact = {(each.trace_id, each.span_id, each.producer): each for each in reversed(everything)}
    spans = {(each.trace_id, each.span_id): each for each in reversed(everything)}
    inside: dict[int, list[Operation]] = {}
    roots: list[Operation] = []
    for operation in everything:
        span = (operation.trace_id, operation.parent_span_id)
        parent = exact.get((*span, operation.producer)) or spans.get(span) if operation.parent_span_id else None
        if parent is None or parent is operation:
            roots.append(operation)
        else:
            inside.setdefault(id(parent), []).append(operation)
    ordered: list[tuple[Operation, int]] = []
    seen: set[int] = set()
    _walk(roots, inside, ordered, seen)
    for operation in everything:  # those left are each other's parents: ids were made up
        if id(operation) not in seen:
            _walk([operation], inside, ordered, seen)
    return ordered


def _walk(
    roots: list[Operation], inside: dict[int, list[Operation]], ordered: list[tuple[Operation, int]], seen: set[int]
) -> None:
    waiting = [(root, -1) for root in reversed(roots)]
    while waiting:
        operation, parent = waiting.pop()
        if id(operation) in seen:
            continue
        seen.add(id(operation))
        place = len(ordered)
        ordered.append((operation, parent))
        waiting.extend((child, place) for child in reversed(inside.get(id(operation), ())))
