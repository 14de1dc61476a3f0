"""What becomes of a tool that the model asks for, also of one that nobody offered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.examples.programs import module

if TYPE_CHECKING:
    from pathlib import Path

    from aotel.testing import RecordedSpans

tools = module("tools")
model = module("model")
library = module("library")


@pytest.fixture
def called(tmp_path: Path) -> Any:
    (tmp_path / "README.md").write_text("# Keys\n\nKeys are replaced.\n\n# Weather\n\nIt is fine.\n")
    (tmp_path / "secret.txt").write_text("hunter2")
    box = tools.Tools(library.Library(tmp_path))

    def call(name: str, arguments: object) -> Any:
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return box.call(model.ToolCall("call_1", name, written))

    return call


def test_search_lists_addresses(called: Any) -> None:
    assert called("search", {"query": "the keys"}) == "- README.md#keys: Keys are replaced."
    assert called("search", {"query": "zyzzyva"}) == "nothing was found"


def test_sections_and_documents_are_read(called: Any) -> None:
    keys, weather = ("README.md#keys", "Keys are replaced."), ("README.md#weather", "It is fine.")
    assert called("read_section", {"address": "README.md#keys"}) == [keys]
    assert called("read_document", {"path": "README.md"}) == [keys, weather]


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("read_document", {"path": "docs/faq.md"}, "FileNotFoundError: there is no docs/faq.md"),
        ("read_document", {"path": "../x.md"}, "PermissionError: ../x.md is none of the documents"),
        ("read_document", {"path": "secret.txt"}, "PermissionError: secret.txt is none of the documents"),
        ("read_document", {"path": "\0"}, "ValueError"),
        ("read_document", {"path": 5}, "TypeError"),
        ("read_section", {"address": "README.md#rain"}, "LookupError: there is no README.md#rain"),
        ("search", {"words": "keys"}, "TypeError"),
        ("search", ["keys"], "TypeError"),
        ("search", "{", "JSONDecodeError"),
        ("send_mail", {}, "KeyError: 'send_mail'"),
    ],
)
def test_model_is_told_what_went_wrong(
    called: Any, record_spans: RecordedSpans, name: str, arguments: object, told: str
) -> None:
    assert called(name, arguments).startswith(told)


def test_tools_are_described_by_json_schemas() -> None:
    names = set()
    for tool in tools.TOOLS:
        assert tool["type"] == "function"
        schema = tool["function"]["parameters"]
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["required"] == list(schema["properties"])
        names.add(tool["function"]["name"])
    assert names == {"search", "read_section", "read_document"}
