"""What the transport of a session is, and the trace in the headers of its HTTP requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from opentelemetry import context as otel_context

from aotel.calls import PORT
from aotel.calls.scope import detach
from aotel.instrumentation.gate import is_recording
from aotel.instrumentation.mcp.propagation import META, fields_of, remote_context
from aotel.instrumentation.sites import DEFAULT_PORTS, clean
from aotel.instrumentation.wire.event_stream import decoded
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.util.types import AttributeValue

    from aotel.instrumentation.patches import Patches

_HEADERS: Final = otel_context.create_key("aotel-mcp-headers")
_PACKAGES: Final = ("mcp.client", "mcp.server")
_KINDS: Final = ("stdio", "sse", "streamable_http")
_DEPTH: Final = 8  # coroutines that await each other, from a task's own to the transport's
_SESSION: Final = "mcp-session-id"
_POST: Final = "POST"


class _Reader(NamedTuple):
    """Who takes messages out of a stream: the transport. Its kind, URL, and the session it was given."""

    kind: str
    url: str
    session_id: str


def facts_of_stream(stream: Any) -> dict[str, AttributeValue]:
    """Return what is known of the transport behind the stream that a session writes into."""
    reader = _reader_of(stream)
    if reader is None:
        return {}
    found: dict[str, AttributeValue] = {
        names.MCP_TRANSPORT: reader.kind,
        names.NETWORK_TRANSPORT: "pipe" if reader.kind == "stdio" else "tcp",
    }
    url = urlsplit(reader.url)
    if reader.kind != "stdio":
        found[names.NETWORK_PROTOCOL_NAME] = "http"
    if url.hostname:
        found[names.SERVER_ADDRESS] = url.hostname
        port = url.port or DEFAULT_PORTS.get(url.scheme)
        if port is not None:
            found[names.SERVER_PORT] = port
    if reader.session_id:
        found[names.MCP_SESSION_ID] = clean(reader.session_id)
    return found


def _reader_of(stream: Any) -> _Reader | None:
    """Return who reads what is written into a stream, as its waiting task tells; None where nobody can be told.

    Sessions know nothing of their transport, and transports that a program opened before they were patched could not
    be asked any other way. The waiting receivers are private in anyio; what their tasks do is not.
    """
    stream = getattr(stream, "_inner", stream)  # version 2 wraps it
    waiting = getattr(getattr(stream, "_state", None), "waiting_receivers", None) or {}
    for receiver in tuple(waiting.values()):
        running = getattr(getattr(receiver, "task_info", None), "coro", None)
        for _ in range(_DEPTH):
            frame = getattr(running, "cr_frame", None)
            if frame is None:
                break
            package, _, kind = str(frame.f_globals.get("__name__")).rpartition(".")
            if package in _PACKAGES and kind in _KINDS:
                return _described(kind, frame.f_locals)
            running = getattr(running, "cr_await", None)
    return None


def _described(kind: str, variables: dict[str, Any]) -> _Reader:
    transport = variables.get("self")
    url = getattr(transport, "url", None) or variables.get("endpoint_url") or ""
    url = url if type(url) is str else ""
    session_id = getattr(transport, "session_id", None)
    if session_id is None:
        query = parse_qs(urlsplit(url).query)
        session_id = next((values[0] for name in ("session_id", "sessionId") if (values := query.get(name))), "")
    return _Reader(kind, url, session_id if type(session_id) is str else "")


def facts_of_http(request: Any) -> dict[str, AttributeValue]:
    """Return what the HTTP request that a message came with, one of Starlette's, says of its session."""
    headers = getattr(request, "headers", None)
    if headers is None:
        return {}
    found: dict[str, AttributeValue] = {names.NETWORK_TRANSPORT: "tcp", names.NETWORK_PROTOCOL_NAME: "http"}
    query = getattr(request, "query_params", None) or {}
    session_id = clean(headers.get(_SESSION) or query.get("session_id"))
    if session_id:
        found[names.MCP_SESSION_ID] = session_id
    return found


def patch_streamable_http(module: ModuleType, patches: Patches) -> None:
    """Patch the POSTs of streamable HTTP; what makes their headers has had several names."""
    transport = module.StreamableHTTPTransport
    patches.wrap(transport, "_handle_post_request", _post)
    for name in ("_prepare_headers", "_prepare_request_headers", "_update_headers_with_session"):
        patches.wrap(transport, name, _add_headers)


async def _post(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Send a message in its own trace: one task sends those of all callers."""
    del instance
    token = None
    try:
        request = args[0] if args else kwargs.get("ctx")
        message = getattr(request, "session_message", None)
        found = _fields_of_message(getattr(message, "message", None))
        if found and is_recording():
            token = otel_context.attach(otel_context.set_value(_HEADERS, found, remote_context(found)))
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("propagation of a trace", error)
    try:
        return await wrapped(*args, **kwargs)
    finally:
        if token is not None:
            detach(token)


def _add_headers(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del instance
    headers = wrapped(*args, **kwargs)
    found = otel_context.get_value(_HEADERS)
    if isinstance(found, dict) and isinstance(headers, dict):
        return {**found, **headers}
    return headers


def _fields_of_message(message: Any) -> dict[str, str]:
    params = getattr(getattr(message, "root", message), "params", None)
    return fields_of(params.get(META)) if isinstance(params, dict) else {}


def patch_sse(module: ModuleType, patches: Patches) -> None:
    """Patch where an SSE transport connects: its HTTP client, which is its own, then adds headers to its POSTs."""
    for name in ("aconnect_sse", "sse_within_origin"):
        patches.wrap(module, name, _connect)


def _connect(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del instance
    try:
        client = args[0] if args else kwargs["client"]
        hooks = client.event_hooks
        if _add_headers_to_post not in hooks["request"]:
            client.event_hooks = {**hooks, "request": [*hooks["request"], _add_headers_to_post]}
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("propagation of a trace", error)
    return wrapped(*args, **kwargs)


async def _add_headers_to_post(request: Any) -> None:
    """Add the trace of a message to the headers of its POST, unless somebody has; a request hook of httpx."""
    try:
        if request.method == _POST and is_recording():
            message = decoded(request.content)
            params = message.get("params") if type(message) is dict else None
            found = fields_of(params.get(META)) if type(params) is dict else {}
            for name, value in found.items():
                request.headers.setdefault(name, value)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("propagation of a trace", error)
