"""Patches on libraries: made when those are imported, undone exactly, and out of the way while they are off."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import wrapt

from aotel.instrumentation.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Base:
    def call(self) -> str:
        return "base"

    @staticmethod
    def static() -> str:
        return "static"

    @classmethod
    def named(cls) -> str:
        return cls.__name__


class Derived(Base):
    pass


def loud(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return f"{wrapped(*args, **kwargs)}!"


@pytest.fixture
def patches() -> Iterator[Patches]:
    made = Patches("test")
    made.active = True
    yield made
    made.undo()


@pytest.mark.parametrize(
    ("owner", "name", "said"),
    [
        (Base, "call", "base!"),
        (Base, "static", "static!"),
        (Base, "named", "Base!"),
        (Derived, "call", "base!"),
        (Derived, "named", "Derived!"),
    ],
)
def test_a_patch_is_made_and_undone_exactly(owner: type[Base], name: str, said: str, patches: Patches) -> None:
    before = dict(vars(owner))
    assert patches.wrap(owner, name, loud)
    assert patches.wrap(owner, name, loud)
    assert getattr(owner(), name)() == said
    patches.undo()
    after = dict(vars(owner))
    assert after.keys() == before.keys()
    assert all(after[key] is before[key] for key in before)
    assert f"{getattr(owner(), name)()}!" == said


def test_what_is_not_there_is_not_patched(patches: Patches) -> None:
    assert not patches.wrap(Base, "missing", loud)
    assert not hasattr(Base, "missing")


def test_what_was_bound_before_and_what_is_bound_still_pass_through(patches: Patches) -> None:
    patches.wrap(Base, "call", loud)
    bound = Base().call
    assert bound() == "base!"
    patches.undo()
    assert bound() == "base"


def test_a_patch_under_another_stays_and_is_quiet(patches: Patches) -> None:
    original = vars(Base)["call"]
    patches.wrap(Base, "call", loud)
    ours = vars(Base)["call"]
    Base.call = wrapt.FunctionWrapper(ours, loud)  # type: ignore[method-assign]
    try:
        assert Base().call() == "base!!"
        patches.undo()
        assert Base().call() == "base!"
        patches.active = True
        patches.wrap(Base, "call", loud)
        assert Base().call() == "base!!"
    finally:
        Base.call = ours  # type: ignore[method-assign]
    patches.undo()
    assert vars(Base)["call"] is original


def test_a_module_is_patched_when_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patches: Patches
) -> None:
    (tmp_path / "imported_later.py").write_text("def call():\n    return 'later'\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[str] = []

    def patch(module: ModuleType, made: Patches) -> None:
        seen.append(module.__name__)
        made.wrap(module, "call", loud)

    try:
        patches.when_imported({"imported_later": patch})
        assert "imported_later" not in sys.modules
        patches.undo()
        patches.when_imported({"imported_later": patch})
        import imported_later  # type: ignore[import-not-found] # made above

        assert imported_later.call() == "later!"
        assert seen == ["imported_later"]
        patches.undo()
        assert imported_later.call() == "later"
        patches.when_imported({"imported_later": patch})
        assert imported_later.call() == "later!"
    finally:
        patches.undo()
        sys.modules.pop("imported_later", None)


def test_a_module_that_is_imported_while_all_is_off_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patches: Patches
) -> None:
    (tmp_path / "imported_off.py").write_text("def call():\n    return 'off'\n")
    monkeypatch.syspath_prepend(tmp_path)
    patches.when_imported({"imported_off": lambda module, made: made.wrap(module, "call", loud)})  # type: ignore[dict-item]
    patches.undo()
    import imported_off  # type: ignore[import-not-found] # made above

    assert imported_off.call() == "off"
    del sys.modules["imported_off"]


def test_a_patch_that_fails_costs_no_import(monkeypatch: pytest.MonkeyPatch, patches: Patches) -> None:
    def fail(module: ModuleType, made: Patches) -> None:
        raise ZeroDivisionError

    module = ModuleType("half_known")
    monkeypatch.setitem(sys.modules, "half_known", module)
    patches.when_imported({"half_known": fail})
    assert patches.active
