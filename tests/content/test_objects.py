"""What is written of objects: stored fields, short texts, shapes, descriptions by users."""

from __future__ import annotations

import abc
import array
import dataclasses
import datetime as dt
import enum
import fractions
import gc
import ipaddress
import pathlib
import types
import typing
import uuid
import weakref
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal

import attrs
import numpy as np
import pydantic
import pytest

from aotel.content import NOT_DESCRIBED, ContentPolicy, describe, to_json
from aotel.settings import Settings
from tests.content import zoo

policy = ContentPolicy.build(Settings())
capture = policy.default
MARKER = policy.redactor.marker.of("hunter2")


@dataclasses.dataclass
class Login:
    user: str
    password: str
    hidden: str = dataclasses.field(default="hidden", repr=False)
    made: typing.ClassVar[int] = 3

    @property
    def computed(self) -> str:
        zoo.refuse()


@dataclasses.dataclass(frozen=True)
class Slotted:
    __slots__ = ("password", "user")
    user: str
    password: str


@attrs.define
class AttrsLogin:
    user: str
    password: str
    hidden: str = attrs.field(default="hidden", repr=False)
    masked: str = attrs.field(default="masked", repr=lambda value: "***")


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    user: str
    password: str
    secret_str: pydantic.SecretStr = pydantic.SecretStr("hidden")
    hidden: str = pydantic.Field(default="hidden", repr=False)
    _private: str = pydantic.PrivateAttr(default="hidden")

    @pydantic.computed_field(repr=False)  # type: ignore[prop-decorator]
    @property
    def computed(self) -> str:
        zoo.refuse()


class Nested(pydantic.BaseModel):
    login: Model
    many: list[Model] = []


class Color(enum.Enum):
    RED = 1
    SELF = enum.auto()


class Role(str, enum.Enum):
    USER = "user"


class Level(enum.IntEnum):
    HIGH = 3


class Flags(enum.Flag):
    A = 1
    B = 2


Pair = namedtuple("Pair", ["user", "password"])  # noqa: PYI024 # pyright: ignore[reportUntypedNamedTuple]


@pytest.mark.parametrize(
    "value",
    [Login("me", "hunter2"), Slotted("me", "hunter2"), AttrsLogin("me", "hunter2"), Pair("me", "hunter2")],
    ids=lambda value: type(value).__name__,
)
def test_the_stored_fields_of_records_are_written_and_redacted(value: object) -> None:
    assert capture.value(value) == {"user": "me", "password": MARKER}


def test_the_stored_fields_of_models_are_written_and_redacted() -> None:
    model = Model(user="me", password="hunter2", more="extra", api_key="hunter2")  # type: ignore[call-arg]
    written = capture.value(model)
    assert written == {
        "user": "me",
        "password": MARKER,
        "secret_str": policy.redactor.marker.of(f"<pydantic.types.SecretStr at {id(model.secret_str):#x}>"),
        "more": "extra",
        "api_key": MARKER,
    }
    nested = capture.value(Nested(login=model, many=[model]))
    assert nested == {"login": written, "many": [written]}


def test_fields_that_are_not_set_are_left_out() -> None:
    assert capture.value(object.__new__(Slotted)) == {}
    assert capture.value(object.__new__(Login)) == {}
    assert capture.value(Model.model_construct(user="me"))["user"] == "me"  # type: ignore[index, call-overload]


def test_what_has_fields_and_is_a_container_is_read_as_the_container() -> None:
    class Fields(dict):  # type: ignore[type-arg]
        __dataclass_fields__ = {"a": None}

    assert capture.value(Fields(b=1)) == {"b": 1}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (pathlib.PurePosixPath("/tmp/x"), "/tmp/x"),
        (pathlib.PureWindowsPath("C:/x"), "C:\\x"),
        (pathlib.Path("x/y"), "x/y"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        (dt.datetime(2024, 1, 2, 3, 4, 5, 6), "2024-01-02T03:04:05.000006"),  # noqa: DTZ001 - the kind without a zone
        (dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc), "2024-01-02T00:00:00+00:00"),
        (dt.datetime(2024, 7, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")), "2024-07-02T00:00:00+02:00"),
        (dt.time(1, 2, 3), "01:02:03"),
        (dt.time(1, 2, 3, tzinfo=dt.timezone.utc), "01:02:03+00:00"),
        (dt.timedelta(days=1, seconds=2), "1 day, 0:00:02"),
        (dt.timezone.utc, "UTC"),
        (zoneinfo.ZoneInfo("Europe/Berlin"), "Europe/Berlin"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.50"), "1.50"),
        (fractions.Fraction(1, 3), "1/3"),
        (ipaddress.ip_address("::1"), "::1"),
        (ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
        (1 + 2j, "(1+2j)"),
        (range(3), "range(0, 3)"),
        (Color.RED, "Color.RED"),
        (Role.USER, "user"),
        (Level.HIGH, 3),
        (Flags.A, "Flags.A"),
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        (-(2**63), "-9223372036854775808"),
        (10**600, "1" + "0" * 600),
        (1 << 5000, "<int of 5001 bits>"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        ([float("nan")] * 20, ["NaN"] * 20),
        ([1e308] * 20, [1e308] * 20),
        ([2**70] * 20, [str(2**70)] * 20),
        ([True, 1] * 10, [True, 1] * 10),
        ([1, 1.5] * 10, [1, 1.5] * 10),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, {"a": [1]}), {"a": [1]}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (deque([1, 2]), [1, 2]),
        (frozenset({2, 1}), [1, 2]),
        ({"b", "a"}, ["a", "b"]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        ({"a": 1}.items(), [["a", 1]]),
        (types.SimpleNamespace(a=1, password="hunter2"), {"a": 1, "password": MARKER}),
        ({1: "a", None: "b", 1.5: "d", (1, 2): "e"}, {"1": "a", "null": "b", "1.5": "d", "[1,2]": "e"}),
        ({1: "a", "1": "b"}, {"1": "a", "1#1": "b"}),
        ({b"Accept": b"*/*"}, {"Accept": {"mime_type": "text/plain", "bytes": 3}}),
        (int, "<class int>"),
        (Login, "<class tests.content.test_objects.Login>"),
        (zoo.refuse, "<function tests.content.zoo.refuse>"),
        (len, "<function builtins.len>"),
        (ValueError("a", 1), {"type": "ValueError", "args": ["a", 1]}),
        (KeyError({"password": "hunter2"}), {"type": "KeyError", "args": [{"password": MARKER}]}),
        (array.array("d", [1.0]), None),
        (..., None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_known_types_are_written_as_a_reader_wants_them(value: object, written: object) -> None:
    found: typing.Any = capture.value(value)
    if written is None:
        written = f"<{type(value).__module__}.{type(value).__qualname__} at {id(value):#x}>".replace("builtins.", "")
    if isinstance(found, dict) and isinstance(found.get("Accept"), dict):
        found["Accept"].pop("sha256")
    assert found == written
    assert to_json(found)


def test_subclasses_of_dates_are_written_without_code_of_theirs() -> None:
    class Stamp(dt.datetime):
        isoformat = replace = zoo.refuse

    assert capture.value(Stamp(2024, 1, 2)) == "2024-01-02T00:00:00"
    assert capture.value(Stamp(2024, 1, 2, tzinfo=zoo.HostileZone())) == "2024-01-02T00:00:00"
    assert capture.value(dt.time(1, tzinfo=zoo.HostileZone())) == "<datetime.time>"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.zeros((2, 3)), "<numpy.ndarray shape=(2, 3) dtype=float64>"),
        (np.zeros(0, dtype=np.int8), "<numpy.ndarray shape=(0,) dtype=int8>"),
        (np.array(["hunter2"], dtype=object), "<numpy.ndarray shape=(1,) dtype=object>"),
        (np.array(5), "<numpy.ndarray shape=() dtype=int64>"),
        (np.ma.zeros(3), "<numpy.ma.MaskedArray shape=(3,) dtype=float64>"),
        (np.float64(1.5), 1.5),
        (np.float32(1.5), 1.5),
        (np.int64(3), 3),
        (np.uint64(2**64 - 1), str(2**64 - 1)),
        (np.bool_(1), True),
        (np.str_("x"), "x"),
        (np.float32("nan"), "NaN"),
        (np.datetime64("2024-01-02"), "2024-01-02"),
        ({"vector": np.zeros(3), "password": "hunter2"}, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_arrays_are_written_by_shape_and_scalars_by_value(value: object, written: object) -> None:
    if written is None:
        written = {"vector": "<numpy.ndarray shape=(3,) dtype=float64>", "password": MARKER}
    assert capture.value(value) == written


def test_a_subclass_of_an_array_is_written_by_the_arrays_own_shape() -> None:
    Mine = type("Mine", (np.ndarray,), {"dtype": property(zoo.refuse)})

    zoo.asked.clear()
    assert str(capture.value(np.zeros(3).view(Mine))).endswith(".Mine shape=(3,)>")
    assert zoo.asked == []


class Order:
    def __init__(self, number: int) -> None:
        self.number = number


class SpecialOrder(Order):
    pass


class Priced(abc.ABC):  # noqa: B024 - registered, not inherited from
    price = 5


class Offer:
    pass


Priced.register(Offer)


class Broken:
    pass


class Itself:
    pass


class Undecided(dict):  # type: ignore[type-arg]
    pass


@describe.register
def _(value: Order) -> object:
    return {"number": value.number, "password": "hunter2", "at": dt.date(2024, 1, 2)}


@describe.register(Priced)
def _describe_priced(value: object) -> object:
    return "priced"


@describe.register
def _(value: Broken) -> object:
    raise RuntimeError(value)


@describe.register
def _(value: Itself) -> object:
    return [value]


@describe.register
def _(value: Undecided) -> object:
    return NOT_DESCRIBED


def test_users_say_what_is_written_of_their_types() -> None:
    assert capture.value(Order(3)) == {"number": 3, "password": MARKER, "at": "2024-01-02"}
    assert capture.value([SpecialOrder(4)]) == [{"number": 4, "password": MARKER, "at": "2024-01-02"}]
    assert capture.value(Offer()) == "priced"


def test_a_description_that_raises_or_never_ends_harms_nobody() -> None:
    broken = Broken()
    assert capture.value(broken) == f"<tests.content.test_objects.Broken at {id(broken):#x}>"
    assert to_json(capture.value(Itself())).count("[") <= 10


def test_a_type_whose_user_leaves_it_to_us_is_written_as_ever() -> None:
    assert capture.value(Undecided(a=1)) == {"a": 1}
    assert describe(5) is NOT_DESCRIBED
    assert repr(NOT_DESCRIBED) == "NOT_DESCRIBED"


def describer(told: str) -> typing.Callable[[object], object]:
    return lambda value: told


def test_a_type_that_is_described_after_it_was_seen_is_written_as_described() -> None:
    class Late:
        pass

    assert str(capture.value(Late())).startswith("<")
    describe.register(Late, describer("first"))
    assert capture.value(Late()) == "first"
    describe.register(Late, describer("second"))
    assert capture.value(Late()) == "second"


def test_no_type_is_kept_alive_because_it_was_seen() -> None:
    cls = type("Short", (), {})
    capture.value(cls())
    reference = weakref.ref(cls)
    del cls
    gc.collect()
    assert reference() is None


def test_very_many_types_are_seen_within_bounds() -> None:
    for index in range(1500):
        assert f"T{index}" in str(capture.value(type(f"T{index}", (), {})()))
