from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.dialects import missing, read, write
from aotel.dialects.limits import SPAN_BUDGET, cut, cut_all, fit
from aotel.operation import Message, Operation, TextPart, ToolCall, ToolDefinition, ToolResult, Usage
from tests.dialects.samples import GENAI_CHAT
from tests.dialects.strategies import genai_operations, hostile_attributes, said, trees

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

BOTH = ("genai", "openinference")
JSON_NAMES = ("gen_ai.input.messages", "gen_ai.output.messages", "llm.invocation_parameters", "gen_ai.tool.definitions")


def test_a_text_is_cut_where_the_limit_is() -> None:
    assert cut("hello world", 5) == "hello"
    assert cut("hello", 5) == "hello"
    assert cut("{not json, but long}", 6) == "{not j"


def test_json_loses_the_ends_of_its_leaves_and_keeps_its_structure() -> None:
    text = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "x" * 500}]}])
    fitting = cut(text, 200)
    assert fitting is not None
    assert len(fitting) <= 200
    (message,) = json.loads(fitting)
    assert message["role"] == "user"
    assert set(message["parts"][0]["content"]) == {"x"}


def test_a_conversation_too_long_for_its_structure_keeps_the_newest_messages() -> None:
    text = json.dumps([{"n": n} for n in range(1000)])
    fitting = cut(text, 100)
    assert fitting is not None
    kept = json.loads(fitting)
    assert kept
    assert kept[-1] == {"n": 999}


def test_an_object_too_long_keeps_its_first_keys() -> None:
    fitting = cut(json.dumps({f"key{n}": n for n in range(100)}), 60)
    assert fitting is not None
    assert json.loads(fitting)["key0"] == 0


@pytest.mark.parametrize(("text", "fitting"), [("[1,2,3]", "[]"), ('{"a":1}', "{}"), ('"hello"', '""')])
def test_the_least_json_is_empty(text: str, fitting: str) -> None:
    assert cut(text, 2) == fitting
    assert cut(text, 1) is None


@settings(max_examples=150)
@given(tree=trees | st.lists(trees, max_size=8), limit=st.integers(0, 40))
def test_json_stays_json_at_every_limit(tree: Any, limit: int) -> None:
    text = json.dumps(tree, ensure_ascii=False)
    fitting = cut(text, limit)
    if fitting is not None:
        assert len(fitting) <= limit
        if text[:1] in ("{", "[", '"'):
            assert isinstance(json.loads(fitting), type(tree))


@settings(max_examples=100)
@given(text=said, limit=st.integers(0, 20))
def test_no_text_is_longer_than_the_limit(text: str, limit: int) -> None:
    fitting = cut(text, limit)
    assert fitting is None or len(fitting) <= limit


@settings(max_examples=40)
@given(operation=genai_operations, limit=st.integers(0, 200))
def test_no_attribute_is_longer_than_the_limit_and_json_is_json(operation: Operation, limit: int) -> None:
    attributes = write(operation, ("genai", "openinference"), limit=limit)
    for name, value in attributes.items():
        for text in value if isinstance(value, (list, tuple)) else (value,):
            assert not isinstance(text, str) or len(text) <= limit
        if name in JSON_NAMES:
            json.loads(str(value))


def test_without_a_limit_nothing_is_cut() -> None:
    operation = Operation(op="llm", input_messages=(Message("user", (TextPart("x" * 100_000),)),))
    assert len(str(write(operation, ("openinference",))["input.value"])) == 100_000


def test_what_is_added_to_a_span_keeps_to_the_limit_too() -> None:
    operation = read(GENAI_CHAT)
    assert operation is not None
    added = missing(GENAI_CHAT, operation, ("openinference",), limit=5)
    assert added["llm.model_name"] == "gpt-4"
    assert "llm.tools.0.tool.json_schema" in added
    assert json.loads(str(added["llm.tools.0.tool.json_schema"])) == {}


def test_lists_of_texts_are_cut_one_by_one_and_numbers_left_alone() -> None:
    attributes = cut_all({"tags": ("long text", "s"), "n": 123456789, "flag": True, "scores": [1.5, 2.5]}, 4)
    assert attributes == {"tags": ["long", "s"], "n": 123456789, "flag": True, "scores": [1.5, 2.5]}


@pytest.mark.parametrize("depth", [60, 400, 900, 5000])
def test_json_however_deep_is_cut(depth: int) -> None:
    fitting = cut("[" * depth + json.dumps("x" * 10_000) + "]" * depth, 6_000)
    assert fitting is not None
    assert len(fitting) <= 6_000


def test_a_table_inside_an_object_keeps_rows() -> None:
    fitting = cut(json.dumps({"rows": [{"id": n, "score": n / 7} for n in range(1000)], "next": 5}), 1_000)
    assert fitting is not None
    table = json.loads(fitting)
    assert table["next"] == 5
    assert table["rows"][-1] == {"id": 999, "score": 999 / 7}
    assert len(table["rows"]) >= 16


def size(attributes: dict[str, AttributeValue]) -> int:
    texts = [*attributes, *(value for value in attributes.values() if isinstance(value, str))]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def conversation(*contents: str) -> tuple[Message, ...]:
    return tuple([Message(("user", "assistant")[n % 2], (TextPart(one),)) for n, one in enumerate(contents)])


def model_call(**what: Any) -> Operation:
    return Operation(
        op="llm",
        provider="openai",
        request_model="gpt-4",
        response_model="gpt-4-0613",
        usage=Usage(100_000, 5),
        session_id="0123456789abcdef" * 4,
        **what,
    )


def fitted(operation: Operation, dialects: tuple[str, ...] = BOTH) -> dict[str, Any]:
    """What is said of an operation whose span would be too large, after what must be true of any."""
    attributes = write(operation, dialects)
    before = dict(attributes)
    assert size(before) > SPAN_BUDGET
    fit(attributes)
    assert size(attributes) <= SPAN_BUDGET
    for name, value in before.items():
        if not isinstance(value, str) or len(value) <= 256:
            assert attributes.get(name, value) == value
    for name in attributes.keys() & set(JSON_NAMES):
        json.loads(str(attributes[name]))
    if "openinference" in dialects:
        assert attributes["openinference.span.kind"] == before["openinference.span.kind"]
    if operation.op == "llm":
        assert attributes["gen_ai.usage.input_tokens"] == attributes["llm.token_count.prompt"] == 100_000
        assert attributes["gen_ai.request.model"] == "gpt-4"
        assert attributes["llm.model_name"] == attributes["gen_ai.response.model"] == "gpt-4-0613"
        assert attributes["session.id"] == operation.session_id
    return attributes


@pytest.mark.parametrize("letter", ["x", "\u00fc", "\u6f22", "\U0001f642", "\n", '"'])
def test_a_long_conversation_is_kept_whole_with_shorter_messages(letter: str) -> None:
    contents = [f"{n} " + letter * 32_000 for n in range(200)]
    attributes = fitted(model_call(input_messages=conversation(*contents)))
    flat = [attributes[f"llm.input_messages.{n}.message.content"] for n in range(200)]
    messages = json.loads(attributes["gen_ai.input.messages"])
    assert [message["parts"][0]["content"] for message in messages] == flat
    assert all(whole.startswith(one) for whole, one in zip(contents, flat, strict=True))
    assert len({len(one) for one in flat}) == 1
    assert size(attributes) > SPAN_BUDGET // 2
    assert attributes["input.value"] == contents[198][: len(flat[0])]


def test_short_messages_stay_as_they_are_beside_long_ones() -> None:
    contents = ["x" * 5_000_000, "short", "y" * 300_000, "What now?"]
    attributes = fitted(model_call(input_messages=conversation(*contents), output_messages=conversation("z" * 2_000)))
    flat = [attributes[f"llm.input_messages.{n}.message.content"] for n in range(4)]
    assert [flat[1], flat[3]] == ["short", "What now?"]
    assert len(flat[0]) >= len(flat[2]) > 100_000
    assert attributes["output.value"] == "z" * 2_000


@pytest.mark.parametrize(
    "value",
    [
        "x" * 5_000_000,
        json.dumps("x" * 5_000_000),
        json.dumps({"rows": [{"id": n, "name": f"name {n}", "score": n / 7} for n in range(80_000)]}),
        json.dumps([n / 7 for n in range(250_000)]),
        json.dumps({f"key {n}": n for n in range(250_000)}),
        json.dumps({"x" * 5_000_000: 1}),
        "[" * 5_000_000,
    ],
    ids=["text", "JSON text", "table", "numbers", "keys", "one key", "broken"],
)
def test_a_value_of_megabytes_is_cut(value: str) -> None:
    started = perf_counter()
    operation = Operation(op="tool", name="read_file", input_value='{"path":"a"}', output_value=value)
    attributes = fitted(operation)
    assert attributes["input.value"] == '{"path":"a"}'
    if value.startswith(("{", '"')):
        assert type(json.loads(attributes["output.value"])) is type(json.loads(value))
    assert perf_counter() - started < 10


def test_large_tools_do_not_push_out_the_conversation() -> None:
    properties = {f"p{n}": {"type": "string", "description": "about " * 5} for n in range(1_300)}
    schemas = [
        json.dumps({"type": "object", "description": "d" * 100_000}),
        json.dumps({"type": "object", "properties": properties}),
    ]
    tools = tuple([ToolDefinition(f"tool {n}", parameters=schemas[n % 2]) for n in range(20)])
    operation = model_call(input_messages=conversation("Do it.", "Yes.", "Now!"), tool_definitions=tools)
    attributes = fitted(operation)
    definitions = json.loads(attributes["gen_ai.tool.definitions"])
    assert [definition["name"] for definition in definitions] == [tool.name for tool in tools]
    assert [json.loads(attributes[f"llm.tools.{n}.tool.json_schema"])["type"] for n in range(20)] == ["function"] * 20
    assert definitions[1]["parameters"]["properties"]["p0"] == properties["p0"]
    assert attributes["llm.input_messages.2.message.content"] == attributes["input.value"] == "Now!"


def test_tools_results_of_many_small_pieces_do_not_push_out_messages() -> None:
    rows = json.dumps([{"id": n, "url": f"https://example.com/{n}", "score": n / 7} for n in range(150)])
    messages = [Message("user", (TextPart("Do it."),))]
    for n in range(100):
        messages.append(Message("assistant", (ToolCall("find", f"call-{n}", '{"q":"x"}'),)))
        messages.append(Message("tool", (ToolResult(f"call-{n}", rows),)))
    attributes = fitted(model_call(input_messages=tuple(messages)))
    said = json.loads(attributes["gen_ai.input.messages"])
    assert len(said) == 201
    assert said[-1]["parts"][0]["response"][-1]["id"] == 149
    assert json.loads(attributes["llm.input_messages.200.message.content"])[-1]["id"] == 149


def test_too_many_messages_lose_the_oldest_in_every_vocabulary() -> None:
    def exchange(n: int) -> list[Message]:
        calls = tuple([ToolCall("f", f"{n}.{which}", "{}") for which in range(2)])
        results = tuple([ToolResult(f"{n}.{which}", f"{n}.{which} " + "x" * 800) for which in range(2)])
        return [Message("assistant", calls), Message("user", (*results, TextPart(f"{n} " + "y" * 800)))]

    messages = tuple([message for n in range(250) for message in exchange(n)])
    operation = model_call(input_messages=messages * 2, system_instructions=(TextPart("rules"),))
    every = ("genai", "openinference", "openllmetry")
    attributes = write(operation, every)
    fit(attributes, 400_000)
    assert size(attributes) <= 400_000
    said = json.loads(str(attributes["gen_ai.input.messages"]))
    calls = [part["id"] for message in said for part in message["parts"] if part["type"] == "tool_call"]
    assert 0 < len(said) < 1_000
    assert calls[-1] == "249.1"
    indices = sorted({int(name.split(".")[2]) for name in attributes if name.startswith("llm.input_messages.")})
    assert indices == list(range(2 * len(said)))  # a user's message is three there: two results, and the text
    assert str(attributes[f"llm.input_messages.{indices[-1]}.message.content"]).startswith("249 ")
    called = [attributes[f"llm.input_messages.{n}.message.tool_calls.1.tool_call.id"] for n in indices[::4]]
    assert called == calls[1::2]
    assert f"gen_ai.prompt.{len(said) - 1}.role" in attributes
    assert f"gen_ai.prompt.{len(said)}.role" not in attributes
    assert attributes["gen_ai.system_instructions"]


def test_of_any_number_of_messages_the_newest_stays() -> None:
    messages = conversation(*(f"{n} " + "x" * 250 for n in range(20_000)))
    attributes = fitted(model_call(input_messages=messages))
    said = json.loads(attributes["gen_ai.input.messages"])
    assert said[-1]["parts"][0]["content"].startswith("19999 ")
    last = max(int(name.split(".")[2]) for name in attributes if name.startswith("llm.input_messages."))
    assert attributes[f"llm.input_messages.{last}.message.content"].startswith("19999 ")


def test_vectors_go_as_a_whole_and_lists_of_texts_item_by_item() -> None:
    vectors = {f"embedding.embeddings.{n}.embedding.vector": [0.5] * 1536 for n in range(200)}
    texts = {f"embedding.embeddings.{n}.embedding.text": f"text {n}" for n in range(200)}
    attributes: dict[str, AttributeValue] = {"openinference.span.kind": "EMBEDDING", **vectors, **texts}
    attributes["tag.tags"] = ["x" * 100] * 5_000
    fit(attributes)
    assert attributes.keys().isdisjoint(vectors)
    assert texts.items() <= attributes.items()
    assert attributes["openinference.span.kind"] == "EMBEDDING"
    tags = attributes["tag.tags"]
    assert isinstance(tags, list)
    assert tags[0] == "x" * 100


def test_what_fits_is_not_touched() -> None:
    contents = ["x" * 1_000, '{ "spaced" : [ 1 ] }' * 1_000, "\u6f22" * 100_000, "]"]
    attributes = write(model_call(input_messages=conversation(*contents)), BOTH)
    before = list(attributes.items())
    fit(attributes)
    assert list(attributes.items()) == before
    fit(attributes, size(attributes))
    assert list(attributes.items()) == before
    whole = size(attributes)
    fit(attributes, whole - 1)
    assert size(attributes) < whole


@settings(max_examples=200)
@given(operation=genai_operations, budget=st.integers(0, 3_000))
def test_any_budget_is_kept_but_for_what_says_what_a_span_is(operation: Operation, budget: int) -> None:
    attributes = write(operation, ("genai", "openinference", "openllmetry"))
    kind = attributes["openinference.span.kind"]
    fit(attributes, budget)
    assert attributes["openinference.span.kind"] == kind
    assert size(attributes) <= max(budget, 2_000)
    for name in attributes.keys() & set(JSON_NAMES):
        json.loads(str(attributes[name]))


@settings(max_examples=100)
@given(
    attributes=hostile_attributes, long=st.sampled_from(["x", '[{"a":"b"}', "9", "\ud800"]), budget=st.integers(0, 500)
)
def test_nothing_in_attributes_breaks_the_budget(attributes: dict[str, Any], long: str, budget: int) -> None:
    attributes = {**attributes, "output.value": long * 1_000, "gen_ai.input.messages": f"[{long * 1_000}]"}
    fit(attributes, budget)
    assert size(attributes) <= max(budget, 2_000)
