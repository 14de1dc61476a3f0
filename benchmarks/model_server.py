"""A model that answers at once, in a process of its own: OpenAI's wire format; it ends with its standard input."""

from __future__ import annotations

import asyncio
import json
import sys

CHUNKS = 500

_MODEL = {"id": "chatcmpl-1", "created": 1, "model": "gpt-x-2026-01-01"}
_USAGE = {"prompt_tokens": 120, "completion_tokens": 40, "total_tokens": 160}
_ANSWER = json.dumps(
    {
        **_MODEL,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 40}, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
).encode()


def _event(**fields: object) -> bytes:
    said = json.dumps({**_MODEL, "object": "chat.completion.chunk", **fields})
    return f"data: {said}\n\n".encode()


def _chunk(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    return _event(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}])


_STREAM = [
    _chunk({"role": "assistant", "content": ""}),
    *[_chunk({"content": "word "})] * CHUNKS,
    _chunk({}, "stop"),
    _event(choices=[], usage=_USAGE),
    b"data: [DONE]\n\n",
]
_HEAD = b"HTTP/1.1 200 OK\r\nx-request-id: req_1\r\ncontent-type: %s\r\n%s\r\n\r\n"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in head.lower().splitlines() if line.startswith(b"content-length:"))
            body = await reader.readexactly(int(length.partition(b":")[2]))
            if b'"stream":true' in body.replace(b" ", b""):
                writer.write(_HEAD % (b"text/event-stream", b"transfer-encoding: chunked"))
                for event in _STREAM:
                    writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                writer.write(b"0\r\n\r\n")
            else:
                writer.write(_HEAD % (b"application/json", b"content-length: %d" % len(_ANSWER)) + _ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main() -> None:
    """Serve on a port of the loopback, printed, until standard input closes."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, limit=1 << 24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
