"""The shape of values, and nothing of the values."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from aotel.content import ContentPolicy
from aotel.settings import Settings
from tests.content import zoo
from tests.content.test_objects import AttrsLogin, Login, Model, Order

capture = ContentPolicy.build(Settings()).for_call("summary")


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (None, {"type": "NoneType"}),
        (True, {"type": "bool"}),
        (17, {"type": "int"}),
        (1.5, {"type": "float"}),
        ("hunter2", {"type": "str", "length": 7}),
        (b"hunter2", {"type": "bytes", "length": 7}),
        (bytearray(3), {"type": "bytearray", "length": 3}),
        ({}, {"type": "dict", "keys": 0, "values": []}),
        ({"a": 1, "b": "x", "c": 2}, {"type": "dict", "keys": 3, "values": ["int", "str"]}),
        ([], {"type": "list", "length": 0, "items": []}),
        ([7], {"type": "list", "length": 1, "items": ["int"]}),
        ([3, 1, 2], {"type": "list", "length": 3, "items": ["int"], "range": [1, 3]}),
        ([3, 1.5, "x"], {"type": "list", "length": 3, "items": ["float", "int", "str"], "range": [1.5, 3]}),
        ([True, False], {"type": "list", "length": 2, "items": ["bool"]}),
        ([1.0, float("nan")], {"type": "list", "length": 2, "items": ["float"]}),
        ([1.0, float("inf")], {"type": "list", "length": 2, "items": ["float"]}),
        ([1, 2**80], {"type": "list", "length": 2, "items": ["int"]}),
        ((1, 2), {"type": "tuple", "length": 2, "items": ["int"], "range": [1, 2]}),
        ({4, 5}, {"type": "set", "length": 2, "items": ["int"], "range": [4, 5]}),
        (deque([1]), {"type": "collections.deque", "length": 1, "items": ["int"]}),
        ([{"a": 1}, {"b": 2}], {"type": "list", "length": 2, "items": ["dict"]}),
        (Login("me", "x"), {"type": "tests.content.test_objects.Login", "keys": 2, "values": ["str"]}),
        (AttrsLogin("me", "x"), {"type": "tests.content.test_objects.AttrsLogin", "keys": 2, "values": ["str"]}),
        (Order(3), {"type": "tests.content.test_objects.Order"}),
        (ValueError("x"), {"type": "ValueError"}),
        (np.zeros((2, 3)), {"type": "numpy.ndarray", "shape": [2, 3]}),
        (
            zoo.HostileList([1, 2]),
            {"type": "tests.content.zoo.HostileList", "length": 2, "items": ["int"], "range": [1, 2]},
        ),
        (zoo.HostileStr("hunter2"), {"type": "tests.content.zoo.HostileStr", "length": 7}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_shapes(value: object, shape: object) -> None:
    assert capture.value(value) == shape


def test_the_shape_of_a_model_counts_its_fields() -> None:
    model = Model(user="me", password="x", more=1)  # type: ignore[call-arg]
    written = capture.value(model)
    assert isinstance(written, dict)
    assert written["keys"] == 4


def test_the_shape_of_very_many_elements_is_told_by_the_first() -> None:
    written = capture.value([*range(1_000_000), "x"])
    assert written == {"type": "list", "length": 1_000_001, "items": ["int"]}


def test_a_text_has_a_shape_too() -> None:
    assert capture.text("hunter2") == '{"type":"str","length":7}'
