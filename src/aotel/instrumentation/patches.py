"""Patches on the libraries of others: made once a library is imported, passing through where they are off, undone."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import wrapt

from aotel.calls import PORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


_LAYERS: Final = 32  # of wrappers around one function


class Patches:
    """The patches on one library.

    Args:
        name: of the library, for what is said when a patch fails.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._made: list[tuple[Any, str, Any, bool]] = []
        self._modules: set[str] = set()
        self._hooked: set[str] = set()
        self.active = False

    def wrap(self, owner: Any, name: str, wrapper: Wrapper) -> bool:
        """Wrap a function of a class or module; a second time, or where there is none of that name, nothing happens.

        Args:
            owner: the class or module.
            name: the function's name in it.
            wrapper: called as `wrapper(wrapped, instance, args, kwargs)`.

        Returns:
            Whether it is wrapped now: a version of the library may not have it.
        """
        if any(made[0] is owner and made[1] == name for made in self._made):
            return True
        original = getattr(owner, name, None)
        if original is None:
            return False
        inherited = name not in vars(owner)
        found = original if inherited else vars(owner)[name]
        # While it is off it passes through: what somebody put on top of it keeps a reference to it.
        setattr(owner, name, wrapt.FunctionWrapper(found, wrapper, enabled=lambda: self.active))
        self._made.append((owner, name, found, inherited))
        return True

    def wrap_around_others(self, owner: Any, name: str, wrapper: Wrapper) -> None:
        """Wrap a method of subclasses too where somebody was there first, with a wrapper that ours would not be in.

        Args:
            owner: the class whose method is wrapped already, by `wrap`.
            name: as for `wrap`.
            wrapper: as for `wrap`.
        """
        original = next((made[2] for made in self._made if made[0] is owner and made[1] == name), None)
        for cls in owner.__subclasses__():
            found = vars(cls).get(name)
            put_back = found is not None and found is original  # by an instrumentor that was taken off
            if put_back:
                self._made = [made for made in self._made if not (made[0] is cls and made[1] == name)]
            if put_back or (hasattr(found, "__wrapped__") and not _has_ours(found)):
                self.wrap(cls, name, wrapper)
            self.wrap_around_others(cls, name, wrapper)

    def when_imported(self, modules: dict[str, Callable[[ModuleType, Patches], None]]) -> None:
        """Patch modules, those that are imported already now and the others when they are; none is imported by us.

        Args:
            modules: by name, what patches them.
        """
        self.active = True
        for name, patch in modules.items():
            module = sys.modules.get(name)
            if module is not None and not _is_half_imported(module):
                self._patch(module, patch)
            elif name not in self._hooked:
                self._hooked.add(name)
                wrapt.register_post_import_hook(partial(self._imported, patch), name)

    def undo(self) -> None:
        """Take all patches off; where somebody has patched over one, it stays and passes through."""
        self.active = False
        for owner, name, original, inherited in reversed(self._made):
            current = vars(owner).get(name)
            if getattr(current, "__wrapped__", None) is not original or type(current) is not wrapt.FunctionWrapper:
                continue
            if inherited:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
        self._made = [made for made in self._made if _is_there(made)]
        self._modules.clear()

    def _imported(self, patch: Callable[[ModuleType, Patches], None], module: ModuleType) -> None:
        if self.active:
            self._patch(module, patch)

    def _patch(self, module: ModuleType, patch: Callable[[ModuleType, Patches], None]) -> None:
        if module.__name__ in self._modules:
            return
        self._modules.add(module.__name__)
        try:
            patch(module, self)
        except Exception as error:  # noqa: BLE001 - the program only wanted to import a library
            PORT.report(f"instrumentation of {self._name}", error)


def _has_ours(found: Any) -> bool:
    """Say whether a wrapper of ours is among those that somebody has put around a function."""
    for _ in range(_LAYERS):
        wrapper = getattr(found, "_self_wrapper", None)
        if str(getattr(wrapper, "__module__", "")).startswith("aotel."):
            return True
        found = getattr(found, "__wrapped__", None)
        if found is None:
            return False
    return True


def _is_half_imported(module: ModuleType) -> bool:
    return getattr(getattr(module, "__spec__", None), "_initializing", False) is True


def _is_there(made: tuple[Any, str, Any, bool]) -> bool:
    """Say whether a patch is still in place, under somebody else's."""
    owner, name, original, inherited = made
    current = vars(owner).get(name)
    return current is not None if inherited else current is not original
