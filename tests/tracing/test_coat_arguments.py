"""The ways to write `coat`, what each argument does, and what bad ones are answered."""

from __future__ import annotations

import enum
import functools
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from aotel import Op, coat
from aotel.semconv.operations import ALIASES, TAXONOMY
from tests.recording import recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recording import Recorded


def work(value: int = 1) -> int:
    return value


# Through Any: not all of these are forms that a type checker takes.
anyhow: Any = coat
FORMS: list[tuple[str, Callable[[], Any], str]] = [
    ("@coat", lambda: coat(work), "step"),
    ("@coat()", lambda: coat()(work), "step"),
    ("@coat(None)", lambda: coat(None)(work), "step"),
    ("@coat('tool')", lambda: coat("tool")(work), "tool"),
    ("@coat(Op.TOOL)", lambda: coat(Op.TOOL)(work), "tool"),
    ("@coat(op='tool')", lambda: coat(op="tool")(work), "tool"),
    ("@coat(type='tool')", lambda: coat(type="tool")(work), "tool"),
    ("@coat(type=Op.LLM)", lambda: coat(type=Op.LLM)(work), "llm"),
    ("@coat('tool', type='tool')", lambda: coat("tool", type=Op.TOOL)(work), "tool"),
    ("coat('tool', fn)", lambda: coat("tool", work), "tool"),
    ("coat(fn=fn)", lambda: anyhow(fn=work), "step"),
    ("coat(None, fn)", lambda: coat(None, work), "step"),
    ("coat(fn=fn, type='llm')", lambda: anyhow(fn=work, type="llm"), "llm"),
    ("@coat('my own')", lambda: coat("my own")(work), "my own"),
    ("@coat('TOOL_CALL')", lambda: coat("TOOL_CALL")(work), "tool"),
]


@pytest.mark.parametrize(("form", "make", "tag"), FORMS, ids=[form for form, _, _ in FORMS])
def test_form(form: str, make: Callable[[], Any], tag: str, recorded: Recorded) -> None:
    assert make()(5) == 5
    operation = recorded.operation
    assert operation.attributes["aot.operation"] == tag
    assert operation.start["payload"]["preview"] == {"args": ["5"], "kwargs": {}}
    assert operation.end["payload"]["result_preview"] == "5"


@pytest.mark.parametrize("tag", [*TAXONOMY, *ALIASES, *(tag.title() for tag in TAXONOMY)])
def test_every_tag_has_its_kinds_in_every_vocabulary(tag: str, recorded: Recorded) -> None:
    coat(tag, work)()
    expected = TAXONOMY[ALIASES.get(tag.lower(), tag.lower())]
    operation = recorded.operation
    assert (operation.start["kind"], operation.end["kind"]) == (expected.start_kind, expected.end_kind)
    assert operation.attributes.get("gen_ai.operation.name") == expected.genai
    assert operation.attributes["openinference.span.kind"] == expected.openinference


def test_aliases_are_the_same_members() -> None:
    members = Op.__members__
    assert members["THOUGHT"] is members["REASONING"]
    assert members["ACTION"] is members["TOOL"]
    assert members["REACT_OBS"] is members["OBSERVATION"]
    assert Op("LLM_CALL") is Op.LLM
    assert members["LLM"] == "llm"
    assert f"{Op.LLM}" == str(Op.LLM) == "llm"


def test_other_enums_of_strings_are_tags(recorded: Recorded) -> None:
    class Mine(str, enum.Enum):
        SEARCH = "retrieval"
        OTHER = "other"

    coat(Mine.SEARCH, work, name=Mine.OTHER)()
    coat(Mine.OTHER, work)()
    first, second = recorded.operations
    assert first.start["kind"] == "agent.memory.read"
    assert (type(first.span.name), first.span.name) == (str, "other")
    assert second.attributes["aot.operation"] == "other"


def test_name_and_attributes(recorded: Recorded) -> None:
    given: dict[str, Any] = {"team": "red", "labels": ["a", "b"], "retries": 3}
    coated = coat("tool", work, name="search the web", attributes=given)
    given["team"] = "changed afterwards"
    coated()
    operation = recorded.operation
    assert operation.span.name == "search the web"
    assert operation.start["payload"]["fn"] == "search the web"
    assert operation.attributes["team"] == "red"
    assert list(operation.attributes["labels"]) == ["a", "b"]
    assert operation.attributes["retries"] == 3


def test_attributes_of_a_dialect_describe_the_operation(recorded: Recorded) -> None:
    @coat("llm", attributes={"gen_ai.request.model": "model-1", "gen_ai.provider.name": "openai"})
    def chat(prompt: str) -> str:
        return "answer"

    chat("question")
    operation = recorded.operation
    assert operation.end["payload"]["llm"] == {"provider": "openai", "request_model": "model-1"}
    assert operation.attributes["llm.model_name"] == "model-1"


def test_span_is_internal_and_of_our_scope(recorded: Recorded) -> None:
    coat(work)()
    span = recorded.operation.span
    assert span.kind.name == "INTERNAL"
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "aotel"
    assert span.instrumentation_scope.version


@pytest.mark.parametrize("mode", ["none", "redacted", "hash", "summary", "raw", "NONE", "Summary"])
def test_mode_of_one_function(mode: str, recorded: Recorded) -> None:
    coat("tool", work, capture=mode)(12345)  # type: ignore[call-overload]
    operation = recorded.operation
    assert operation.start["capture"] == {"mode": mode.lower(), "content": mode.lower()}
    assert operation.attributes["aot.capture.content"] == mode.lower()
    assert ("12345" in str(operation.start["payload"])) == (mode.lower() in {"redacted", "raw"})


def test_environment_wins_over_the_function_over_configure(monkeypatch: pytest.MonkeyPatch) -> None:
    own = coat("tool", work, capture="summary")
    plain = coat("tool", work)
    for environment, configured, expected in (
        (None, None, ["summary", "redacted"]),
        (None, "hash", ["summary", "hash"]),
        ("none", "hash", ["none", "none"]),
        ("redacted", "none", ["redacted", "redacted"]),
    ):
        if environment:
            monkeypatch.setenv("AOTEL_CAPTURE", environment)
        with recording(capture=configured) as recorded:
            own()
            plain()
            assert [operation.start["capture"]["content"] for operation in recorded.operations] == expected


def test_decorators_stack(recorded: Recorded) -> None:
    coated = coat("agent", name="outer")(coat("tool", name="inner")(work))
    assert coated(3) == 3
    inner, outer = recorded.operations
    assert inner.span.parent == outer.context


def test_tracer_provider_of_ones_own() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    with recording(tracer_provider=provider) as recorded:
        assert coat("tool", work)(3) == 3
        assert recorded.operation.span.resource == provider.resource
    provider.shutdown()


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "text"),
    [
        ((7,), {}, TypeError, "op is an Op, a string or None, got int: 7"),
        ((b"tool",), {}, TypeError, "op is an Op, a string or None, got bytes"),
        ((), {"type": 7}, TypeError, "is an Op, a string or None, got int: 7"),
        (("tool",), {"type": "llm"}, TypeError, "op and type are the same argument, got op='tool' and type='llm'"),
        (("tool",), {"name": 7}, TypeError, "name is a string or None, got int: 7"),
        (("tool",), {"name": ""}, ValueError, "name must not be an empty string"),
        (
            ("tool",),
            {"capture": "some"},
            ValueError,
            "capture is one of none, redacted, hash, summary, raw, got 'some'",
        ),
        (("tool",), {"capture": 7}, TypeError, "capture is one of none, redacted, hash, summary, raw or None, got int"),
        (("tool",), {"auto_capture": 7}, TypeError, "auto_capture is True, False or None, got int: 7"),
        (("tool",), {"auto_capture": "maybe"}, TypeError, "auto_capture is True, False or None, got str: 'maybe'"),
        (("tool",), {"attributes": "text"}, TypeError, "attributes is a mapping .* got str: 'text'"),
        (("tool",), {"attributes": {7: 1}}, TypeError, "attributes has names that are strings, got 7"),
        (("tool", 7), {}, TypeError, "is something callable, got int: 7"),
        (("tool", "text"), {}, TypeError, "is something callable, got str: 'text'"),
    ],
)
def test_bad_arguments_are_named_at_decoration(
    arguments: tuple[Any, ...], keywords: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        coat(*arguments, **keywords)


def test_unknown_keyword_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'captures'"):
        coat("tool", captures="none")  # type: ignore[call-overload]


def test_callable_that_is_a_string_is_a_tag(recorded: Recorded) -> None:
    class Tag(str):
        __slots__ = ()

        def __call__(self) -> None:
            raise AssertionError

    anyhow(Tag("tool"))(work)()
    assert recorded.operation.start["kind"] == "agent.tool.call"


def test_arguments_with_defaults_positional_only_and_extra_ones(recorded: Recorded) -> None:
    @coat("tool")
    def many(first: int, /, second: int = 2, *rest: int, third: int, **more: int) -> int:
        return first

    assert many(1, 2, 3, 4, third=5, fourth=6) == 1
    many(1, third=3)
    first, second = recorded.operations
    assert first.start["payload"]["preview"] == {"args": ["1", "2", "3", "4"], "kwargs": {"third": "5", "fourth": "6"}}
    assert second.start["payload"]["preview"] == {"args": ["1"], "kwargs": {"third": "3"}}
    named = json.loads(first.attributes["input.value"])
    assert named == {"first": 1, "second": 2, "args": [3, 4], "third": 5, "fourth": 6}


def test_partial_shows_what_was_passed_in_the_call(recorded: Recorded) -> None:
    def three(first: int, second: int, third: int) -> int:
        return first + second + third

    assert coat("tool", functools.partial(three, 1, third=3))(2) == 6
    assert recorded.operation.start["payload"]["preview"] == {"args": ["2"], "kwargs": {}}
    assert recorded.operation.attributes["input.value"] == '{"second":2}'
