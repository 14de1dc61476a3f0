"""The demo with models other than its own: those that do as they like, that fail, and that are not there."""

from __future__ import annotations

import json
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from tests.envelope_schema import assert_paired, read_envelopes
from tests.examples.programs import RECORDED, ROOT, module, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

local_server = module("local_server")
extractive = module("extractive")
agent = module("agent")


def _run(directory: Path, reply: Callable[[Any, Any], Any], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the demo with a model behind `OPENAI_BASE_URL`."""
    with local_server.LocalServer(reply) as server:
        return _run_at(directory, server.url, check=check)


def _run_at(directory: Path, url: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    variables = {"OPENAI_BASE_URL": url, "OPENAI_MODEL": local_server.MODEL, "NO_PROXY": "127.0.0.1"}
    return run(directory, "-q", agent.QUESTIONS[0], check=check, **variables)


def _ends(directory: Path) -> list[dict[str, Any]]:
    envelopes = read_envelopes(directory / RECORDED)
    assert_paired(envelopes)
    return [envelope for envelope in envelopes if "ok" in envelope["payload"]]


def test_server_that_the_environment_names_is_asked(tmp_path: Path) -> None:
    asked = []

    def reply(messages: list[dict[str, Any]], tools: set[str]) -> Any:
        asked.append(messages)
        return extractive.reply(messages, tools)

    ran = _run(tmp_path, reply)
    assert ran.stderr == ""
    assert "(each sentence was found there)" in ran.stdout
    assert [len(messages) for messages in asked] == [2, 4, 8]
    assert [message["role"] for message in asked[-1]] == ["system", "user", *["assistant", "tool"] * 2, "tool", "tool"]


def test_answer_without_looking_anything_up(tmp_path: Path) -> None:
    ran = _run(tmp_path, lambda messages, tools: extractive.Said("I know that it is 42."))
    assert "\nA  I know that it is 42.\n   (no section is named)\n" in ran.stdout


@pytest.mark.parametrize("text", ["All of it [7].", "Bananas are yellow and grow on trees [1][2]."])
def test_sources_that_are_made_up_are_found_out(text: str, tmp_path: Path) -> None:
    reads = extractive.ToolCall("read_section", {"address": "docs/envelopes.md#nothing-lost-in-silence"})

    def reply(messages: list[dict[str, Any]], tools: set[str]) -> Any:
        return extractive.Said(text) if messages[-1]["role"] == "tool" else extractive.Said(calls=(reads,))

    ran = _run(tmp_path, reply)
    assert f"\nA  {text}\n" in ran.stdout
    assert "each sentence was found there" not in ran.stdout


def test_model_that_never_stops_looking_things_up_has_to_answer_in_the_end(tmp_path: Path) -> None:
    searches = extractive.ToolCall("search", {"query": "process"})

    def reply(messages: list[dict[str, Any]], tools: set[str]) -> Any:
        return extractive.Said(calls=(searches,)) if tools else extractive.Said("Enough.")

    assert "\nA  Enough.\n" in _run(tmp_path, reply).stdout
    kinds = [envelope["kind"] for envelope in _ends(tmp_path)]
    assert kinds.count("agent.llm.response") == agent.TURNS + 1


def test_model_that_does_not_stop_even_then_is_stopped(tmp_path: Path) -> None:
    searches = extractive.ToolCall("search", {"query": "process"})
    ran = _run(tmp_path, lambda messages, tools: extractive.Said(calls=(searches,)))
    assert "(no section is named)" in ran.stdout
    kinds = [envelope["kind"] for envelope in _ends(tmp_path)]
    assert kinds.count("agent.llm.response") == agent.TURNS + 1


def test_model_that_asks_for_what_is_not_there_is_told_so(tmp_path: Path) -> None:
    told: list[str] = []

    def reply(messages: list[dict[str, Any]], tools: set[str]) -> Any:
        if messages[-1]["role"] != "tool":
            names = ("send_mail", "search", "read_section")
            return extractive.Said(calls=tuple(extractive.ToolCall(name, {"to": "you"}) for name in names))
        told.extend(message["content"].partition(":")[0] for message in messages[-3:])
        return extractive.Said("No.")

    _run(tmp_path, reply)
    assert told == ["KeyError", "TypeError", "TypeError"]
    tags = [envelope["payload"].get("tag") for envelope in read_envelopes(tmp_path / RECORDED)]
    assert tags.count("passed over") == 3


def test_server_that_fails_is_told_of_and_what_happened_is_recorded(tmp_path: Path) -> None:
    def reply(messages: object, tools: object) -> None:
        raise RuntimeError("out of words")

    ran = _run(tmp_path, reply, check=False)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "The model did not answer: Error code: 500" in ran.stderr
    assert [envelope["payload"]["ok"] for envelope in _ends(tmp_path)] == [False] * 4
    assert _ends(tmp_path)[0]["kind"] == "coat.error"


def test_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ran = _run_at(tmp_path, f"http://127.0.0.1:{port}/v1", check=False)
    assert ran.returncode == 1
    assert ran.stderr == "The model did not answer: Connection error.\n"


def test_stream_that_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stream(handler: Any, chunks: Iterator[dict[str, Any]]) -> None:
        handler.close_connection = True
        handler._head(HTTPStatus.OK, "text/event-stream", ("Transfer-Encoding", "chunked"))
        handler._write(f"data: {json.dumps(next(chunks))}\n\n".encode())

    monkeypatch.setattr(local_server._Handler, "_stream", stream)
    ran = _run(tmp_path, extractive.reply, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("The model did not answer: ")
    assert "Traceback" not in ran.stderr
    assert [end["payload"]["ok"] for end in _ends(tmp_path)][-4:] == [True, False, False, False]


def test_package_that_is_missing_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['openai'] = None\n")
    ran = run(tmp_path, check=False, PYTHONPATH=f"{tmp_path}:{ROOT / 'src'}")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"{module('model').MISSING}\n"
    assert not (tmp_path / ".aotel").exists()
