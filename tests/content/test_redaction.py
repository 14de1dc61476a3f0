"""The redactor as a whole: texts, attributes, and what users add."""

from __future__ import annotations

import enum
import json
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content import Redactor
from aotel.content.marker import MARKER
from tests.content.planted import JWT, KEYS, PEM

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

KEY = KEYS["openai-project"]
redactor = Redactor(key=b"a key for tests")


def test_every_kind_of_secret_in_one_text_is_replaced() -> None:
    text = f'see {KEY}, postgres://u:hunter2@db, {{"password": "hunter2"}}, api_key=hunter2 and Bearer {JWT}\n{PEM}'
    written = redactor.text(text)
    assert "hunter2" not in written
    assert KEY not in written
    assert JWT not in written
    assert "MIIEow" not in written
    assert len(MARKER.findall(written)) == 6


def test_texts_can_be_encoded_afterwards() -> None:
    assert redactor.text("a\ud800b") == "a\ufffdb"
    assert redactor.text("\udfff" * 50) == "\ufffd" * 50
    assert redactor.text("ü☃😀") == "ü☃😀"


def test_patterns_that_the_user_adds_are_secrets() -> None:
    own = Redactor(patterns=[r"\bEMP-\d+\b", "x*"])
    assert own.text("EMP-17 is not TEMP-17") == f"{own.marker.of('EMP-17')} is not TEMP-17"
    assert own.text("EMP-1") == own.marker.of("EMP-1")


def test_patterns_that_the_user_adds_leave_markers_alone() -> None:
    own = Redactor(patterns=["[0-9a-f]{4,}", "redacted"])
    written = own.text(f"deadbeef {KEY} was redacted")
    assert own.text(written) == written
    assert len(MARKER.findall(written)) == 3


def test_names_that_the_user_adds_are_secret_in_texts_too() -> None:
    own = Redactor(names=["ssn", "kenn-wort"])
    assert own.text("ssn=123-45-6789") == f"ssn={own.marker.of('123-45-6789')}"
    assert "geheim" not in own.text("kennWort: geheim")
    assert own.is_secret_name("user_ssn")
    assert not own.is_secret_name("session")


def test_the_users_function_sees_texts_that_are_clean_already() -> None:
    seen: list[str] = []

    def redact(text: str) -> str:
        seen.append(text)
        return text.replace("Bob", "<name>")

    assert Redactor(redact=redact).text(f"Bob has {KEY}").startswith("<name> has <redacted:")
    assert KEY not in "".join(seen)


@pytest.mark.parametrize("result", [None, 3, b"bytes", ["Bob"], object()])
def test_where_the_users_function_returns_no_text_a_marker_stands_for_all_of_it(result: object) -> None:
    own = Redactor(redact=lambda text: result)  # type: ignore[arg-type, return-value]
    assert own.text("Bob") == own.marker.of("Bob")


def test_where_the_users_function_raises_a_marker_stands_for_all_of_it() -> None:
    def redact(text: str) -> str:
        raise RuntimeError(text)

    own = Redactor(redact=redact)
    assert own.text("Bob lives here") == own.marker.of("Bob lives here")


def test_the_users_function_is_asked_each_time() -> None:
    answers = iter(["first", "second"])
    own = Redactor(redact=lambda text: next(answers))
    text = "a text that is long enough to be remembered"
    assert [own.text(text), own.text(text)] == ["first", "second"]


def test_what_the_users_function_returns_can_be_encoded() -> None:
    class Text(str):
        __slots__ = ()

    own = Redactor(redact=lambda text: Text("\ud800"))
    assert own.text("Bob") == "\ufffd"
    assert type(own.text("Bob")) is str


def test_markers_agree_where_the_key_is_given_and_differ_elsewhere() -> None:
    assert Redactor(key=b"k").text(KEY) == Redactor(key=b"k").text(KEY)
    assert Redactor(key=b"k").text(KEY) != Redactor(key=b"l").text(KEY)
    assert Redactor().text(KEY) == Redactor().text(KEY)
    assert Redactor().text(KEY) != redactor.text(KEY)


def test_the_same_secret_has_the_same_marker_wherever_it_stands() -> None:
    marker = redactor.marker.of(KEY)
    assert redactor.text(f"here: {KEY}.") == f"here: {marker}."
    assert redactor.text(f'{{"api_key": "{KEY}"}}') == f'{{"api_key": "{marker}"}}'
    assert redactor.text(f"Authorization: Bearer {KEY}") == f"Authorization: Bearer {marker}"
    assert redactor.seal(f"Bearer {KEY}") == f"Bearer {marker}"
    assert redactor.seal(KEY) == marker


class Color(str, enum.Enum):
    SECRET = KEY


def test_attributes_that_need_no_change_are_not_listed() -> None:
    attributes: dict[str, AttributeValue] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 12,
        "llm.token_count.prompt": 12,
        "password": 5,
        "token": True,
        "auth": 1.5,
        "tags": ("a", "b"),
        "url.full": "https://example.org/?q=1",
        "blob": b"\x00\xff",
        "nothing": None,
        "password.policy": None,
        "nested": {"a": (1, "b", {"c": None}), "token": 3},
        "names": ("token", "text"),
    }
    assert redactor.attributes(attributes) is None
    assert redactor.attributes({}) is None


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("note", KEY, redactor.marker.of(KEY)),
        ("note", Color.SECRET, redactor.marker.of(KEY)),
        ("db.connection_string", "postgres://u:hunter2@db", f"postgres://u:{redactor.marker.of('hunter2')}@db"),
        ("api_key", "hunter2", redactor.marker.of("hunter2")),
        ("aot.attributes.api_key", "hunter2", redactor.marker.of("hunter2")),
        ("http.request.header.authorization", ("Bearer hunter2",), (f"Bearer {redactor.marker.of('hunter2')}",)),
        ("http.request.header.x-envpod-access-id", ["hunter2"], (redactor.marker.of("hunter2"),)),
        ("notes", ("ok", KEY), ("ok", redactor.marker.of(KEY))),
        ("numbers.and.none", (KEY, None), (redactor.marker.of(KEY), None)),
        ("blob", KEY.encode(), redactor.marker.of(KEY)),
        ("secret", b"hunter2", redactor.marker.of("hunter2")),
        ("input.value", '{"password":"hunter2"}', f'{{"password":"{redactor.marker.of("hunter2")}"}}'),
        ("llm.input_messages.0.message.content", f"use {KEY}", f"use {redactor.marker.of(KEY)}"),
        ("note", "a\ud800", "a\ufffd"),
        ("nested", {"a": ({"password": "hunter2"},)}, {"a": ({"password": redactor.marker.of("hunter2")},)}),
        ("headers", (("cookie", "hunter2"), ("a", "b")), (("cookie", redactor.marker.of("hunter2")), ("a", "b"))),
        ("cookies", {"session": ("hunter2", 1)}, {"session": (redactor.marker.of("hunter2"), 1)}),
        ("nested", {f"x {KEY}": 1}, {f"x {redactor.marker.of(KEY)}": 1}),
    ],
)
def test_attributes_are_cleaned_by_name_and_by_shape(name: str, value: object, found: object) -> None:
    changed = redactor.attributes({"other": "x", name: value})  # type: ignore[dict-item]
    assert changed == {name: found}
    assert redactor.attributes({name: found}) is None  # type: ignore[dict-item]


def test_an_attribute_that_cannot_be_read_does_not_leave() -> None:
    value: AttributeValue = "deep"
    for _ in range(20_000):
        value = (value,)
    changed = redactor.attributes({"deep": value, "note": KEY})
    assert changed == {"deep": "<unreadable>", "note": redactor.marker.of(KEY)}


def test_an_attribute_whose_name_is_a_secret_gets_another_name() -> None:
    assert redactor.attributes({f"x.{KEY}": "1"}) == {f"x.{KEY}": None, f"x.{redactor.marker.of(KEY)}": "1"}


def test_known_texts_are_remembered_within_bounds() -> None:
    own = Redactor()
    memory = own._clean
    assert memory is not None
    for index in range(3000):
        own.text(f"{index} " * 300)
    assert sum(map(len, memory._young)) + sum(map(len, memory._old)) <= 2_000_000
    assert memory.knows("2999 " * 300)
    assert not memory.knows("0 " * 300)


def test_texts_with_secrets_are_not_remembered() -> None:
    own = Redactor()
    text = f"a text with a secret: {KEY}"
    assert own.text(text) == own.text(text)
    assert own._clean is not None
    assert not own._clean.knows(text)


def test_threads_share_a_redactor() -> None:
    own = Redactor()
    results: set[str] = set()

    def work() -> None:
        for index in range(300):
            own.text(f"{'x' * (index * 10)} padding")
            results.add(own.text(f"a text of some length with {KEY} in it"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {f"a text of some length with {own.marker.of(KEY)} in it"}


_PIECES = st.sampled_from(
    [
        KEY,
        JWT,
        "password=hunter2",
        '"token": "x1y2z3"',
        "postgres://u:hunter2@db",
        "Bearer abc123",
        "prose",
        "\n",
        '{"a":',
    ]
)


@given(st.lists(_PIECES | st.text(max_size=5)).map(" ".join))
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    written = redactor.text(text)
    assert redactor.text(written) == written
    assert "hunter2" not in written
    assert KEY not in written
    written.encode()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON, st.booleans())
def test_json_stays_json_that_says_the_same(value: object, ascii_only: bool) -> None:
    planted = {"value": value, "password": KEY}
    written = json.loads(redactor.text(json.dumps(planted, ensure_ascii=ascii_only)))
    assert written["password"] == redactor.marker.of(KEY)
    assert written.keys() == planted.keys()


@given(_JSON)
def test_json_without_a_secret_name_is_not_rewritten(value: object) -> None:
    text = json.dumps({"first": value, "key_of": 1}, indent=1)
    written = redactor.text(text)
    assert written == text or "<redacted:" in written
