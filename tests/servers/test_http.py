"""The scriptable server, with a plain client: no SDK is needed."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.servers.http import DISCONNECT, Reply, ScriptedServer, json_reply
from tests.servers.prompts import filled, prompt_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.http import Request


def echo(request: Request) -> Reply:
    return json_reply({"number": request.number, "body": request.body})


def asked(server: ScriptedServer) -> http.client.HTTPResponse:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        return answer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(echo) as started:
        yield started


@pytest.fixture
def connection(server: ScriptedServer) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield opened
    opened.close()


def test_connection_is_kept(server: ScriptedServer, connection: http.client.HTTPConnection) -> None:
    for number in (1, 2):
        connection.request("POST", "/a%2Fb?x=1&x=2&y=", json.dumps([number]), {"Content-Type": "application/json"})
        assert json.load(connection.getresponse()) == {"number": number, "body": [number]}
    assert server.connections == 1
    assert [(each.method, each.path, each.query) for each in server.wait_for_requests(2)] == [
        ("POST", "/a%2Fb", {"x": "2"}),
    ] * 2


def test_chunked_bodies_in_both_directions(server: ScriptedServer, connection: http.client.HTTPConnection) -> None:
    server.next(Reply(201, {"x-some": "1"}, [b"one ", b"", 0.05, b"two"]))
    start = time.monotonic()
    connection.request("PUT", "/", iter([b"a", b"b"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["x-some"], answer.read()) == (201, "1", b"one two")
    assert time.monotonic() - start > 0.04
    assert server.requests[0].content == b"ab"


def test_disconnects(server: ScriptedServer, connection: http.client.HTTPConnection) -> None:
    server.next(DISCONNECT, Reply(200, {}, [b"half", DISCONNECT]))
    connection.request("GET", "/")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()
    connection.request("GET", "/")
    with pytest.raises(http.client.IncompleteRead) as caught:
        connection.getresponse().read()
    assert caught.value.partial == b"half"


def test_end_of_the_server_ends_its_answers(server: ScriptedServer, connection: http.client.HTTPConnection) -> None:
    server.next(Reply(200, {}, [b"x", *[1.0] * 30]))
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.read(1) == b"x"
    start = time.monotonic()
    server.stop()
    server.stop()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    assert time.monotonic() - start < 10


def test_fault_of_a_handler_fails_the_test() -> None:
    def use() -> None:
        with ScriptedServer(lambda request: Reply(1 // len(request.query))) as server:
            assert asked(server).status == 500

    with pytest.raises(ZeroDivisionError):
        use()


def test_server_is_bounded() -> None:
    with ScriptedServer(echo, limit=1) as server:
        assert asked(server).status == 200
        with pytest.raises(ConnectionError):
            asked(server)
        assert len(server.requests) == 1
    with ScriptedServer(echo, lifetime=0.0) as server:
        time.sleep(0.3)
        with pytest.raises(ConnectionError):
            asked(server)


def test_prompts() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "image"}, {"type": "text", "text": "two"}]
    assert (
        prompt_of([{"role": "user", "content": "first"}, {"role": "user", "content": parts}, {"role": "assistant"}])
        == "one\ntwo"
    )
    result = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "rain"}]}
    assert prompt_of([{"role": "user", "content": [result]}]) == "The tool said: rain"
    assert prompt_of(None) == ""


def test_schemas_are_filled() -> None:
    schema = {
        "$defs": {"Size": {"enum": ["small", "big"]}},
        "type": "object",
        "properties": {
            "size": {"$ref": "#/$defs/Size"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "number": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
    }
    assert filled(schema, "x") == {"size": "small", "tags": ["x"], "number": 1}
