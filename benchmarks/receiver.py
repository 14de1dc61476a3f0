"""A pod socket in a process of its own: answers each request with ok and counts; ends with its parent's pipe."""

from __future__ import annotations

import asyncio
import sys

_OK = b'{"status":"ok","action":"agent_coat"}\n'
_UNKNOWN = b'{"status":"error","message":"unknown request"}\n'


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(_OK if b'"agent_coat"' in line[:40] else _UNKNOWN)
        await writer.drain()
    writer.close()


async def main(path: str) -> None:
    """Serve on a Unix socket until standard input closes."""
    server = await asyncio.start_unix_server(_serve, path, limit=1 << 20)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
