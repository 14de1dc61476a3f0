"""Hostile objects: what they do when somebody asks them anything."""

from __future__ import annotations

import sys
from collections import OrderedDict, defaultdict, deque
from datetime import datetime, timedelta, tzinfo
from enum import Enum
from typing import Any, NamedTuple, NoReturn

asked: list[str] = []
"""Which code of a hostile object ran."""


def refuse(*args: object, **kwargs: object) -> NoReturn:
    caller = sys._getframe(1)
    asked.append(caller.f_code.co_name)
    raise RuntimeError("a hostile object was asked")


class HostileMeta(type):
    """A metaclass that raises whatever a class is asked."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        refuse()

    def __getattribute__(cls, name: str) -> Any:
        refuse()

    def __instancecheck__(cls, instance: object) -> bool:
        refuse()

    def __subclasscheck__(cls, subclass: type) -> bool:
        refuse()

    def __repr__(cls) -> str:
        refuse()


class Hostile:
    """Raises whatever it is asked, and lies about its class."""

    def __init__(self) -> None:
        object.__setattr__(self, "secret", "hunter2")

    __class__: Any = property(refuse)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        refuse()

    def __getattribute__(self, name: str) -> Any:
        refuse()

    def __getattr__(self, name: str) -> Any:
        refuse()

    __repr__ = __str__ = __bytes__ = __len__ = __iter__ = __bool__ = __hash__ = __eq__ = refuse
    __contains__ = __getitem__ = __index__ = __int__ = __float__ = __format__ = __reduce__ = refuse
    __sizeof__ = __dir__ = __call__ = __next__ = __await__ = __enter__ = __buffer__ = refuse
    items = keys = values = get = shape = dtype = model_dump = dict = tolist = isoformat = refuse


class HostileDict(dict[Any, Any]):
    """A dict that raises whatever it is asked by its own methods."""

    __iter__ = __len__ = __getitem__ = __contains__ = __repr__ = __bool__ = __eq__ = refuse
    items = keys = values = get = copy = refuse

    def __getattribute__(self, name: str) -> Any:
        refuse()


class HostileList(list[Any]):
    """A list that raises whatever it is asked by its own methods."""

    __iter__ = __len__ = __getitem__ = __contains__ = __repr__ = __bool__ = __eq__ = refuse

    def __getattribute__(self, name: str) -> Any:
        refuse()


class HostileTuple(tuple[Any, ...]):
    """A tuple that raises whatever it is asked by its own methods."""

    __slots__ = ()
    __iter__ = __len__ = __getitem__ = __contains__ = __repr__ = __bool__ = __eq__ = __hash__ = refuse


class HostileSet(set[Any]):
    """A set that raises whatever it is asked by its own methods."""

    __iter__ = __len__ = __contains__ = __repr__ = __bool__ = __eq__ = refuse


class HostileStr(str):
    """A text that raises whatever it is asked by its own methods."""

    __slots__ = ()
    __iter__ = __len__ = __getitem__ = __contains__ = __repr__ = __str__ = __format__ = __bool__ = refuse
    encode = lower = isascii = startswith = refuse


class HostileInt(int):
    """A number that raises whatever it is asked by its own methods."""

    __repr__ = __str__ = __int__ = __index__ = __bool__ = __add__ = __lt__ = __le__ = __gt__ = __ge__ = refuse


class HostileFloat(float):
    """A number that raises whatever it is asked by its own methods."""

    __repr__ = __str__ = __float__ = __bool__ = __lt__ = __le__ = __gt__ = __ge__ = refuse


class HostileBytes(bytes):
    """Bytes that raise whatever they are asked by their own methods."""

    __len__ = __getitem__ = __iter__ = __repr__ = __bool__ = __buffer__ = refuse
    decode = startswith = refuse


class HostileError(Exception):
    """An exception that raises when somebody wants to read it."""

    __str__ = __repr__ = refuse

    @property
    def args(self) -> tuple[Any, ...]:  # type: ignore[override]
        refuse()


class HostileZone(tzinfo):
    """A time zone that raises when it is asked for its offset."""

    utcoffset = dst = tzname = refuse


class HostileKey:
    """A key that raises when it is written, and is equal to anything."""

    __repr__ = __str__ = __eq__ = refuse

    def __hash__(self) -> int:
        return hash("value")


class HostileArray:
    """Pretends to be an array of numpy."""

    __module__ = "numpy"

    @property
    def shape(self) -> NoReturn:
        refuse()

    @property
    def dtype(self) -> NoReturn:
        refuse()


class ndarray(HostileArray):
    """Pretends to be numpy's own."""

    __module__ = "numpy"


class UUID:
    """Pretends to be the standard library's."""

    __module__ = "uuid"
    __str__ = __repr__ = refuse


class LazyRows:
    """A query that goes to its database when anybody looks at its rows."""

    __iter__ = __len__ = __getitem__ = __repr__ = __str__ = __bool__ = refuse

    def __getattr__(self, name: str) -> Any:
        refuse()


class HostileFields:
    """Claims to be a dataclass, an attrs class and a model, with properties for fields."""

    __dataclass_fields__ = {"first": None, "second": 5, 3: None}
    __attrs_attrs__ = (1, "two", LazyRows())

    @property
    def first(self) -> NoReturn:
        refuse()


class HostileMetaclass(metaclass=HostileMeta):
    """Its class raises whatever it is asked."""


class Color(Enum):
    """An ordinary enumeration."""

    RED = 1


class Point(NamedTuple):
    """An ordinary named tuple."""

    x: int
    y: int


def generator() -> Any:
    """Yields never, as long as nobody asks."""
    refuse()
    yield


def cyclic() -> list[Any]:
    """Return a list that holds a dict that holds the list."""
    found: list[Any] = [1]
    found.append({"again": found, "tuple": (found,)})
    return found


def deep(levels: int) -> list[Any]:
    """Return lists inside each other."""
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def inhabitants() -> dict[str, Any]:
    """Return one of each kind, by name."""
    error = HostileError("hunter2")
    try:
        raise error
    except HostileError:
        pass
    return {
        "object": Hostile(),
        "dict": HostileDict({"a": HostileList([1])}),
        "list": HostileList([1, 2]),
        "tuple": HostileTuple((1, 2)),
        "set": HostileSet({1}),
        "str": HostileStr("text"),
        "int": HostileInt(3),
        "float": HostileFloat(1.5),
        "bytes": HostileBytes(b"bytes"),
        "error": error,
        "zone": datetime(2024, 1, 2, 3, 4, 5, tzinfo=HostileZone()),
        "key": {HostileKey(): 1, "a": 2},
        "array": HostileArray(),
        "ndarray": ndarray(),
        "uuid": UUID(),
        "rows": LazyRows(),
        "fields": HostileFields(),
        "metaclass": HostileMetaclass,
        "metaclass instance": object.__new__(HostileMetaclass),
        "generator": generator(),
        "cycle": cyclic(),
        "deep": deep(500),
        "huge int": 10**5000,
        "nan": float("nan"),
        "infinity": float("-inf"),
        "surrogate": "a\ud800b",
        "surrogate key": {"\udfff": 1},
        "memory": memoryview(b"abc"),
        "strided memory": memoryview(b"abcdef")[::2],
        "timedelta": timedelta(days=999999999),
        "default dict": defaultdict(refuse, {"a": 1}),
        "ordered dict": OrderedDict(a=1),
        "deque": deque([1], maxlen=1),
        "enum": Color.RED,
        "point": Point(1, 2),
        "function": refuse,
        "lambda": lambda: refuse(1),
        "builtin": len,
        "method": [].append,
        "module": sys,
        "type": type,
        "ellipsis": ...,
        "range": range(10**30),
        "object itself": object(),
    }
