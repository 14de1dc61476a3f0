"""Operations as trees, with what the machine did under them; the log is read once, and never held as a whole."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, TypeAlias

from aotel.audit import actions
from aotel.audit.envelopes import Object, ReadEnvelope, moment, number, read_envelope, read_object, text
from aotel.audit.nodes import DEEPEST, Node, Span, Tree
from aotel.audit.processes import Processes
from aotel.audit.trees import Happening, Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aotel.audit.entry import Entry

Thing: TypeAlias = Operation | Happening
_Early: TypeAlias = "OrderedDict[Span, tuple[float, list[Happening]]]"

GRACE: Final = 3.0
"""Seconds of the log for which an operation that has ended waits for what the machine tells late."""
DECIDED: Final = 1.0
"""Seconds of the log after which it is guessed where something belongs that names no span."""
PATIENCE: Final = 30.0
"""Seconds for which, in a log that is followed, something waits for the operation around it that it names."""
HELD: Final = 50_000
"""Things that are held at most: past that, the largest tree goes out as it is, and is continued later."""
HELD_BYTES: Final = 32 << 20
"""Bytes of details that are held at most."""

_THING: Final = 1000  # bytes that a thing takes beside its detail
_TENTH: Final = 10


def group(entries: Iterable[Entry]) -> Iterator[Thing]:
    """Yield root operations when they and all inside have ended, and between them what belongs to none.

    What names a span is put under the operation of that span. What the machine did without naming one is put under the
    latest operation that was under way in the same process at that time, or in the nearest process above it that has
    any, which is a guess (`Happening.heuristic`).

    A tree that is too large to be held comes in parts.

    Args:
        entries: of a log, in order.
    """
    grouping = Grouping()
    for entry in entries:
        yield from grouping.add(entry)
    yield from grouping.rest()


class Grouping:
    """Does what `group` does, for who has the entries come one by one.

    Args:
        follows: whether they come as they are written: what waits for something that may never come is then shown
            after a while.
    """

    def __init__(self, *, follows: bool = False) -> None:
        self._patience = PATIENCE if follows else float("inf")
        self._now = 0.0
        self._trees: OrderedDict[Tree, None] = OrderedDict()  # in the order in which they began
        self._nodes: dict[Span, Node] = {}
        self._processes = Processes()
        self._quiet: OrderedDict[Tree, float] = OrderedDict()  # since when nothing in them goes on, the longest first
        self._lonely: OrderedDict[Tree, float] = OrderedDict()  # likewise, waiting for the operation around them
        self._waiting: dict[Span, list[Tree]] = {}  # trees, by the span around their root
        self._early: _Early = OrderedDict()  # by the operation that they name, not yet seen
        self._undecided: deque[tuple[float, Happening]] = deque()
        self._things = 0
        self._bytes = 0

    def add(self, entry: Entry) -> Iterator[Thing]:
        """Take an entry; yield what is complete by now."""
        self._now = max(self._now, moment(entry.timestamp) or 0.0)
        detail = read_object(entry.detail)
        if entry.action == actions.AGENT_COAT and detail:
            yield from self._envelope(entry, detail)
        else:
            happening = Happening(entry, detail)
            span = text(detail, "trace_id"), text(detail, "span_id")
            if span[1]:
                self._put_under(span, happening)
            elif entry.action in actions.OF_PROCESSES:
                self._undecided.append((self._now, happening))
                self._count(happening, 1)
            else:
                yield happening
            self._note_process(entry.action, detail)
        yield from self._complete()

    def passed(self, now: float) -> Iterator[Thing]:
        """Yield what is complete by a time (seconds since the epoch), without anything new having come."""
        self._now = max(self._now, now)
        yield from self._complete()

    def rest(self) -> Iterator[Thing]:
        """Yield what is held, whether it has ended or not."""
        yield from self._decide(float("inf"))
        yield from self._give_up_early(float("inf"))
        for tree in list(self._trees):
            yield self._let_go(tree)

    def _envelope(self, entry: Entry, detail: Object) -> Iterator[Thing]:
        envelope = read_envelope(detail)
        if envelope.phase == "emit" or not (envelope.kind or envelope.payload):
            happening = Happening(entry, detail)
            if envelope.span[1]:
                self._put_under(envelope.span, happening)
            else:
                yield happening
            return
        known = self._nodes.get(envelope.span) if envelope.span[1] else None
        if envelope.phase == "start":
            if known is None or not _is_again(envelope, known):
                self._begin(Operation(envelope, None, entry.agent), envelope, entry)
        elif known is None or known.operation.end is not None:
            self._begin(Operation(None, envelope, entry.agent), envelope, entry)
        else:
            known.operation.end = envelope
            known.tree.bytes += len(entry.detail)
            self._bytes += len(entry.detail)
            self._end(known, moment(envelope.time) or self._now)

    def _begin(self, operation: Operation, envelope: ReadEnvelope, entry: Entry) -> None:
        parent = envelope.parent
        above = self._nodes.get(parent) if parent[1] else None
        above = None if above is None else above.room_below()
        begun = moment(envelope.time) or self._now
        node = Node(operation, above, envelope.pid, begun, is_open=operation.end is None)
        if operation.end is not None:
            node.begun -= (envelope.duration_ms or 0.0) / 1000
        tree = node.tree
        if above is None:
            self._trees[tree] = None
        else:
            above.operation.inside.append(operation)
        tree.add(node)
        tree.things += 1
        tree.bytes += len(entry.detail)
        self._things += 1
        self._bytes += len(entry.detail)
        self._processes.hold(node)
        if node.span[1]:
            self._nodes[node.span] = node
            self._take_what_waits(node)
        if above is None and parent[1] and parent != node.span:
            tree.waits_for = parent
            self._waiting.setdefault(parent, []).append(tree)
        self._note_quiet(tree)

    def _take_what_waits(self, node: Node) -> None:
        for tree in self._waiting.pop(node.span, []):
            tree.waits_for = None
            if tree is not node.tree and node.depth + 1 + tree.deepest <= DEEPEST:
                self._drop(tree)
                node.tree.adopt(tree, node)
            else:
                self._note_quiet(tree)
        _, early = self._early.pop(node.span, (0.0, []))
        for happening in early:
            self._count(happening, -1)
            self._put(happening, node)

    def _end(self, node: Node, when: float) -> None:
        node.ended = max(when, node.begun)
        if not node.is_open:  # its process has gone before
            return
        node.is_open = False
        self._processes.end(node)
        node.tree.open -= 1
        self._note_quiet(node.tree)

    def _note_quiet(self, tree: Tree) -> None:
        """Note whether nothing goes on in a tree, as of now."""
        self._quiet.pop(tree, None)
        self._lonely.pop(tree, None)
        if not tree.open:
            (self._quiet if tree.waits_for is None else self._lonely)[tree] = self._now

    def _note_process(self, action: str, detail: Object) -> None:
        pid, parent = number(detail, "pid"), number(detail, "ppid")
        if pid is None:
            return
        if action == actions.PROCESS_START and parent is not None:
            self._processes.started(int(pid), int(parent))
        elif action == actions.PROCESS_EXIT:
            for node in self._processes.open_in(int(pid)):
                self._end(node, moment(detail.get("ts")) or self._now)

    def _put_under(self, span: Span, happening: Happening) -> None:
        node = self._nodes.get(span)
        if node is not None:
            self._put(happening, node)
        else:
            self._early.setdefault(span, (self._now, []))[1].append(happening)
            self._count(happening, 1)

    def _put(self, happening: Happening, node: Node) -> None:
        node.operation.inside.append(happening)
        node.tree.things += 1
        node.tree.bytes += len(happening.entry.detail)
        self._count(happening, 1)

    def _count(self, happening: Happening, sign: int) -> None:
        self._things += sign
        self._bytes += sign * len(happening.entry.detail)

    def _complete(self) -> Iterator[Thing]:
        yield from self._decide(self._now - DECIDED)
        for waiting, longest in ((self._quiet, GRACE), (self._lonely, self._patience)):
            while waiting and next(iter(waiting.values())) < self._now - longest:
                yield self._let_go(next(iter(waiting)))
        yield from self._give_up_early(self._now - self._patience)
        while self._things > HELD or self._bytes > HELD_BYTES:
            yield from self._relieve()

    def _decide(self, until: float) -> Iterator[Happening]:
        """Guess where things belong that name no span."""
        while self._undecided and self._undecided[0][0] <= until:
            _, happening = self._undecided.popleft()
            self._count(happening, -1)
            when = moment(happening.time)
            pid = number(happening.detail, "pid")
            node = None if pid is None or when is None else self._processes.find(int(pid), when)
            if node is None:
                yield happening
            else:
                happening.heuristic = True
                self._put(happening, node)

    def _give_up_early(self, until: float) -> Iterator[Happening]:
        """Let go of what names operations that did not come."""
        while self._early:
            span, (since, happenings) = next(iter(self._early.items()))
            if since > until:
                return
            del self._early[span]
            for happening in happenings:
                self._count(happening, -1)
                yield happening

    def _relieve(self) -> Iterator[Thing]:
        """Let go of something, the sooner it would go anyway the better."""
        if self._undecided or self._early:
            yield from self._decide(float("inf"))
            yield from self._give_up_early(float("inf"))
            return
        for waiting in (self._quiet, self._lonely):
            if waiting:
                yield self._let_go(next(iter(waiting)))
                return
        largest = max(self._trees, key=lambda tree: tree.bytes + _THING * tree.things)
        if largest.gain * _TENTH > HELD or largest.bytes * _TENTH > HELD_BYTES:
            yield self._take_part(largest)
            return
        for tree in list(self._trees)[: len(self._trees) // _TENTH + 1]:
            yield self._let_go(tree)

    def _take_part(self, tree: Tree) -> Operation:
        before = tree.nodes
        self._things -= tree.things
        self._bytes -= tree.bytes
        part = tree.keep_open()
        self._things += tree.things
        kept = set(tree.nodes)
        for node in before:
            if node not in kept:
                self._forget(node)
        return part

    def _drop(self, tree: Tree) -> None:
        del self._trees[tree]
        self._quiet.pop(tree, None)
        self._lonely.pop(tree, None)

    def _let_go(self, tree: Tree) -> Operation:
        self._drop(tree)
        tree.sort()
        self._things -= tree.things
        self._bytes -= tree.bytes
        for node in tree.nodes:
            self._forget(node)
        if tree.waits_for is not None:
            waiting = self._waiting[tree.waits_for]
            waiting.remove(tree)
            if not waiting:
                del self._waiting[tree.waits_for]
        root, tree.nodes = tree.root.operation, []
        return root

    def _forget(self, node: Node) -> None:
        self._processes.forget(node)
        if self._nodes.get(node.span) is node:
            del self._nodes[node.span]


def _is_again(envelope: ReadEnvelope, known: Node) -> bool:
    """Say whether a start was sent twice, by who can't number what it sends."""
    before = known.operation.start
    return (
        known.is_open
        and before is not None
        and (before.time, before.name, before.pid)
        == (
            envelope.time,
            envelope.name,
            envelope.pid,
        )
    )
