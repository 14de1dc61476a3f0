"""One trace from a client here to a server in another process, over each transport."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import aotel
from tests.instrumentation.mcp.sdk import METHODS, every_method, over_http, over_sse, over_stdio
from tests.instrumentation.mcp.sides import client_side

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.recording import Recorded

pytestmark = [
    pytest.mark.timeout(20),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # streams of old versions, and not ours
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("server_program.py")


def environment(envelopes: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {
        **kept,
        "PYTHONPATH": paths,
        "AOTEL_ENVELOPES": f"file:{envelopes}",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
    }


@contextlib.contextmanager
def http_server(kind: str, envelopes: Path) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, str(PROGRAM), kind, str(port)]
    with subprocess.Popen(command, env=environment(envelopes), cwd=ROOT) as process:
        try:
            for _ in range(150):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                assert process.poll() is None
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/{'sse' if kind == 'sse' else 'mcp'}"
        finally:
            process.terminate()


@contextlib.asynccontextmanager
async def session_over(transport: str, envelopes: Path) -> AsyncIterator[Any]:
    if transport == "stdio":
        async with over_stdio(sys.executable, [str(PROGRAM), "stdio"], environment(envelopes)) as session:
            yield session
        return
    with http_server(transport, envelopes) as url:
        async with (over_sse if transport == "sse" else over_http)(url) as session:
            yield session


def lines_of(envelopes: Path) -> list[str]:
    return envelopes.read_text().splitlines() if envelopes.exists() else []


async def written(envelopes: Path, name: str, count: int = 1) -> list[dict[str, Any]]:
    """The envelopes with which operations of a name began in the server, once there are as many."""
    found: list[dict[str, Any]] = []
    for _ in range(100):
        lines = await anyio.to_thread.run_sync(lines_of, envelopes)
        decoded = [json.loads(line) for line in lines if line.endswith("}")]
        found = [each for each in decoded if each["payload"].get("fn", "").endswith(name) and each["seq"] == 0]
        if len(found) >= count:
            break
        await anyio.sleep(0.05)
    return found


def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """Post a message, and once more where an old version redirects."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        opener.open(request, timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 307:
            raise
        post(error.headers["location"], body, headers)


@pytest.fixture
def envelopes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "envelopes.jsonl"


@pytest.mark.parametrize("transport", ["stdio", "sse", "http"])
async def test_one_trace(transport: str, envelopes: Path, recorded: Recorded) -> None:
    async with session_over(transport, envelopes) as session:
        with aotel.step("program"):
            await every_method(session)
        (server,) = await written(envelopes, "tools/call shout")
        inner = [
            each
            for each in await written(envelopes, "inner", 3)
            if each["ids"]["parent_span_id"] == server["ids"]["span_id"]
        ]
        for method in METHODS:
            client = client_side(recorded, method)
            name = client.span.name
            (answered,) = await written(envelopes, name)
            assert answered["ids"]["parent_span_id"] == f"sp_{client.context.span_id:016x}"
            assert answered["ids"]["trace_id"] == f"tr_{client.context.trace_id:032x}"
            assert answered["producer"] != client.start["producer"]
    assert len(inner) == 1
    assert inner[0]["ids"]["trace_id"] == f"tr_{recorded.named('program').context.trace_id:032x}"


@pytest.mark.parametrize("transport", ["stdio", "sse", "http"])
async def test_transport_is_told(transport: str, envelopes: Path, recorded: Recorded) -> None:
    async with session_over(transport, envelopes) as session:
        await session.call_tool("add", {"a": 1, "b": 2})
    said = client_side(recorded, "tools/call").attributes
    assert said["mcp.transport"] == {"http": "streamable_http"}.get(transport, transport)
    assert said["network.transport"] == ("pipe" if transport == "stdio" else "tcp")
    assert said["mcp.server.name"] == "weather"
    assert said["jsonrpc.request.id"]
    if transport == "stdio":
        assert "server.address" not in said
    else:
        assert said["network.protocol.name"] == "http"
        assert said["server.address"] == "127.0.0.1"
        assert said["server.port"] > 1024
        assert said["mcp.session.id"]


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_trace_is_in_the_headers_of_each_request_too(transport: str, envelopes: Path, recorded: Recorded) -> None:
    if transport == "sse" and not {"aconnect_sse", "sse_within_origin"} & vars(import_module("mcp.client.sse")).keys():
        pytest.skip("this version connects where nobody can see it")
    async with session_over(transport, envelopes) as session:
        await session.list_tools()
        first = await session.call_tool("header", {"name": "traceparent"})
        second = await session.call_tool("header", {"name": "traceparent"})
    calls = [each for each in recorded.operations if each.span.name == "tools/call header"]
    for result, call in zip((first, second), calls, strict=True):
        expected = f"00-{call.context.trace_id:032x}-{call.context.span_id:016x}-"
        assert result.content[0].text.startswith(expected)
        assert "," not in result.content[0].text


async def test_server_continues_a_trace_that_came_in_headers_alone(envelopes: Path) -> None:
    trace = "1" * 32
    params = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": params}
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "traceparent": f"00-{trace}-{'2' * 16}-01",
    }
    with http_server("http", envelopes) as url:
        await anyio.to_thread.run_sync(post, url, json.dumps(message).encode(), headers)
        (found,) = await written(envelopes, "initialize")
    assert found["ids"]["trace_id"] == f"tr_{trace}"
    assert found["ids"]["parent_span_id"] == f"sp_{'2' * 16}"
