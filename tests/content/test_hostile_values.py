"""Values that raise, hang, lie about themselves or have no end: content takes them all, and runs none of their code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aotel.content import Capture, ContentPolicy, Mode, describe, preview, to_json
from aotel.settings import Settings
from tests.content import zoo

if TYPE_CHECKING:
    from collections.abc import Iterator

policy = ContentPolicy.build(Settings())
captures = {mode.value: policy.for_call(mode.value) for mode in Mode}


@pytest.fixture(autouse=True)
def _nothing_asked() -> Iterator[None]:
    zoo.asked.clear()
    yield
    assert zoo.asked == []


def dumps(tree: Any) -> str:
    text = to_json(tree)
    text.encode()
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert len(preview(tree, 200)) <= 200
    return text


@pytest.mark.parametrize("mode", captures)
@pytest.mark.parametrize("kind", zoo.inhabitants())
def test_no_value_raises_or_has_its_code_run(kind: str, mode: str) -> None:
    capture = captures[mode]
    value = zoo.inhabitants()[kind]
    zoo.asked.clear()
    dumps(capture.value(value))
    dumps(capture.value(value, "password"))
    dumps(capture.value([value, {"a": value, "password": value}, (value, value)]))
    arguments = capture.arguments(("first", "password"), (value, value, value), {"name": value, "token": value})
    dumps(arguments.named())
    dumps(arguments.positional)
    dumps(capture.variables({"name": value}))


def captured(value: object) -> Any:
    return captures["redacted"].value(value)


def test_a_cycle_is_written_once() -> None:
    assert captured(zoo.cyclic()) == [1, {"again": "<cycle>", "tuple": ["<cycle>"]}]


def test_the_same_value_twice_is_no_cycle() -> None:
    shared = [1]
    assert captured([shared, shared]) == [[1], [1]]


def test_a_walk_stops_at_depth_ten() -> None:
    written = dumps(captured(zoo.deep(500)))
    assert written == "[" * 10 + '"<list of 1>"' + "]" * 10
    nested: dict[str, Any] = {}
    for _ in range(100):
        nested = {"a": nested}
    assert dumps(captured(nested)).count("{") == 10


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)),
        [1.5] * 1_000_000,
        ["text"] * 1_000_000,
        tuple(range(1_000_000)),
        [[]] * 1_000_000,
        set(range(1_000_000)),
    ],
    ids=["ints", "floats", "texts", "tuple", "lists", "set"],
)
def test_of_very_many_elements_ten_thousand_are_written_and_the_rest_is_counted(value: Any) -> None:
    written = captured(value)
    assert len(written) == 10_001
    assert written[-1] == "... 990000 more"
    dumps(written)


def test_of_very_many_keys_ten_thousand_are_written_and_the_rest_is_counted() -> None:
    written = captured({f"item {index}": index for index in range(100_000)})
    assert len(written) == 10_001
    assert written["..."] == "90000 more"


def test_ten_thousand_nodes_are_all_that_one_value_has() -> None:
    written = captured([list(range(100)) for _ in range(1000)])
    assert sum(len(row) for row in written if isinstance(row, list)) <= 10_000
    assert written[-1] == ["... 100 more"]
    arguments = captures["redacted"].arguments((), tuple(range(1_000_000)), {})
    assert len(arguments.positional) == 10_001
    for mode in ("hash", "summary"):
        assert len(captures[mode].arguments((), tuple(range(100_000)), {}).positional) <= 10_000


def test_a_million_characters_are_all_that_one_value_has() -> None:
    written = dumps(captured(["x " * 16_000] * 5000))
    assert len(written) < 2_500_000


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("str", "text"),
        ("int", 3),
        ("float", 1.5),
        ("list", [1, 2]),
        ("tuple", [1, 2]),
        ("set", [1]),
        ("dict", {"a": [1]}),
    ],
)
def test_subclasses_of_builtins_are_read_by_the_builtins_methods(kind: str, written: object) -> None:
    assert captured(zoo.inhabitants()[kind]) == written


def test_subclasses_of_builtins_are_redacted_like_the_builtins() -> None:
    marker = policy.redactor.marker.of("hunter2x")
    assert captured(zoo.HostileDict({"password": "hunter2x"})) == {"password": marker}
    assert captured({zoo.HostileStr("password"): zoo.HostileStr("hunter2x")}) == {"password": marker}
    assert captured({b"password": zoo.HostileBytes(b"hunter2x")})["password"].startswith("<redacted:")
    assert captured(zoo.HostileTuple(("password", "hunter2x"))) == ["password", marker]


@pytest.mark.parametrize("kind", ["object", "rows", "array", "ndarray", "uuid", "generator", "object itself"])
def test_what_is_unknown_is_written_by_type_and_id(kind: str) -> None:
    value = zoo.inhabitants()[kind]
    cls = type(value)
    module = "" if cls.__module__ == "builtins" else f"{cls.__module__}."
    assert captured(value) == f"<{module}{cls.__qualname__} at {id(value):#x}>"


def test_an_exception_is_written_by_type_and_arguments() -> None:
    written = captured(zoo.HostileError("message", 3))
    assert written == {"type": "tests.content.zoo.HostileError", "args": ["message", 3]}


def test_a_time_of_an_unknown_zone_is_written_without_it() -> None:
    assert captured(zoo.inhabitants()["zone"]) == "2024-01-02T03:04:05"


class Changing:
    """Changes what it is in when it is read."""

    def __init__(self, container: dict[str, object]) -> None:
        self.container = container


@describe.register
def _(value: Changing) -> object:
    value.container[f"more {len(value.container)}"] = 1
    return "described"


def test_a_dict_that_changes_meanwhile_is_written_as_it_was() -> None:
    values: dict[str, object] = {}
    values.update(a=Changing(values), b=1)
    assert captured(values) == {"a": "described", "b": 1}
    assert "more 2" in values


def test_close_to_the_recursion_limit_nothing_raises() -> None:
    def dive(levels: int) -> list[object]:
        try:
            return [*dive(levels + 1), captured(zoo.deep(9)), captures["hash"].value({"password": ["x"]})]
        except RecursionError:
            return []

    dive(0)
    assert isinstance(captures["none"], Capture)
