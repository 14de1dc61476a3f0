"""What can be told of a type without running its code: names, base classes, stored fields."""

from __future__ import annotations

import sys
from types import GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# Read from `type` itself: a metaclass may define properties of these names.
_MODULE: Final = type.__dict__["__module__"]
_QUALNAME: Final = type.__dict__["__qualname__"]
_MRO: Final = type.__dict__["__mro__"]
_NAMESPACE: Final = type.__dict__["__dict__"]

type_of: Callable[[Any], type[Any]] = type
"""The real type of a value, whatever its `__class__` says."""

_LONGEST_TYPE_NAME: Final = 200  # characters


def mro_of(cls: type) -> tuple[type, ...]:
    """Return the base classes of a type, itself first."""
    found: tuple[type, ...] = _MRO.__get__(cls)
    return found


def namespace_of(cls: type) -> Mapping[str, Any]:
    """Return what the body of a class defined."""
    found: Mapping[str, Any] = _NAMESPACE.__get__(cls)
    return found


def lookup(cls: type, name: str) -> Any:
    """Return what a type or its bases define under a name, as it is, without binding it; None if they do not."""
    for base in mro_of(cls):
        namespace = namespace_of(base)
        if name in namespace:
            return namespace[name]
    return None


def module_of(cls: type) -> str:
    """Return the name of the module that defined a type, or an empty string."""
    try:
        module = _MODULE.__get__(cls)
    except AttributeError:
        return ""
    return module if type(module) is str else ""


def type_name(cls: type) -> str:
    """Return `module.Type`, and the bare name of a builtin type."""
    module = module_of(cls)
    name: str = _QUALNAME.__get__(cls)
    return (f"{module}.{name}" if module and module != "builtins" else name)[:_LONGEST_TYPE_NAME]


def is_where_it_says(cls: type) -> bool:
    """Say whether the module that a type names has it under the type's name: nobody pretends then."""
    module = sys.modules.get(module_of(cls))
    return module is not None and vars(module).get(_QUALNAME.__get__(cls)) is cls


def instance_dict(value: object) -> dict[str, Any]:
    """Return the attributes that an object stores in its dictionary; empty where its class hides or lacks one."""
    descriptor = lookup(type(value), "__dict__")
    if type(descriptor) is not GetSetDescriptorType and type(descriptor) is not MemberDescriptorType:
        return {}
    found: dict[str, Any] = descriptor.__get__(value)
    return found if type(found) is dict else {}


def stored_fields(value: object, names: Iterable[str]) -> dict[str, object]:
    """Return fields by name, from the dictionary and the slots of an object, without properties and unset fields."""
    stored = instance_dict(value)
    found: dict[str, object] = {}
    for name in names:
        if name in stored:
            found[name] = stored[name]
            continue
        slot = lookup(type(value), name)
        if type(slot) is MemberDescriptorType:
            try:
                found[name] = slot.__get__(value)
            except AttributeError:
                continue
    return found
