"""The instrumentor of the MCP SDK, versions 1 and 2: clients, servers, and one trace across both."""

from __future__ import annotations

from aotel.instrumentation.library import Covered, Library, LibraryInstrumentor
from aotel.instrumentation.mcp import client, server, transport

__all__ = ["McpInstrumentor"]


class McpInstrumentor(LibraryInstrumentor):
    """Spans for the requests that MCP clients make and servers answer; see `library` for which."""

    library = Library(
        name="mcp",
        distribution="mcp",
        versions=">=1.9,<3",
        modules={
            "mcp.shared.session": client.patch_version_1,
            "mcp.client.session": client.patch_client,
            "mcp.server.session": client.patch_server,
            "mcp.server.lowlevel.server": server.patch_version_1,
            "mcp.server._otel": server.patch_version_2,
            "mcp.shared.jsonrpc_dispatcher": client.patch_version_2,
            "mcp.client.streamable_http": transport.patch_streamable_http,
            "mcp.client.sse": transport.patch_sse,
        },
        covers=(
            Covered(
                ("ClientSession.call_tool",),
                "tool",
                "over stdio, SSE, streamable HTTP or in memory; a result that says `isError` fails the span alone",
            ),
            Covered(("ClientSession.read_resource",), "retrieval"),
            Covered(
                (
                    "ClientSession.initialize",
                    "ClientSession.list_tools",
                    "ClientSession.list_resources",
                    "ClientSession.list_resource_templates",
                    "ClientSession.list_prompts",
                    "ClientSession.get_prompt",
                    "ClientSession.complete",
                    "ClientSession.send_request",
                ),
                "step",
                "and `server/discover` of version 2, and methods of the program's own",
            ),
            Covered(("Server", "FastMCP", "MCPServer"), "step", "one span a request, in the trace of the client"),
            Covered(("ServerSession.elicit",), "human", "and a step on the client that asks the person"),
            Covered(("ServerSession.create_message", "ServerSession.list_roots"), "step", "and one on the client"),
        ),
        not_covered=(
            "pings, `logging/setLevel`, `subscriptions/listen` and notifications",
            "servers of version 2 whose own `OpenTelemetryMiddleware` was removed",
            "a trace in HTTP headers (it is in `_meta`) of SSE connections from before instrumentation, and mcp 2.0",
        ),
    )
