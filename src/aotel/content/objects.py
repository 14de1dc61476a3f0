"""How the snapshot writes objects: what it knows by type, and of the rest the name of the type."""

from __future__ import annotations

import weakref
from abc import ABCMeta
from collections import deque
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from types import BuiltinFunctionType, FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from aotel.content.arrays import ArrayFacts, array_reader, scalar_reader
from aotel.content.describe import NOT_DESCRIBED, describe
from aotel.content.encode import to_json
from aotel.content.media import digest, encoded
from aotel.content.records import record_reader
from aotel.content.type_facts import instance_dict, is_where_it_says, lookup, module_of, mro_of, type_name, type_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.content.modes import Tree
    from aotel.content.snapshot import Walk

    Reader: TypeAlias = Callable[[Walk, Any, int], Tree]

_REMEMBERED: Final = 1024  # types
_ARGS: Final = BaseException.__dict__["args"]
_DICT: type[dict[Any, Any]] = dict
_LIST: type[list[Any]] = list
_TUPLE: type[tuple[Any, ...]] = tuple
_DEQUE: type[deque[Any]] = deque
_EMPTY: dict[Any, Any] = {}
_ZONE: Final = datetime.__dict__["tzinfo"]
_VIEWS: tuple[type[Any], ...] = tuple(type_of(view) for view in (_EMPTY.keys(), _EMPTY.values(), _EMPTY.items()))

# Types of the standard library whose `str` is short, quick and what a reader wants; told by name, so that nothing
# is imported for it.
_WRITTEN_AS_STR: Final = {
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "ipaddress": {"IPv4Address", "IPv4Interface", "IPv4Network", "IPv6Address", "IPv6Interface", "IPv6Network"},
    "pathlib": {"PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"},
    "uuid": {"UUID"},
    "zoneinfo": {"ZoneInfo"},
}
_ZONES: Final = frozenset({"dateutil", "pytz", "zoneinfo"})


class _Readers:
    """The readers of the types seen lately; types are held weakly, by id.

    Attributes:
        by_id: reader and type by the type's id.
        described: how many types users had described when the first of them was remembered.
    """

    by_id: ClassVar[dict[int, tuple[weakref.ref[type], Reader]]] = {}
    described: ClassVar[int] = 0


def read_object(walk: Walk, value: object, depth: int) -> Tree:
    """Return the snapshot of a value that is neither a plain scalar nor an exact builtin container; never raises."""
    try:
        return _reader_of(type(value))(walk, value, depth)
    except Exception:  # noqa: BLE001 - whatever goes wrong in reading a value, its type can be told
        return _unknown(walk, value, depth)


def _reader_of(cls: type) -> Reader:
    if _Readers.described != len(describe.registry):
        _Readers.described = len(describe.registry)
        _Readers.by_id.clear()
    known = _Readers.by_id.get(id(cls))
    if known is not None and known[0]() is cls:
        return known[1]
    reader = _choose_reader(cls)
    if len(_Readers.by_id) >= _REMEMBERED:
        _Readers.by_id.clear()
    _Readers.by_id[id(cls)] = weakref.ref(cls), reader
    return reader


def _choose_reader(cls: type) -> Reader:
    return _known_reader(cls) if _description(cls) is None else _described


def _description(cls: type) -> Callable[[Any], object] | None:
    """Return the function that a user registered for a type, or None; `describe.dispatch` would ask the type."""
    for base in mro_of(cls):
        for described, function in describe.registry.items():
            if described is base and base is not object:
                return function
    plain = lookup(type(cls), "__getattribute__") is type.__dict__["__getattribute__"]
    if plain and any(type(described) is ABCMeta for described in describe.registry):
        function = describe.dispatch(cls)
        return None if function is describe.registry[object] else function
    return None


def _known_reader(cls: type) -> Reader:
    bases = mro_of(cls)
    if Enum in bases and not any(base in bases for base in (str, int, float)):
        return _enum
    if tuple in bases and type(lookup(cls, "_fields")) is tuple:
        return _named_tuple
    for base, reader in _BY_BASE:
        if base in bases:
            return reader
    fields = record_reader(cls)
    if fields is not None:
        return lambda walk, value, depth: _record(walk, value, depth, fields(value))
    return _library_reader(cls)


def _library_reader(cls: type) -> Reader:
    module, _, name = type_name(cls).rpartition(".")
    if name in _WRITTEN_AS_STR.get(module.partition(".")[0], ()) and is_where_it_says(cls):
        return lambda walk, value, depth: walk.tree(str(value), depth)
    array = array_reader(cls)
    if array is not None:
        return lambda walk, value, depth: walk.tree(_array_text(value, array(value)), depth)
    scalar = scalar_reader(cls)
    if scalar is not None:
        return lambda walk, value, depth: walk.tree(scalar(value), depth)
    return _unknown


def _array_text(value: object, facts: ArrayFacts) -> str:
    dtype = f" dtype={facts.dtype}" if facts.dtype else ""
    return f"<{type_name(type_of(value))} shape={facts.shape}{dtype}>"


def _unknown(walk: Walk, value: object, depth: int) -> Tree:
    del depth
    place = f" at {id(value):#x}" if walk.rules.ids else ""
    return walk.rules.scrub(f"<{type_name(type_of(value))}{place}>")


def _described(walk: Walk, value: object, depth: int) -> Tree:
    if depth >= walk.rules.depth:
        return _unknown(walk, value, depth)
    cls = type(value)
    function = _description(cls)
    described = NOT_DESCRIBED if function is None else function(value)
    return _known_reader(cls)(walk, value, depth) if described is NOT_DESCRIBED else walk.tree(described, depth + 1)


def _enum(walk: Walk, value: object, depth: int) -> Tree:
    stored = instance_dict(value)
    name = stored.get("_name_")
    if type(name) is not str:
        return walk.tree(stored.get("_value_"), depth + 1)
    return walk.tree(f"{type_name(type_of(value)).rpartition('.')[2]}.{name}", depth)


def _named_tuple(walk: Walk, value: Any, depth: int) -> Tree:
    names = [name for name in lookup(type_of(value), "_fields") if type(name) is str]
    return _record(walk, value, depth, dict(zip(names, _TUPLE.__iter__(value), strict=False)))


def _record(walk: Walk, value: object, depth: int, fields: dict[str, object]) -> Tree:
    return walk.mapping(fields.items(), len(fields), depth, id(value))


def _tuple(walk: Walk, value: Any, depth: int) -> Tree:
    return walk.sequence(_TUPLE.__iter__(value), _TUPLE.__len__(value), depth, id(value), pair=True)


def _set(walk: Walk, value: Any, depth: int) -> Tree:
    base: Any = set if set in mro_of(type_of(value)) else frozenset
    found = walk.sequence(base.__iter__(value), base.__len__(value), depth, id(value))
    # Equal sets have no equal order; the note on what was left out stays last.
    return sorted(found, key=_set_order) if isinstance(found, list) else found


def _set_order(element: Tree) -> tuple[bool, str]:
    return isinstance(element, str) and element.startswith("... "), to_json(element)


def _exception(walk: Walk, value: Any, depth: int) -> Tree:
    fields = {"type": type_name(type_of(value)), "args": _ARGS.__get__(value)}
    return walk.mapping(fields.items(), len(fields), depth, id(value))


def _bytes(walk: Walk, value: Any, depth: int) -> Tree:
    del depth
    return encoded(value, walk.rules.limit) if walk.rules.raw else digest(value)


def _bytearray(walk: Walk, value: Any, depth: int) -> Tree:
    return _bytes(walk, value if type(value) is bytearray else bytearray.__getitem__(value, slice(None)), depth)


def _memory(walk: Walk, value: Any, depth: int) -> Tree:
    return _bytes(walk, value if value.format == "B" and value.ndim == 1 else value.cast("B"), depth)


def _date(walk: Walk, value: Any, depth: int) -> Tree:
    if datetime not in mro_of(type_of(value)):
        return walk.tree(date.isoformat(value), depth)
    written = datetime.isoformat(value) if _knows_zone(_ZONE.__get__(value)) else _without_zone(value)
    return walk.tree(written, depth)


def _time(walk: Walk, value: Any, depth: int) -> Tree:
    zone = time.__dict__["tzinfo"].__get__(value)
    return walk.tree(time.isoformat(value) if _knows_zone(zone) else f"<{type_name(type_of(value))}>", depth)


def _knows_zone(zone: object) -> bool:
    """Say whether a time zone is of a library: anybody's own is anybody's own code."""
    cls = type(zone)
    return zone is None or cls is timezone or module_of(cls).partition(".")[0] in _ZONES


def _without_zone(value: object) -> str:
    fields = [date.__dict__[name].__get__(value) for name in ("year", "month", "day")]
    fields += [datetime.__dict__[name].__get__(value) for name in ("hour", "minute", "second", "microsecond")]
    return datetime(*fields).isoformat()  # noqa: DTZ001


def _class(walk: Walk, value: Any, depth: int) -> Tree:
    return walk.tree(f"<class {type_name(value)}>", depth)


def _function(walk: Walk, value: Any, depth: int) -> Tree:
    module = f"{value.__module__}." if type(value.__module__) is str else ""
    return walk.tree(f"<function {module}{value.__qualname__}>", depth)


def _readers_by_base() -> tuple[tuple[type[Any], Reader], ...]:
    """Return the readers in which the first that is a base of a type reads its instances, by methods of that base."""
    return (
        (str, lambda walk, value, depth: walk.tree(str.__str__(value), depth)),
        (int, lambda walk, value, depth: walk.tree(int.__int__(value), depth)),
        (float, lambda walk, value, depth: walk.tree(float.__float__(value), depth)),
        (complex, lambda walk, value, depth: walk.tree(str(complex.__pos__(value)), depth)),
        (bytes, lambda walk, value, depth: _bytes(walk, bytes.__getitem__(value, slice(None)), depth)),
        (bytearray, _bytearray),
        (memoryview, _memory),
        (dict, lambda walk, value, depth: walk.mapping(_DICT.items(value), _DICT.__len__(value), depth, id(value))),
        (list, lambda walk, value, depth: walk.sequence(_LIST.__iter__(value), _LIST.__len__(value), depth, id(value))),
        (tuple, _tuple),
        (set, _set),
        (frozenset, _set),
        (
            deque,
            lambda walk, value, depth: walk.sequence(_DEQUE.__iter__(value), _DEQUE.__len__(value), depth, id(value)),
        ),
        *((view, lambda walk, value, depth: walk.sequence(value, len(value), depth, id(value))) for view in _VIEWS),
        (BaseException, _exception),
        (date, _date),
        (time, _time),
        (timedelta, lambda walk, value, depth: walk.tree(timedelta.__str__(value), depth)),
        (timezone, lambda walk, value, depth: walk.tree(str(value), depth)),
        (range, lambda walk, value, depth: walk.tree(repr(value), depth)),
        (SimpleNamespace, lambda walk, value, depth: _record(walk, value, depth, instance_dict(value))),
        (type, _class),
        (FunctionType, _function),
        (BuiltinFunctionType, _function),
    )


_BY_BASE: Final = _readers_by_base()
