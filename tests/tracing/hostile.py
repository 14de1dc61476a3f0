"""Values that telemetry has been seen to break on: cyclic, endless, lazy, lying, raising when looked at."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import ipaddress
import pathlib
import sys
import types
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np
import pydantic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class RaisesOnSight:
    """Raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __str__(self) -> str:
        raise RuntimeError("str")

    def __len__(self) -> int:
        raise RuntimeError("len")

    def __iter__(self) -> Iterator[object]:
        raise RuntimeError("iter")

    def __bool__(self) -> bool:
        raise RuntimeError("bool")

    def __hash__(self) -> int:
        raise RuntimeError("hash")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    def __getattr__(self, name: str) -> object:
        raise RuntimeError("getattr")


class Exits:
    """Ends the program when printed."""

    def __repr__(self) -> str:
        raise SystemExit("from a repr")

    __str__ = __repr__


class HugeRepr:
    """Is a gigabyte long when printed."""

    def __repr__(self) -> str:
        raise AssertionError("a repr nobody asked for")


class Endless:
    """Has no last item."""

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("an iteration nobody asked for")

    def __len__(self) -> int:
        return sys.maxsize

    def __getitem__(self, index: int) -> int:
        raise AssertionError("an item nobody asked for")


class LyingClass:
    """Says that it is a dict."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return dict


class LyingDict(dict[str, object]):
    """A dict whose methods raise."""

    def items(self) -> Any:
        raise RuntimeError("items")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("iter")

    def __getitem__(self, key: str) -> object:
        raise RuntimeError("getitem")


class LyingList(list[int]):
    """A list that never ends."""

    def __iter__(self) -> Iterator[int]:
        while True:
            yield 1

    def __len__(self) -> int:
        return sys.maxsize


class LyingStr(str):
    """A string whose methods raise."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("str")

    def __len__(self) -> int:
        return -1  # noqa: PLE0303 - it lies

    def __getitem__(self, index: object) -> str:
        raise RuntimeError("getitem")

    def encode(self, *_: object, **__: object) -> bytes:
        raise RuntimeError("encode")


class LyingInt(int):
    """A number that can't be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    __str__ = __repr__


class Colour(enum.Enum):
    """A member whose value is hostile."""

    RED = RaisesOnSight


@dataclass
class Node:
    """A dataclass that holds itself."""

    name: str = "node"
    children: list[object] = field(default_factory=list)


@attrs.define
class Shape:
    """A class by attrs."""

    size: object = 1


class Model(pydantic.BaseModel):
    """A pydantic model with something lazy in it."""

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    name: str = "model"
    lazy: object = None

    @property
    def computed(self) -> str:
        """Never asked for."""
        raise AssertionError("a property nobody asked for")


class Pair(NamedTuple):
    """A pair."""

    first: int
    second: object


class Surrogate(Exception):
    """Has a message that no encoding takes."""


def cyclic_list() -> list[object]:
    cycle: list[object] = [1]
    cycle.append(cycle)
    return cycle


def cyclic_dict() -> dict[str, object]:
    cycle: dict[str, object] = {"key": 1}
    cycle["self"] = cycle
    return cycle


def cyclic_node() -> Node:
    node = Node()
    node.children.append(node)
    return node


def deep(depth: int) -> list[object]:
    found: list[object] = []
    for _ in range(depth):
        found = [found]
    return found


def deep_dict(depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for _ in range(depth):
        found = {"inner": found}
    return found


def wide(count: int) -> dict[str, object]:
    shared = list(range(100))
    return {f"key {number}": shared for number in range(count)}


def exploding() -> list[object]:
    """A billion leaves in little memory."""
    found: list[object] = ["x"]
    for _ in range(9):
        found = [found] * 10
    return found


def object_array() -> object:
    found = np.empty(2, dtype=object)
    found[0] = RaisesOnSight()
    return found


HOSTILE: dict[str, Callable[[], object]] = {
    "cyclic list": cyclic_list,
    "cyclic dict": cyclic_dict,
    "cyclic dataclass": cyclic_node,
    "deep list": lambda: deep(5000),
    "deep dict": lambda: deep_dict(5000),
    "million numbers": lambda: list(range(1_000_000)),
    "million keys": lambda: dict.fromkeys(range(1_000_000)),
    "wide": lambda: wide(5000),
    "exploding": exploding,
    "long string": lambda: "x" * 10_000_000,
    "long bytes": lambda: b"x" * 10_000_000,
    "raises on sight": RaisesOnSight,
    "list that raises on sight": lambda: [RaisesOnSight(), {"key": RaisesOnSight()}],
    "exits when printed": Exits,
    "huge repr": HugeRepr,
    "endless": Endless,
    "lying class": LyingClass,
    "lying dict": lambda: LyingDict(key=1),
    "lying list": lambda: LyingList([1]),
    "lying str": lambda: LyingStr("text"),
    "lying key": lambda: {LyingStr("text"): 1},
    "lying int": lambda: LyingInt(7),
    "huge int": lambda: 10**5000,
    "int over 64 bits": lambda: 2**64,
    "negative int over 64 bits": lambda: -(2**70),
    "nan": lambda: float("nan"),
    "infinities": lambda: [float("inf"), -float("inf"), {"x": float("nan")}],
    "lone surrogate": lambda: "a\ud800b",
    "lone surrogate as a key": lambda: {"a\udfffb": "\ud800"},
    "nul and control characters": lambda: "\x00\x01\x1f\x7f\u2028\u2029\ufffe\U0010ffff",
    "bytes": lambda: bytes(range(256)),
    "bytearray": lambda: bytearray(b"\xff\xfe"),
    "memoryview": lambda: memoryview(b"\xff" * 100),
    "complex": lambda: complex(1, float("nan")),
    "datetime": lambda: dt.datetime.max,  # noqa: DTZ901 - without a zone
    "date and time": lambda: [dt.date.min, dt.time.max, dt.timedelta.max],
    "uuid": lambda: uuid.UUID(int=1),
    "decimal": lambda: [decimal.Decimal("NaN"), decimal.Decimal("1E+999999")],
    "path": lambda: pathlib.PurePosixPath("/a") / "b",
    "address": lambda: ipaddress.ip_address("::1"),
    "enum": lambda: Colour.RED,
    "sets": lambda: [{1, "a", None}, frozenset({(1, 2)})],
    "odd keys": lambda: {None: 1, 1: 2, (1, 2): 3, b"x": 4, 1.5: 5, False: 6},
    "tuple": lambda: (1, (2, (3,))),
    "ellipsis and not implemented": lambda: [..., NotImplemented],
    "range": lambda: range(10**18),
    "generator": lambda: (number for number in range(10)),
    "iterator": lambda: iter([1, 2]),
    "map": lambda: map(int, "12"),
    "lambda": lambda: lambda x: x,
    "class": lambda: RaisesOnSight,
    "module": lambda: sys,
    "exception": lambda: ValueError("text", RaisesOnSight()),
    "surrogate exception": lambda: Surrogate("\ud800"),
    "frame": sys._getframe,
    "dataclass": lambda: Node("n", [Node(), 1]),
    "attrs": lambda: Shape(RaisesOnSight()),
    "pydantic": lambda: Model(lazy=RaisesOnSight()),
    "pydantic class": lambda: Model,
    "numpy array": lambda: np.zeros((1000, 1000)),
    "numpy scalar": lambda: [np.float64("nan"), np.int64(1), np.bool_(True)],
    "numpy object array": object_array,
    "namedtuple": lambda: Pair(1, RaisesOnSight()),
    "deque": lambda: collections.deque([1, 2], maxlen=2),
    "counter": lambda: collections.Counter("aab"),
    "default dict": lambda: collections.defaultdict(list, {"a": [1]}),
    "mapping proxy": lambda: types.MappingProxyType({"a": 1}),
    "namespace": lambda: types.SimpleNamespace(a=RaisesOnSight()),
    "object": object,
}
