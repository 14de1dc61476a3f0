"""The five modes: what each writes of arguments, results, texts and the attributes of others."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from aotel.content import Capture, ContentPolicy, Mode, to_json
from aotel.settings import Settings
from tests.content.planted import JWT, KEYS, PEM

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

KEY = KEYS["openai-project"]
SETTINGS = Settings(hash_key=b"hash key", redaction_key=b"redaction key")
policy = ContentPolicy.build(SETTINGS)
MARKER = policy.redactor.marker.of("hunter2")


def capture_of(mode: str) -> Capture:
    return policy.for_call(mode)


redacted, hashed, summary, raw, none = map(capture_of, ["redacted", "hash", "summary", "raw", "none"])


def sha(tree: Any) -> str:
    text = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hmac.new(b"hash key", text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("mode", Mode)
def test_a_capture_knows_its_mode(mode: Mode) -> None:
    assert capture_of(mode).mode is mode
    assert capture_of(mode).writes is (mode is not Mode.NONE)
    assert mode == mode.value


def test_none_writes_nothing() -> None:
    assert none.value({"a": 1}) is None
    assert none.text("text") == ""
    assert none.variables({"a": 1}) == {}
    arguments = none.arguments(("a",), (1,), {"b": 2})
    assert (arguments.positional, arguments.keywords, arguments.named()) == ([], {}, {})


def test_redacted_writes_all_but_secrets() -> None:
    value = {
        "path": "notes.md",
        "count": 3,
        "ok": True,
        "nothing": None,
        "password": "hunter2",
        "headers": [("Authorization", "Bearer hunter2"), ("Accept", "*/*")],
        "nested": [{"api-key": "hunter2"}, f"use {KEY}"],
    }
    assert redacted.value(value) == {
        **value,
        "password": MARKER,
        "headers": [["Authorization", f"Bearer {MARKER}"], ["Accept", "*/*"]],
        "nested": [{"api-key": MARKER}, f"use {policy.redactor.marker.of(KEY)}"],
    }


def test_the_snapshot_is_detached_from_the_value() -> None:
    value = {"a": [1, {"b": 2}]}
    written = redacted.value(value)
    value["a"].append(3)
    assert written == {"a": [1, {"b": 2}]}


def test_a_value_may_be_secret_by_its_own_name() -> None:
    assert redacted.value("hunter2", "password") == MARKER
    assert redacted.value("hunter2", "path") == "hunter2"
    assert redacted.value(5, "password") == 5
    assert redacted.value(None, "password") is None
    assert redacted.value(b"hunter2", "password") == MARKER
    assert redacted.value(bytearray(b"hunter2"), "password") == MARKER


@pytest.mark.parametrize(
    "value",
    [{"user": "a", "pass": "b"}, ["a", "b"], [{"x": ["a"]}], {"user": "a", 1: 2}],
    ids=["dict", "list", "nested", "numbers too"],
)
def test_a_container_with_a_secret_name_goes_as_a_whole(value: object) -> None:
    written = redacted.value({"credentials": value, "a": 1})
    assert isinstance(written, dict)
    assert str(written["credentials"]).startswith("<redacted:")
    assert redacted.value(value, "credentials") == written["credentials"]


def test_numbers_with_a_secret_name_stay() -> None:
    value = {"token": 3, "key": [1, 2.5, None, True], "auth": {"a": {"b": 1}}, "secret": {}}
    assert redacted.value(value) == value


@pytest.mark.parametrize("secret", [*KEYS.values(), PEM, f"password={KEY}", "postgres://u:hunter2@db", f"Bearer {JWT}"])
def test_secrets_in_keys_are_replaced_too(secret: str) -> None:
    written = redacted.value({secret: 1, "outer": {f"x {secret}": {"b": 2}}})
    text = to_json(written)
    assert json.dumps(secret)[1:-1] not in text
    assert KEY not in text
    assert "hunter2" not in text
    assert "<redacted:" in text


def test_names_and_values_of_headers_are_known_in_every_shape() -> None:
    shapes = [
        {"Authorization": "hunter2"},
        {"authorization": ["hunter2"]},
        [("authorization", "hunter2")],
        [["x-api-key", "hunter2"]],
        [(b"authorization", b"hunter2")],
        {"name": "X-Envpod-Access-Id", "value": "hunter2"},
        {"key": "x-api-key", "value": "hunter2"},
        {"header": "cookie", "value": ["hunter2"]},
        ("cookie", "hunter2"),
        ["curl", "--token", "hunter2", "--password=hunter2", "--verbose"],
        {"Cookie": {"session": "hunter2"}},
    ]
    for shape in shapes:
        written = to_json(redacted.value(shape))
        assert "hunter2" not in written, shape
        assert "<redacted:" in written, shape


def test_lists_of_names_are_no_pairs() -> None:
    value = {"required": ["token", "text"], "columns": ["key", "value"], "set": {"a"}}
    assert redacted.value(value) == {**value, "set": ["a"]}
    assert redacted.value({"password", "admin"}) == ["admin", "password"]


def test_the_schema_of_a_secret_is_none() -> None:
    schema = {"properties": {"token": {"type": "string", "description": "what to find", "minLength": 1}}}
    assert redacted.value(schema) == schema
    leaking = {"properties": {"token": {"type": "string", "default": "hunter2"}}}
    assert "hunter2" not in to_json(redacted.value(leaking))
    assert "sk-" not in to_json(redacted.value({"token": {"type": "string", "description": KEY}}))


def test_what_the_modes_write_is_no_secret_any_more() -> None:
    for capture in (redacted, hashed, summary):
        written = capture.arguments(("password", "n"), ("hunter2", 1), {"token": "hunter2"}).named()
        assert redacted.value(written) == written
        attribute = to_json(written)
        assert redacted.attributes({"aot.data": attribute, "note": attribute}) is None


def test_media_become_type_size_and_hash() -> None:
    png = "iVBORw0KGgo" + "A" * 401
    for value in (
        png,
        f"data:image/png;base64,{png}",
        {"type": "base64", "media_type": "image/png", "data": png},
        {"inline_data": {"mime_type": "audio/x-own", "data": "QUJD" * 100}},
    ):
        written = to_json(redacted.value(value))
        assert "sha256" in written
        assert "AAAAAAAA" not in written
        assert "QUJDQUJD" not in written
        assert "AAAAAAAA" in to_json(raw.value(value)) or "QUJDQUJD" in to_json(raw.value(value))
    assert redacted.value({"data": "x y z " * 100}) == {"data": "x y z " * 100}


def test_long_texts_are_cut_at_the_limit() -> None:
    small = ContentPolicy.build(Settings(content_limit=100)).default
    assert small.value("x" * 101) == "x" * 97 + "..."
    assert small.value("x" * 100) == "x" * 100
    assert small.value(["y" * 5000, "z"]) == ["y" * 97 + "...", "z"]
    assert small.text("x" * 200) == "x" * 97 + "..."
    assert ContentPolicy.build(Settings(content_limit=0)).default.value(["text", {"a": "b"}]) == ["", {"a": ""}]


@pytest.mark.parametrize("secret", [KEY, JWT, PEM, "password='" + "hunter2 " * 40 + "'", f"Bearer {JWT}"])
@pytest.mark.parametrize("offset", [-200, -60, -30, -10, -3, 0, 3])
@pytest.mark.parametrize("length", [2000, 100_000])
def test_a_secret_across_a_cut_is_found(secret: str, offset: int, length: int) -> None:
    small = ContentPolicy.build(Settings(content_limit=1000)).default
    text = "words " * 500
    text = text[: 1000 + offset] + " " + secret + " words" * (length // 6)
    for written in (small.value(text), small.text(text), small.value([text])):
        body = to_json(written)
        for start in range(0, len(secret) - 12, 4):
            assert json.dumps(secret[start : start + 12])[1:-1] not in body


def test_markers_cut_at_the_limit_are_no_secrets() -> None:
    for limit in range(20, 60):
        capture = ContentPolicy.build(Settings(content_limit=limit, redaction_key=b"k")).default
        written = capture.value(f"it says password={KEY} and more {'words ' * 20}")
        assert capture.value(written) == written


@pytest.mark.parametrize(
    ("names", "args", "kwargs", "positional", "keywords"),
    [
        (("user", "password"), ("me", "hunter2"), {}, ["me", MARKER], {}),
        (("user",), ("me",), {"password": "hunter2"}, ["me"], {"password": MARKER}),
        (("user",), ("me", 1, 2), {}, ["me", 1, 2], {}),
        ((), ("authorization", "hunter2"), {}, ["authorization", MARKER], {}),
        (("name", "value"), ("authorization", "hunter2"), {}, ["authorization", MARKER], {}),
        (("name", "value"), ("size", "hunter2"), {}, ["size", "hunter2"], {}),
        ((), (), {"name": "api_key", "value": "hunter2"}, [], {"name": "api_key", "value": MARKER}),
        (("a", "b", "c"), (1,), {}, [1], {}),
        ((), (), {}, [], {}),
    ],
)
def test_arguments_are_redacted_by_the_names_of_their_parameters(
    names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any], positional: object, keywords: object
) -> None:
    arguments = redacted.arguments(names, args, kwargs)
    assert arguments.positional == positional
    assert arguments.keywords == keywords


def test_arguments_have_names() -> None:
    assert redacted.arguments(("a", "b"), (1, 2, 3, 4), {"c": 5}).named() == {"a": 1, "b": 2, "c": 5, "args": [3, 4]}
    assert redacted.arguments((), (1,), {"args": 5}).named() == {"args": 5, "*args": [1]}
    assert redacted.arguments(("a",), (1,), {}).named() == {"a": 1}


def test_hash_writes_a_keyed_hash_of_canonical_json_after_redaction() -> None:
    assert hashed.value({"b": 1, "a": "ü"}) == sha({"a": "ü", "b": 1})
    assert hashed.text("text") == sha("text")
    assert hashed.value({"password": "hunter2"}) == sha({"password": MARKER})
    assert hashed.value("hunter2", "password") == sha(MARKER)
    arguments = hashed.arguments(("user", "password"), ("me", "hunter2", 3), {"x": [1]})
    assert arguments.positional == [sha("me"), sha(MARKER), sha(3)]
    assert arguments.keywords == {"x": sha([1])}
    assert hashed.variables({"x": 1}) == {"x": sha(1)}


def test_hashes_agree_where_the_key_does() -> None:
    value = {"password": "hunter2", "set": {"a", "b", "c"}, "object": object()}
    first = ContentPolicy.build(Settings(hash_key=b"k")).for_call("hash")
    second = ContentPolicy.build(Settings(hash_key=b"k")).for_call("hash")
    other = ContentPolicy.build(Settings(hash_key=b"l")).for_call("hash")
    assert first.value(value) == second.value({**value, "object": object()})
    assert first.value(value) != other.value(value)
    default = ContentPolicy.build(Settings()).for_call("hash")
    assert default.value(value) == ContentPolicy.build(Settings()).for_call("hash").value(value)
    assert default.value(value) != first.value(value)


def test_the_key_of_markers_in_a_hash_is_not_the_key_of_markers_that_are_written() -> None:
    one = ContentPolicy.build(Settings(hash_key=b"k"))
    assert one.redactor.marker.of("x") == ContentPolicy.build(Settings()).redactor.marker.of("x")


def test_summary_keeps_the_names_of_parameters_only() -> None:
    arguments = summary.arguments(("user",), ("me", 1), {"user": "x", "free": "y"})
    assert arguments.positional == [{"type": "str", "length": 2}, {"type": "int"}]
    assert arguments.keywords == {"user": {"type": "str", "length": 1}, "keyword 1": {"type": "str", "length": 1}}
    assert summary.variables({"x": [1, 2]}) == {"x": {"type": "list", "length": 2, "items": ["int"], "range": [1, 2]}}


def test_raw_writes_everything_as_it_is() -> None:
    value = {"password": "hunter2", "key": KEY, "headers": [("authorization", "hunter2")]}
    assert raw.value(value) == {**value, "headers": [["authorization", "hunter2"]]}
    assert raw.text(f"password={KEY}") == f"password={KEY}"
    assert raw.value("hunter2", "password") == "hunter2"
    assert raw.arguments(("password",), ("hunter2",), {"token": "x"}).named() == {"password": "hunter2", "token": "x"}
    assert raw.value({"a\ud800": "b\ud800"}) == {"a\ufffd": "b\ufffd"}
    assert raw.value(b"abc")["base64"] == "YWJj"  # type: ignore[index, call-overload]


FOREIGN: dict[str, AttributeValue] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 5,
    "gen_ai.input.messages": '[{"role":"user","content":"hunter2 is it"}]',
    "llm.input_messages.0.message.content": "hunter2 is it",
    "input.value": "hunter2 is it",
    "exception.message": f"bad {KEY}",
    "exception.stacktrace": f"Traceback: bad {KEY}",
    "exception.type": "ValueError",
    "http.request.header.authorization": ("Bearer hunter2",),
    "note": f"use {KEY}",
    "embedding.embeddings": (1.0, 2.0),
}


def test_none_removes_what_holds_content_from_the_spans_of_others_and_secrets_from_the_rest() -> None:
    assert none.attributes(FOREIGN) == {
        "gen_ai.input.messages": None,
        "llm.input_messages.0.message.content": None,
        "input.value": None,
        "exception.message": None,
        "exception.stacktrace": None,
        "embedding.embeddings": None,
        "http.request.header.authorization": (f"Bearer {MARKER}",),
        "note": f"use {policy.redactor.marker.of(KEY)}",
    }


def test_redacted_takes_secrets_from_the_spans_of_others() -> None:
    marker = policy.redactor.marker.of(KEY)
    assert redacted.attributes(FOREIGN) == {
        "exception.message": f"bad {marker}",
        "exception.stacktrace": f"Traceback: bad {marker}",
        "http.request.header.authorization": (f"Bearer {MARKER}",),
        "note": f"use {marker}",
    }


def test_hash_replaces_what_holds_content_in_the_spans_of_others() -> None:
    written = hashed.attributes(FOREIGN)
    assert written is not None
    assert written["gen_ai.input.messages"] == sha([{"role": "user", "content": "hunter2 is it"}])
    assert written["input.value"] == sha("hunter2 is it")
    assert written["embedding.embeddings"] == sha([1.0, 2.0])
    assert written["exception.message"] == sha(f"bad {policy.redactor.marker.of(KEY)}")
    assert written["note"] == f"use {policy.redactor.marker.of(KEY)}"
    assert "gen_ai.operation.name" not in written
    again = hashed.attributes({"input.value": written["input.value"]})
    assert again == {"input.value": written["input.value"]}


def test_summary_replaces_what_holds_content_in_the_spans_of_others() -> None:
    written = summary.attributes(FOREIGN)
    assert written is not None
    assert written["gen_ai.input.messages"] == '{"type":"list","length":1,"items":["dict"]}'
    assert written["input.value"] == '{"type":"str","length":13}'
    assert "hunter2" not in str(written)


def test_raw_leaves_the_spans_of_others_alone() -> None:
    assert raw.attributes(FOREIGN) is None


@pytest.mark.parametrize("mode", Mode)
def test_attributes_without_content_or_secrets_stay_under_every_mode(mode: Mode) -> None:
    assert capture_of(mode).attributes({"gen_ai.operation.name": "chat", "url.path": "/x", "n": 1}) is None
    assert capture_of(mode).attributes({}) is None


@pytest.mark.parametrize("mode", Mode)
def test_secret_names_are_secret_under_every_mode(mode: Mode) -> None:
    assert capture_of(mode).is_secret_name("api_key")
    assert not capture_of(mode).is_secret_name("path")
