"""Operations as trees, with what the machine did under them; the log is read once, and never held as a whole."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from aotel.audit import actions
from aotel.audit.envelopes import Object, ReadEnvelope, number, read_envelope, read_object, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aotel.audit.entry import Entry

_Span: TypeAlias = tuple[str, str]

GRACE: Final = 3.0
"""Seconds of the log for which an operation that has ended waits for what the machine tells late."""
HELD: Final = 50_000
"""Things that are held at most: past that the oldest tree goes out as it is."""

_MACHINE: Final = actions.ACTIVITY | {actions.POLICY_VIOLATION}


@dataclass(eq=False, slots=True)
class Happening:
    """Something that is no operation: an entry of the log, by itself or under an operation.

    Attributes:
        entry: the entry.
        detail: what it says, as an object.
        heuristic: whether it stands where it does because of process and time alone.
    """

    entry: Entry
    detail: Object
    heuristic: bool = False

    @property
    def time(self) -> str:
        """When it happened, RFC 3339."""
        return text(self.detail, "ts") or self.entry.timestamp


@dataclass(eq=False, slots=True)
class Operation:
    """An operation with all that happened inside.

    Attributes:
        start: its first envelope; None if the log begins later.
        end: its last envelope; None if it goes on, or never ended.
        agent: whose it is, if a claim says so.
        inside: operations, events and what the machine did, in the order of the log.
    """

    start: ReadEnvelope | None = None
    end: ReadEnvelope | None = None
    agent: str | None = None
    inside: list[Operation | Happening] = field(default_factory=list)

    @property
    def first(self) -> ReadEnvelope:
        """The envelope that says what it is."""
        found = self.start or self.end
        if found is None:
            raise LookupError("an operation has a start or an end")
        return found

    @property
    def time(self) -> str:
        """When it began, as far as the log says."""
        return self.first.time

    @property
    def failed(self) -> bool:
        """Whether it ended with an error, or was stopped."""
        return self.end is not None and self.end.phase == "error"


def group(entries: Iterable[Entry]) -> Iterator[Operation | Happening]:
    """Yield root operations when they and all inside have ended, and between them what belongs to none.

    What the machine did is put under the operation whose span it names; where it names none, under the latest one that
    was under way in the same process at that time, which is a guess (`Happening.heuristic`).

    Args:
        entries: of a log, in order.
    """
    grouping = _Grouping()
    for entry in entries:
        yield from grouping.add(entry)
    yield from grouping.rest()


class _Tree:
    """A root with what is known of its operations while it is held."""

    def __init__(self, root: Operation) -> None:
        self.root = root
        self.open = 0
        self.size = 1
        self.quiet_since = ""
        self.known: list[tuple[_Span, int, int]] = []
        """Of each operation its span, its process and its identity: where it has to be forgotten."""


class _Grouping:
    def __init__(self) -> None:
        self._trees: OrderedDict[int, _Tree] = OrderedDict()  # by the identity of their roots, the oldest first
        self._operations: dict[_Span, tuple[Operation, _Tree]] = {}
        # By process and identity, in the order in which they began.
        self._of_process: dict[int, dict[int, tuple[Operation, _Tree]]] = {}
        self._size = 0

    def add(self, entry: Entry) -> Iterator[Operation | Happening]:
        """Take an entry; yield what is complete by now."""
        detail = read_object(entry.detail)
        if entry.action == actions.AGENT_COAT:
            yield from self._envelope(entry, detail)
        elif entry.action not in _MACHINE or not self._place(Happening(entry, detail)):
            yield Happening(entry, detail)
        yield from self._complete(entry.timestamp)

    def rest(self) -> Iterator[Operation | Happening]:
        """Yield what is held, whether it has ended or not."""
        while self._trees:
            yield self._let_go(next(iter(self._trees)))

    def _envelope(self, entry: Entry, detail: Object) -> Iterator[Happening]:
        envelope = read_envelope(detail)
        known = self._operations.get(envelope.span) if envelope.span[1] else None
        if envelope.phase == "emit":
            happening = Happening(entry, detail)
            if known is None:
                yield happening
            else:
                self._put(happening, *known)
        elif envelope.phase == "start":
            self._begin(envelope, entry)
        else:
            operation, tree = known or self._begin(None, entry, envelope)
            if operation.end is None and operation.start is not None:
                tree.open -= 1
            operation.end = envelope
            if not tree.open:
                tree.quiet_since = entry.timestamp

    def _begin(
        self, start: ReadEnvelope | None, entry: Entry, end: ReadEnvelope | None = None
    ) -> tuple[Operation, _Tree]:
        operation = Operation(start, end, entry.agent)
        first = operation.first
        above = self._operations.get(first.parent) if first.parent[1] else None
        if above is None:
            tree = _Tree(operation)
            self._trees[id(operation)] = tree
            self._size += 1
        else:
            tree = above[1]
            self._put(operation, *above)
        tree.open += start is not None
        if first.span[1]:
            self._operations[first.span] = operation, tree
        self._of_process.setdefault(first.pid, {})[id(operation)] = operation, tree
        tree.known.append((first.span, first.pid, id(operation)))
        return operation, tree

    def _put(self, thing: Operation | Happening, operation: Operation, tree: _Tree) -> None:
        operation.inside.append(thing)
        tree.size += 1
        self._size += 1

    def _place(self, happening: Happening) -> bool:
        """Put what the machine did under its operation; return whether there is one."""
        detail = happening.detail
        span = text(detail, "trace_id"), text(detail, "span_id")
        found = self._operations.get(span) if span[1] else self._guess(happening)
        if found is None:
            return False
        happening.heuristic = not span[1]
        self._put(happening, *found)
        return True

    def _guess(self, happening: Happening) -> tuple[Operation, _Tree] | None:
        """Return the latest operation that was under way in the process at the time."""
        pid = number(happening.detail, "pid")
        for operation, tree in reversed(self._of_process.get(int(pid or 0), {}).values()):
            if operation.time <= happening.time and (operation.end is None or happening.time <= operation.end.time):
                return operation, tree
        return None

    def _complete(self, now: str) -> Iterator[Operation]:
        while self._trees:
            identity, tree = next(iter(self._trees.items()))
            waited = tree.quiet_since and not tree.open and _seconds(tree.quiet_since, now) > GRACE
            if not waited and self._size <= HELD:
                return
            yield self._let_go(identity)

    def _let_go(self, identity: int) -> Operation:
        tree = self._trees.pop(identity)
        self._size -= tree.size
        for span, pid, operation in tree.known:
            if self._operations.get(span, (None, None))[1] is tree:
                del self._operations[span]
            del self._of_process[pid][operation]
            if not self._of_process[pid]:
                del self._of_process[pid]
        return tree.root


def _seconds(earlier: str, later: str) -> float:
    try:
        passed = datetime.fromisoformat(later.rstrip("Z")) - datetime.fromisoformat(earlier.rstrip("Z"))
    except ValueError:
        return 0.0
    return passed.total_seconds()
