"""`coat` among what classes are made of: inheritance, properties, abstract methods, dataclasses, protocols."""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import inspect
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import pytest

from aotel import coat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.recording import Recorded

T = TypeVar("T")


class Base:
    @coat("tool")
    def work(self, value: int) -> list[str]:
        return [f"base {value}"]

    @coat("tool")
    async def wait(self) -> list[str]:
        return ["base"]

    @coat("tool")
    def pieces(self) -> Iterator[str]:
        yield "base"

    @coat("tool")
    async def waves(self) -> AsyncIterator[str]:
        yield "base"

    @coat("tool")
    @classmethod
    def build(cls) -> list[str]:
        return [cls.__name__]

    @classmethod
    @coat("tool")
    def make(cls) -> list[str]:
        return [cls.__name__]

    @staticmethod
    @coat("tool")
    def add(first: int, second: int) -> int:
        return first + second


class Derived(Base):
    @coat("llm")
    def work(self, value: int) -> list[str]:
        return ["derived", *super().work(value)]

    @coat("llm")
    async def wait(self) -> list[str]:
        return ["derived", *await super().wait()]

    @coat("llm")
    def pieces(self) -> Iterator[str]:
        yield "derived"
        yield from super().pieces()

    @coat("llm")
    async def waves(self) -> AsyncIterator[str]:
        yield "derived"
        async for wave in super().waves():
            yield wave


class Silent(Base):
    def work(self, value: int) -> list[str]:
        return ["silent", *super().work(value)]


async def test_super_reaches_the_parent_and_nests(recorded: Recorded) -> None:
    derived = Derived()
    assert derived.work(1) == ["derived", "base 1"]
    assert await derived.wait() == ["derived", "base"]
    assert list(derived.pieces()) == ["derived", "base"]
    assert [wave async for wave in derived.waves()] == ["derived", "base"]
    operations = recorded.operations
    assert [operation.span.name for operation in operations] == [
        f"{owner}.{name}" for name in ("work", "wait", "pieces", "waves") for owner in ("Base", "Derived")
    ]
    for inner, outer in zip(operations[::2], operations[1::2], strict=True):
        assert inner.span.parent == outer.context


async def test_inherited_methods_are_traced_under_the_name_of_their_class(recorded: Recorded) -> None:
    silent = Silent()
    assert silent.work(2) == ["silent", "base 2"]
    assert await silent.wait() == ["base"]
    assert Silent.build() == ["Silent"]
    assert Silent.make() == ["Silent"]
    assert silent.build() == ["Silent"]
    assert Silent.add(1, 2) == silent.add(1, 2) == 3
    names = [operation.span.name for operation in recorded.operations]
    assert names == ["Base.work", "Base.wait", "Base.build", "Base.make", "Base.build", "Base.add", "Base.add"]


def test_instance_is_no_argument_of_a_method(recorded: Recorded) -> None:
    Base().work(5)
    Base().work(value=6)
    list(Base().pieces())
    Base.build()
    Base.add(1, second=2)
    previews = [operation.start["payload"]["preview"] for operation in recorded.operations]
    assert previews == [
        {"args": ["5"], "kwargs": {}},
        {"args": [], "kwargs": {"value": "6"}},
        {"args": [], "kwargs": {}},
        {"args": [], "kwargs": {}},
        {"args": ["1"], "kwargs": {"second": "2"}},
    ]


def test_method_called_through_its_class_has_its_instance_left_out(recorded: Recorded) -> None:
    Base.work(Base(), 5)
    assert recorded.operation.start["payload"]["preview"] == {"args": ["5"], "kwargs": {}}


def test_property_over_coat(recorded: Recorded) -> None:
    class Room:
        size = 3

        @property
        @coat("retrieval")
        def area(self) -> int:
            """Square metres."""
            return self.size**2

        @area.setter
        @coat("memory")
        def area(self, value: int) -> None:
            self.size = int(value**0.5)

        @functools.cached_property
        @coat("tool")
        def volume(self) -> int:
            return self.size**3

    room = Room()
    room.area = 16
    assert room.area == 16
    assert room.volume == room.volume == 64
    assert inspect.getdoc(Room.area) == "Square metres."
    kinds = [operation.start["kind"] for operation in recorded.operations]
    assert kinds == ["agent.memory.write", "agent.memory.read", "agent.tool.call"]


@pytest.mark.parametrize("outside", ["coat", "abstractmethod"])
def test_abstract_methods_stay_abstract(outside: str, recorded: Recorded) -> None:
    def method(self: Any) -> Any:
        return "base"

    def pieces(self: Any) -> Any:
        yield "base"

    def both(fn: Any) -> Any:
        return coat(abc.abstractmethod(fn)) if outside == "coat" else abc.abstractmethod(coat(fn))

    tool: Any = abc.ABCMeta("Tool", (), {"method": both(method), "pieces": both(pieces)})
    assert tool.__abstractmethods__ == {"method", "pieces"}
    assert inspect.isabstract(tool)
    with pytest.raises(TypeError, match="abstract"):
        tool()

    class Concrete(tool):  # type: ignore[misc]
        def method(self) -> Any:
            return super().method()

        def pieces(self) -> Any:
            return super().pieces()

    assert Concrete().method() == "base"
    assert list(Concrete().pieces()) == ["base"]
    assert len(recorded.operations) == 2


def test_methods_of_a_dataclass(recorded: Recorded) -> None:
    @dataclasses.dataclass(frozen=True)
    class Point:
        x: int
        y: int = 2

        @coat("tool")
        def total(self) -> int:
            return self.x + self.y

        @coat("tool")
        def coordinates(self) -> Iterator[int]:
            yield self.x
            yield self.y

    assert Point(1).total() == 3
    assert list(Point(1).coordinates()) == [1, 2]
    assert Point(1) == Point(1)
    assert [field.name for field in dataclasses.fields(Point)] == ["x", "y"]
    assert [operation.span.name for operation in recorded.operations] == ["Point.total", "Point.coordinates"]


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"order": True}, {"slots": True}])
def test_a_dataclass_itself(options: dict[str, bool], recorded: Recorded) -> None:
    @coat("tool")
    @dataclasses.dataclass(**options)
    class Point:
        x: int
        y: int = 2

    assert (Point(1).x, Point(x=3).y) == (1, 2)
    assert dataclasses.replace(Point(1), x=9) == Point(9)
    assert len(recorded.operations) == 5
    assert recorded.operations[1].start["payload"]["preview"] == {"args": [], "kwargs": {"x": "3"}}


def test_coat_below_dataclass_says_where_it_belongs(recorded: Recorded) -> None:
    @coat("tool")
    class Point:
        x: int

    # `dataclass` makes no `__init__` for a class that has one, which from `coat` on it has.
    point: Any = dataclasses.dataclass(Point)
    with pytest.raises(TypeError, match="put it above"):
        point(1)
    bare: Any = dataclasses.dataclass(init=False)(coat("tool", type("Bare", (), {})))
    assert bare() is not None


def test_coat_below_dataclass_over_an_init_of_its_own(recorded: Recorded) -> None:
    @dataclasses.dataclass
    @coat("tool")
    class Point:
        x: int

        def __init__(self, value: int) -> None:
            self.x = value

    assert Point(3).x == 3
    assert recorded.operation.outcome == "ok"


def test_classes_of_many_makes_can_be_constructed(recorded: Recorded) -> None:
    class Slotted:
        __slots__ = ("value",)

        def __init__(self, value: int) -> None:
            self.value = value

    class Pair(NamedTuple):
        first: int
        second: int

    class Box(Generic[T]):
        def __init__(self, content: T) -> None:
            self.content = content

    class Text(str):
        __slots__ = ()

    class Numbers(list[int]):
        pass

    class Registered(type):
        def __call__(cls, *args: Any) -> Any:
            return super().__call__(*args)

    class Special(metaclass=Registered):
        def __init__(self, value: int) -> None:
            self.value = value

    assert coat("tool", Slotted)(1).value == 1
    assert coat("tool", Pair)(1, second=2) == (1, 2)
    box: Any = coat("tool", Box)
    assert box[int](1).content == 1
    assert coat("tool", Text)("text") == "text"
    assert coat("tool", Numbers)([1, 2]) == [1, 2]
    assert coat("tool", Special)(1).value == 1
    assert [operation.outcome for operation in recorded.operations] == ["ok"] * 6
    assert [operation.span.name for operation in recorded.operations] == [
        "Slotted",
        "Pair",
        "Box",
        "Text",
        "Numbers",
        "Special",
    ]


def test_enum_keeps_its_members() -> None:
    class Colour(enum.Enum):
        RED = 1
        BLUE = 2

    coated = coat("tool", Colour)
    assert coated(1) is Colour.RED
    assert list(coated) == [Colour.RED, Colour.BLUE]


def test_construction_of_a_subclass_is_a_construction_of_its_coated_parent(recorded: Recorded) -> None:
    @coat("tool")
    class Parent:
        def __init__(self, value: int) -> None:
            self.value = value

    class Child(Parent):
        def __init__(self, value: int) -> None:
            super().__init__(value + 1)

    assert Child(1).value == 2
    assert recorded.operation.start["payload"]["preview"] == {"args": ["2"], "kwargs": {}}


def test_class_that_cannot_be_changed_is_refused() -> None:
    for cls in (int, dict):
        with pytest.raises(TypeError, match=f"cannot change the class {cls.__name__}"):
            coat("tool", cls)


def test_slots_keep_coated_methods(recorded: Recorded) -> None:
    class Slotted:
        __slots__ = ("__weakref__", "value")

        @coat
        def method(self) -> int:
            return 1

        @coat
        def generator(self) -> Iterator[int]:
            yield 1

    assert Slotted().method() == 1
    assert list(Slotted().generator()) == [1]
    assert len(recorded.operations) == 2


def test_a_protocol_sees_coated_methods() -> None:
    @runtime_checkable
    class Tool(Protocol):
        def work(self, value: int) -> list[str]: ...

        def pieces(self) -> Iterator[str]: ...

    assert isinstance(Base(), Tool)


def test_a_coated_class_attribute_without_binding_stays_one(recorded: Recorded) -> None:
    class Holder:
        length = coat("tool", len)

        class Callback:
            def __call__(self, value: int) -> int:
                return value

        callback = coat("tool", Callback())

    holder: Any = Holder()
    assert holder.length([1, 2]) == 2  # a builtin does not bind, and neither does an object that is called
    assert holder.callback(3) == 3
    assert len(recorded.operations) == 2


def test_methods_bound_late(recorded: Recorded) -> None:
    class Plain:
        def work(self) -> int:
            return 1

        def pieces(self) -> Iterator[int]:
            yield 1

    Plain.work = coat("tool", Plain.work)  # type: ignore[method-assign]
    Plain.pieces = coat("tool", Plain.pieces)  # type: ignore[method-assign]
    assert Plain().work() == 1
    assert list(Plain().pieces()) == [1]
    assert [operation.span.name for operation in recorded.operations] == ["Plain.work", "Plain.pieces"]
