"""The numbers of all exporters that a process has had: they never go back, however often it is configured anew."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from aotel.export import Counted
from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.export import ExporterStatus

_COUNTED = ("sent", "retried", "refused", "dropped", "diverted")
_HELD = ("waiting", "spooled")

Numbers: TypeAlias = "Counter[str]"


class Component(NamedTuple):
    """An exporter, as metrics name it; several in a row may be the same one."""

    name: str
    type: str


class Ledger(Forking):
    """Follows exporters that come and go."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        self._exporters: tuple[Counted, ...] = ()
        watch(self)

    def after_fork_in_child(self) -> None:
        """Forget what is the parent's; the exporters begin to count anew."""
        self._past: dict[Component, Numbers] = {}
        self._settled: WeakKeyDictionary[Counted, Numbers] = WeakKeyDictionary()

    def follow(self, exporters: Iterable[object]) -> None:
        """Take the exporters that there are now; those that are not among them any more have counted to their end."""
        now = tuple(exporter for exporter in exporters if isinstance(exporter, Counted))
        gone = [exporter for exporter in self._exporters if exporter not in now]
        past = {component: numbers.copy() for component, numbers in self._past.items()}
        for exporter in gone:
            past.setdefault(component_of(exporter), Counter()).update(self._counted(exporter))
        # Somebody may be reading: at no moment is anything counted twice, and for one of them less.
        self._exporters, self._past = now, past
        for exporter in gone:
            self._settled[exporter] = _numbers(exporter, _COUNTED)

    def totals(self) -> dict[Component, Numbers]:
        """Return the numbers of each, by the names that `ExporterStatus` has for them."""
        exporters, past = self._exporters, self._past
        found = {component: numbers.copy() for component, numbers in past.items()}
        for exporter in exporters:
            numbers = found.setdefault(component_of(exporter), Counter())
            numbers.update(self._counted(exporter))
            numbers.update(_numbers(exporter, _HELD))
        return found

    def statuses(self) -> tuple[ExporterStatus, ...]:
        """Return what those that there are now say of themselves."""
        return tuple(exporter.counts for exporter in self._exporters)

    def _counted(self, exporter: Counted) -> Numbers:
        numbers = _numbers(exporter, _COUNTED)
        numbers.subtract(self._settled.get(exporter, Counter()))
        return numbers


def component_of(exporter: object) -> Component:
    """Return what an exporter is called in metrics; one of the program's own by its class."""
    cls = type(exporter)
    name = exporter.counts.name if isinstance(exporter, Counted) else cls.__qualname__
    return Component(name, f"{cls.__module__}.{cls.__qualname__}")


def _numbers(exporter: Counted, names: Iterable[str]) -> Numbers:
    counts = exporter.counts
    return Counter({name: getattr(counts, name) for name in names})
