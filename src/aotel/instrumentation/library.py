"""A library that is instrumented: which versions, which calls, and how it is patched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # as in distro

from aotel import settings as environment
from aotel.instrumentation.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType


class Covered(NamedTuple):
    """Calls that become spans, for the documentation.

    Args:
        calls: as a person writes them.
        operation: the operation tag of their spans.
        note: what is special about them.
    """

    calls: tuple[str, ...]
    operation: str
    note: str = ""


class Library(NamedTuple):
    """What is instrumented of a library.

    Args:
        name: as `AOTEL_INSTRUMENT` and `aotel.instrument` have it.
        distribution: the name it is installed by.
        versions: the range that is supported and tested, as a version specifier (PEP 440).
        modules: what patches a module, by the module's name.
        covers: which calls become spans.
        not_covered: what a user might expect, and does not get.
    """

    name: str
    distribution: str
    versions: str
    modules: dict[str, Callable[[ModuleType, Patches], None]]
    covers: tuple[Covered, ...]
    not_covered: tuple[str, ...] = ()


class LibraryInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """The instrumentor of a library, as `opentelemetry-instrument` takes it; the same is behind `aotel.instrument`."""

    library: ClassVar[Library]
    _patches: ClassVar[Patches]

    def __init_subclass__(cls) -> None:
        cls._patches = Patches(cls.library.name)

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return what has to be installed for this to make sense."""
        return (f"{self.library.distribution} {self.library.versions}",)

    @property
    def is_active(self) -> bool:
        """Whether the library is patched, or will be once it is imported."""
        return self._patches.active

    def _instrument(self, **kwargs: Any) -> None:
        del kwargs
        settings = environment.load()
        if not settings.disabled and ("all" in settings.instrument or self.library.name in settings.instrument):
            self._patches.when_imported(self.library.modules)

    def _uninstrument(self, **kwargs: Any) -> None:
        del kwargs
        self._patches.undo()
