from __future__ import annotations

from aotel.dialects.flatten import grouped, has_family, items
from aotel.dialects.values import MAX_ITEMS

ATTRIBUTES = {
    "llm.tools.10.tool.name": "b",
    "llm.tools.2.tool.name": "a",
    "llm.tools.2.tool.description": "first",
    "llm.tools": "x",
    "llm.tools.": "x",
    "llm.tools.2": "x",
    "llm.tools.2.": "x",
    "llm.tools.two.tool.name": "x",
    "llm.tools.²3.tool.name": "x",
    "llm.tools.-1.tool.name": "x",
    "llm.toolsets.0.tool.name": "x",
    "x": 1,
    "": 1,
}
TOOLS = [{"tool.name": "a", "tool.description": "first"}, {"tool.name": "b"}]


def test_items_come_in_the_order_of_their_indices() -> None:
    assert items(ATTRIBUTES, "llm.tools") == TOOLS
    assert items(ATTRIBUTES, "llm.prompts") == []


def test_several_families_are_found_in_one_pass() -> None:
    attributes = {**ATTRIBUTES, "llm.prompts.0.prompt.text": "hi"}
    assert grouped(attributes, ("llm.tools", "llm.prompts", "llm.choices")) == {
        "llm.tools": TOOLS,
        "llm.prompts": [{"prompt.text": "hi"}],
    }


def test_only_so_many_items_are_taken() -> None:
    many = {f"llm.tools.{index}.tool.name": index for index in range(MAX_ITEMS + 5)}
    assert len(items(many, "llm.tools")) == MAX_ITEMS
    assert items(many, "llm.tools")[-1] == {"tool.name": MAX_ITEMS - 1}


def test_a_family_is_there_when_anything_stands_under_its_name() -> None:
    assert has_family(ATTRIBUTES, "llm.tools")
    assert not has_family(ATTRIBUTES, "llm.tool")
