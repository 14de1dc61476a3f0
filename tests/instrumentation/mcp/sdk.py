"""The MCP SDK of either version behind one face: servers with the same tools, sessions over each transport."""

from __future__ import annotations

import contextlib
import inspect
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

VERSION = 2 if find_spec("mcp.server.mcpserver") else 1
METHODS = ("initialize", "tools/list", "tools/call", "resources/list", "resources/read", "prompts/list", "prompts/get")
PNG = bytes(range(90))
NOTES = "notes://today"


def error_class() -> Any:
    """Return what the SDK raises where the other side answers with an error."""
    return import_module("mcp.shared.exceptions").__dict__["MCPError" if VERSION == 2 else "McpError"]


def high_level_server() -> Any:
    """Return a FastMCP or MCPServer with tools, a resource and a prompt."""
    import aotel

    server: Any
    if VERSION == 2:
        server = import_module("mcp.server.mcpserver").MCPServer("weather", version="1.2.0")
    else:
        server = import_module("mcp.server.fastmcp").FastMCP("weather")
    context_class = getattr(import_module(type(server).__module__), "Context")  # noqa: B009 - to mypy, of either version

    @aotel.coat("transform")
    def inner(text: str) -> str:
        return text.upper()

    @server.tool()  # type: ignore[untyped-decorator]
    def shout(text: str) -> str:
        return inner(text)

    @server.tool()  # type: ignore[untyped-decorator]
    def add(a: int, b: int) -> str:
        return str(a + b)

    @server.tool()  # type: ignore[untyped-decorator]
    def login(user: str, password: str) -> str:
        return f"{user} got the token ghp_{'a' * 36}"

    @server.tool()  # type: ignore[untyped-decorator]
    def fail(why: str) -> str:
        raise ValueError(why)

    @server.tool()  # type: ignore[untyped-decorator]
    async def wait(seconds: float) -> str:
        await anyio.sleep(seconds)
        return inner("waited")

    @server.tool()  # type: ignore[untyped-decorator]
    def picture() -> Any:
        return import_module(f"{type(server).__module__.rpartition('.')[0]}").Image(data=PNG, format="png")

    async def ask(question: str, ctx: Any) -> str:
        result = await ctx.session.list_roots()
        return f"{question} {len(result.roots)}"

    async def header(name: str, ctx: Any) -> str:
        return str(ctx.request_context.request.headers.get(name))

    for tool in (ask, header):
        tool.__annotations__["ctx"] = context_class
        server.tool()(tool)

    @server.resource(NOTES)  # type: ignore[untyped-decorator]
    def notes() -> str:
        return inner("the notes")

    @server.prompt()  # type: ignore[untyped-decorator]
    def greet(name: str) -> str:
        return inner(f"greet {name}")

    return server


def low_level(server: Any) -> Any:
    """Return the low-level server of a server."""
    return getattr(server, "_mcp_server", None) or getattr(server, "_lowlevel_server", server)


def low_level_server() -> Any:
    """Return a low-level server with one tool, `echo`, whose name fails it if it is another."""
    lowlevel = import_module("mcp.server.lowlevel").Server
    types = import_module("mcp.types")
    if VERSION == 2:

        async def call_tool(_: Any, params: Any) -> Any:
            if params.name != "echo":
                raise error_class()(code=-32602, message=f"no tool {params.name}")
            return types.CallToolResult(content=[types.TextContent(type="text", text=str(params.arguments))])

        async def list_tools(_: Any, __: Any) -> Any:
            return types.ListToolsResult(tools=[types.Tool(name="echo", input_schema={"type": "object"})])

        return lowlevel("low", on_call_tool=call_tool, on_list_tools=list_tools)
    server = lowlevel("low")

    @server.list_tools()  # type: ignore[untyped-decorator]
    async def tools() -> Any:
        return [types.Tool(name="echo", inputSchema={"type": "object"})]

    async def call(request: Any) -> Any:
        if request.params.name != "echo":
            raise error_class()(types.ErrorData(code=-32602, message=f"no tool {request.params.name}"))
        block = types.TextContent(type="text", text=str(request.params.arguments))
        return types.ServerResult(types.CallToolResult(content=[block]))

    server.request_handlers[types.CallToolRequest] = call
    return server


@contextlib.asynccontextmanager
async def in_memory(server: Any, *, initialized: bool = True, **options: Any) -> AsyncIterator[Any]:
    """Yield a client session with a server in another task."""
    lowlevel = low_level(server)
    memory = import_module("mcp.shared.memory")
    async with memory.create_client_server_memory_streams() as ((read, write), (server_read, server_write)):  # noqa: SIM117 - tasks end first
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lowlevel.run, server_read, server_write, lowlevel.create_initialization_options())
            async with session_on(read, write, **options) as session:
                if initialized:
                    await session.initialize()
                yield session
            tasks.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def session_on(
    read: Any, write: Any, *, kind: Any = None, read_timeout: float = 10, **options: Any
) -> AsyncIterator[Any]:
    """Yield a client session on a pair of streams."""
    kind = kind or import_module("mcp.client.session").ClientSession
    async with kind(read, write, seconds(read_timeout), **options) as session:
        yield session


def seconds(value: float) -> Any:
    """Return a timeout as this version has it."""
    return value if VERSION == 2 else timedelta(seconds=value)


@contextlib.asynccontextmanager
async def over_http(url: str, **options: Any) -> AsyncIterator[Any]:
    """Yield an initialized session over streamable HTTP."""
    module = import_module("mcp.client.streamable_http")
    client = getattr(module, "streamable_http_client", None) or module.streamablehttp_client
    async with client(url) as streams, session_on(streams[0], streams[1], **options) as session:
        await session.initialize()
        yield session


@contextlib.asynccontextmanager
async def over_sse(url: str, **options: Any) -> AsyncIterator[Any]:
    """Yield an initialized session over SSE."""
    client = import_module("mcp.client.sse").sse_client
    async with client(url) as (read, write), session_on(read, write, **options) as session:
        await session.initialize()
        yield session


@contextlib.asynccontextmanager
async def over_stdio(command: str, args: list[str], env: dict[str, str], **options: Any) -> AsyncIterator[Any]:
    """Yield an initialized session with a process of its own."""
    module = import_module("mcp.client.stdio")
    parameters = module.StdioServerParameters(command=command, args=args, env=env)
    async with module.stdio_client(parameters) as (read, write), session_on(read, write, **options) as session:
        await session.initialize()
        yield session


def uri(text: str) -> Any:
    """Return a URI as this version wants it."""
    return text if VERSION == 2 else import_module("pydantic").AnyUrl(text)


def takes_meta(session: Any) -> bool:
    """Say whether `call_tool` of this version takes a `_meta`."""
    return "meta" in inspect.signature(session.call_tool).parameters


async def every_method(session: Any) -> None:
    """Make each request once, but for `initialize`."""
    await session.list_tools()
    await session.call_tool("shout", {"text": "hi"})
    await session.list_resources()
    await session.read_resource(uri(NOTES))
    await session.list_prompts()
    await session.get_prompt("greet", {"name": "Ada"})
