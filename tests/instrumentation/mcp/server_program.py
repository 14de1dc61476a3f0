"""A server in a process of its own: `server_program.py stdio|sse|http [PORT]`; it ends by itself."""

from __future__ import annotations

import os
import sys
import threading

import aotel

aotel.instrument("mcp")


def _main() -> None:
    from tests.instrumentation.mcp.sdk import high_level_server

    deadline = threading.Timer(40, os._exit, (3,))
    deadline.daemon = True
    deadline.start()
    server = high_level_server()
    if sys.argv[1] == "stdio":
        server.run("stdio")
        return
    import uvicorn

    app = server.sse_app() if sys.argv[1] == "sse" else server.streamable_http_app()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    _main()
