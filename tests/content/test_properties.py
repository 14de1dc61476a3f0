"""What holds for any value: nothing raises, JSON is valid, no secret survives, and a second time changes nothing."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import OrderedDict, deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content import ContentPolicy, Mode, preview, to_json
from aotel.settings import Settings
from tests.content.planted import KEYS
from tests.content.test_objects import AttrsLogin, Login, Model

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

policy = ContentPolicy.build(Settings(hash_key=b"h", redaction_key=b"r"))
captures = {mode.value: policy.for_call(mode.value) for mode in Mode}
redacted = captures["redacted"]
MODES = [mode.value for mode in Mode if mode not in {Mode.NONE, Mode.RAW}]


class Pair(NamedTuple):
    """A name and a value."""

    name: Any
    value: Any


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())  # with lone surrogates
    | st.binary(max_size=20)
    | st.decimals()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.complex_numbers()
    | st.builds(range, st.integers())
    | st.sampled_from(list(Mode))
)
KEYS_OF_DICTS = st.text(st.characters()) | st.integers() | st.none() | st.floats() | st.binary(max_size=5) | st.uuids()


def make_model(value: object) -> Model:
    """Return a model that holds anything, unchecked."""
    return Model.model_construct(None, user=value, password=value, extra=value)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3).map(deque)
        | st.dictionaries(KEYS_OF_DICTS, inner, max_size=4)
        | st.dictionaries(st.text(), inner, max_size=3).map(OrderedDict)
        | st.builds(Pair, inner, inner)
        | st.builds(Login, inner, inner)
        | st.builds(AttrsLogin, inner, inner)
        | st.builds(make_model, inner)
        | st.builds(ValueError, inner)
    )


VALUES = st.recursive(SCALARS, containers, max_leaves=12)
SECRETS = st.sampled_from(sorted(KEYS.values()))


def check_json(tree: Any) -> str:
    text = to_json(tree)
    text.encode()
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    preview(tree, 200).encode()
    return text


@given(VALUES, st.sampled_from(list(captures)))
def test_any_value_becomes_valid_json_under_every_mode(value: object, mode: str) -> None:
    capture = captures[mode]
    check_json(capture.value(value))
    check_json(capture.arguments(("a", "token"), (value, value, value), {"b": value}).named())


@given(VALUES)
def test_what_is_clean_stays_as_it_is(value: object) -> None:
    written = redacted.value(value)
    assert redacted.value(written) == written
    assert to_json(redacted.value(json.loads(to_json(written)))) == to_json(written)


def planted(secret: str, value: Any, place: random.Random) -> Any:
    """Return a value with a secret somewhere in it."""
    ways: list[Callable[[], Any]] = [
        lambda: {"a": value, "b": secret},
        lambda: {"a": value, secret: 1},
        lambda: {f"the key {secret} is": value},
        lambda: [value, secret],
        lambda: (value, f"it is {secret}"),
        lambda: {"b": f"Authorization: Bearer {secret}\nnext: {secret}"},
        lambda: json.dumps({"a": f"it is {secret}"}),
        lambda: repr([secret, {"x": secret}]),
        lambda: Login(f"{secret}", value),
        lambda: Model.model_construct(user=[secret], password=value),
        lambda: AttrsLogin(secret, value),
        lambda: ValueError(f"wrong key: {secret}", value),
        lambda: Pair(value, f"https://user:{secret}@example.org/"),
        lambda: {secret},
        lambda: deque([secret]),
        lambda: f"{'x ' * place.randrange(20_000)}{secret}{' x' * place.randrange(20_000)}",
        lambda: OrderedDict({1: {None: secret}}),
        lambda: {(secret, 1): value},
    ]
    return place.choice(ways)()


@given(SECRETS, VALUES, st.randoms(use_true_random=False), st.integers(1, 4), st.sampled_from(MODES))
def test_a_secret_with_a_shape_is_found_wherever_it_is(
    secret: str, value: object, place: random.Random, levels: int, mode: str
) -> None:
    for _ in range(levels):
        value = planted(secret, value, place)
    capture = captures[mode]
    arguments = capture.arguments(("a",), (value, value), {"b": value})
    for tree in (capture.value(value), arguments.positional, arguments.keywords, capture.variables({"x": value})):
        assert secret not in check_json(tree)
        assert secret not in preview(tree, 100_000)


UNSHAPED = "correct horse"
NAMES = st.sampled_from(["password", "api_key", "accessToken", "Authorization", "x-envpod-access-id", "client-secret"])


@given(NAMES, VALUES, st.randoms(use_true_random=False), st.sampled_from(MODES))
def test_a_secret_with_a_name_is_found_wherever_it_is(
    name: str, value: object, place: random.Random, mode: str
) -> None:
    ways: list[Callable[[], Any]] = [
        lambda: {name: UNSHAPED, "a": value},
        lambda: [(name, UNSHAPED), ("a", value)],
        lambda: [[name.upper().replace("CCESST", "ccessT"), UNSHAPED]],
        lambda: {"name": name, "value": UNSHAPED},
        lambda: Login(json.dumps({name: UNSHAPED}), UNSHAPED),
        lambda: AttrsLogin(repr({name: UNSHAPED}), UNSHAPED),
        lambda: {"headers": f"{name}: '{UNSHAPED}'"},
        lambda: {name: [{"deeper": UNSHAPED}, value]},
        lambda: {name: UNSHAPED.encode()},
        lambda: (name, UNSHAPED),
        lambda: json.dumps(json.dumps({"x": {name: UNSHAPED}})),
    ]
    hidden = place.choice(ways)()
    assert UNSHAPED not in check_json(captures[mode].value([hidden, {"x": hidden}]))
    assert UNSHAPED not in check_json(captures[mode].arguments((name,), (UNSHAPED,), {name: UNSHAPED}).named())


TOKEN = st.uuids().map(lambda value: f"tok{value.hex}")


@given(st.lists(TOKEN, min_size=12, max_size=12, unique=True))
def test_a_summary_has_no_value_and_no_key(tokens: list[str]) -> None:
    first, second, third, fourth, *more = tokens
    values = [
        first,
        first.encode(),
        [first, second],
        {first: second, third: [fourth]},
        {first: {second: third}},
        Login(first, second),
        AttrsLogin(first, second),
        Model.model_construct(user=first, password=second, extra=third),
        Pair(first, second),
        ValueError(first),
        {first, second},
        OrderedDict({first: second}),
        deque(more),
    ]
    summary = captures["summary"]
    arguments = summary.arguments((), tuple(values), {first: second})
    attributes = summary.attributes({"input.value": json.dumps({first: second}), "gen_ai.prompt.0.content": third})
    written = [
        *map(to_json, map(summary.value, values)),
        to_json(arguments.named()),
        to_json(arguments.keywords),
        summary.text(first),
        str(list((attributes or {}).values())),
    ]
    assert not [token for token in tokens if token in " ".join(written)]


@given(VALUES)
def test_equal_values_have_equal_hashes(value: object) -> None:
    again = ContentPolicy.build(Settings(hash_key=b"h", redaction_key=b"r")).for_call("hash")
    assert again.value(value) == captures["hash"].value(value)
    assert str(again.value(value)).startswith("sha256:")


@given(st.dictionaries(st.text(min_size=1), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_change_a_hash(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert captures["hash"].value(value) == captures["hash"].value(turned)


@given(VALUES, VALUES)
def test_the_value_is_left_as_it_was(first: object, second: object) -> None:
    value = {"a": [first, {"password": second}], "b": (second,)}
    before = repr(value)
    for capture in captures.values():
        capture.value(value)
    assert repr(value) == before


def test_values_of_many_kinds_are_written_in_full() -> None:
    value = {
        "when": dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc),
        "price": Decimal("1.5"),
        "id": uuid.UUID(int=5),
        "items": [1, "two", None, {"three": (3.0,)}],
    }
    assert check_json(redacted.value(value)) == (
        '{"when":"2024-01-02T00:00:00+00:00","price":"1.5","id":"00000000-0000-0000-0000-000000000005",'
        '"items":[1,"two",null,{"three":[3.0]}]}'
    )
