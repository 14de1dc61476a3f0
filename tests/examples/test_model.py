"""The model as the agent has it: replies in one piece and in chunks, and where it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples.programs import module

model = module("model")
local_server = module("local_server")
TOOLS = module("tools").TOOLS

QUESTION = [
    {"role": "system", "content": "[1] a.md#keys\nKeys are replaced by a marker."},
    {"role": "user", "content": "What replaces keys?"},
]
ANSWER = "Keys are replaced by a marker. [1]"


@pytest.fixture(autouse=True)
def _no_other_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)


def test_local_model_answers_in_one_piece_and_as_it_comes() -> None:
    with model.connect() as chosen:
        whole = chosen.ask(QUESTION)
        with chosen.stream(QUESTION) as streamed:
            words = list(streamed)
    assert chosen.name == local_server.MODEL
    assert whole.text == streamed.text == ANSWER
    assert words == ANSWER.split()
    assert whole.message == streamed.message == {"role": "assistant", "content": ANSWER}


def test_tools_that_are_asked_for_are_the_same_either_way() -> None:
    question = [{"role": "user", "content": "What do a.md and b.md say?"}]
    with model.connect() as chosen:
        whole = chosen.ask(question, tools=TOOLS)
        with chosen.stream(question, tools=TOOLS) as streamed:
            assert list(streamed) == []
    for reply in (whole, streamed):
        assert [(call.name, call.arguments) for call in reply.calls] == [
            ("read_document", '{"path": "a.md"}'),
            ("read_document", '{"path": "b.md"}'),
        ]
        assert reply.message["tool_calls"][1] == {
            "id": reply.calls[1].id,
            "type": "function",
            "function": {"name": "read_document", "arguments": '{"path": "b.md"}'},
        }


def test_model_that_the_environment_names_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with local_server.LocalServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with model.connect() as chosen:
            assert chosen.name == model.DEFAULT_MODEL
        monkeypatch.setenv("OPENAI_MODEL", local_server.MODEL)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-anything")
        with model.connect() as chosen:
            assert chosen.ask(QUESTION).text == ANSWER
        monkeypatch.setenv("OPENAI_MODEL", "gpt-9")
        with pytest.raises(model.ModelError, match="gpt-9"), model.connect() as chosen:
            chosen.ask(QUESTION)


def test_key_alone_sends_nothing_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-anything")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with model.connect() as chosen:
        assert chosen.ask(QUESTION).text == ANSWER


def _chunks(pieces: list[str | None]) -> list[Any]:
    deltas = [SimpleNamespace(content=piece, tool_calls=None) for piece in pieces]
    return [SimpleNamespace(choices=[SimpleNamespace(delta=delta)]) for delta in deltas]


@given(st.lists(st.none() | st.text(" \nabc", max_size=5)))
def test_words_come_out_whole_however_the_text_is_cut(pieces: list[str | None]) -> None:
    reply = model.StreamedReply([SimpleNamespace(choices=[]), *_chunks(pieces)])
    words = list(reply)
    assert reply.text == "".join(piece or "" for piece in pieces)
    assert words == reply.text.split()
    assert reply.calls == []
