"""Requests that are made: by a client session, and by a server that asks its client for something."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, get_args
from weakref import WeakKeyDictionary

from opentelemetry import context as otel_context
from opentelemetry.trace import INVALID_SPAN, SpanKind

from aotel.calls import PORT, enclosing_call
from aotel.calls.scope import detach
from aotel.instrumentation.gate import is_recording
from aotel.instrumentation.mcp.call import QUIET, McpCall
from aotel.instrumentation.mcp.content import get
from aotel.instrumentation.mcp.propagation import fields_to_add
from aotel.instrumentation.mcp.server import answer_server, initialize, serve_responder
from aotel.instrumentation.mcp.transport import facts_of_stream
from aotel.instrumentation.sites import clean
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.context import Context
    from opentelemetry.util.types import AttributeValue

    from aotel.instrumentation.patches import Patches

    Arguments = tuple[tuple[Any, ...], dict[str, Any]]

_known: WeakKeyDictionary[Any, dict[str, AttributeValue]] = WeakKeyDictionary()
"""What its server said when a session was initialized, which version 1 does not remember."""


def patch_version_1(module: ModuleType, patches: Patches) -> None:
    """Patch what both kinds of sessions of version 1 make their requests with."""
    patches.wrap(module.BaseSession, "send_request", _send_request_of_1)


def patch_client(module: ModuleType, patches: Patches) -> None:
    """Patch the client's session: what version 2 makes its requests with, and how either answers the server's."""
    session = module.ClientSession
    if "send_request" in vars(session):
        patches.wrap(session, "send_request", _send_request)
        patches.wrap(session, "send_discover", _send_discover)
    patches.wrap(session, "_received_request", serve_responder)
    patches.wrap(session, "_on_request", answer_server)


def patch_server(module: ModuleType, patches: Patches) -> None:
    """Patch the server's session: what version 2 makes its requests with, and where version 1 is initialized."""
    session = module.ServerSession
    if "send_request" in vars(session):
        patches.wrap(session, "send_request", _send_request)
    patches.wrap(session, "_received_request", initialize)


def patch_version_2(module: ModuleType, patches: Patches) -> None:
    """Patch the spans that version 2 makes itself around requests: ours stand in their place."""
    patches.wrap(module, "otel_span", _own_span)
    patches.wrap(module, "inject_trace_context", _inject)


async def _send_request_of_1(wrapped: Any, session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = _call_of(args[0] if args else kwargs.get("request"))
    if call is None:
        return await wrapped(*args, **kwargs)
    call.facts[names.JSONRPC_REQUEST_ID] = str(getattr(session, "_request_id", ""))
    return await _make(call, session, wrapped, lambda context: _with_trace(args, kwargs, context))


async def _send_request(wrapped: Any, session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = _call_of(args[0] if args else kwargs.get("request"))
    if call is None:
        return await wrapped(*args, **kwargs)
    return await _make(call, session, wrapped, lambda _: (args, kwargs))


async def _send_discover(wrapped: Any, session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    version = args[0] if args else kwargs.get("version")
    call = _new_call("server/discover", {"version": version})
    if call is None:
        return await wrapped(*args, **kwargs)
    return await _make(call, session, wrapped, lambda _: (args, kwargs))


def _call_of(request: Any) -> McpCall | None:
    root = getattr(request, "root", request)
    return _new_call(getattr(root, "method", None), getattr(root, "params", None))


def _new_call(method: Any, params: Any) -> McpCall | None:
    """Return a call that is to be recorded, or None for one that passes through."""
    try:
        if type(method) is not str or method in QUIET or not is_recording():
            return None
        return McpCall(method, params, SpanKind.CLIENT)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("start of an MCP request", error)
        return None


async def _make(call: McpCall, session: Any, send: Any, arguments: Callable[[Context], Arguments]) -> Any:
    context = call.start()
    args, kwargs = arguments(context)
    token = otel_context.attach(context)
    try:
        result = await send(*args, **kwargs)
    except BaseException as error:
        detach(token)
        call.failed(error, _facts(session, call, None))
        raise
    detach(token)
    call.answered(result, _facts(session, call, result))
    return result


def _with_trace(args: tuple[Any, ...], kwargs: dict[str, Any], context: Context) -> Arguments:
    """Return the arguments of `send_request` with the trace in a copy of the request; as they are if that can't be."""
    try:
        request = args[0] if args else kwargs["request"]
        traced = _traced(request, context)
        return ((traced, *args[1:]), kwargs) if args else (args, {**kwargs, "request": traced})
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("propagation of a trace", error)
        return args, kwargs


def _traced(request: Any, context: Context) -> Any:
    """Return a copy of a request of version 1 with a trace in its `_meta`."""
    root = getattr(request, "root", request)
    params = root.params
    kind = _model_of(type(root)) if params is None else type(params)
    meta = getattr(params, "meta", None)
    meta_kind = getattr(kind, "Meta", None)
    found = fields_to_add(meta, context)
    if not found or kind is None or meta_kind is None:
        return request
    meta = meta_kind(**found) if meta is None else meta.model_copy(update=found)
    params = kind(_meta=meta) if params is None else params.model_copy(update={"meta": meta})
    traced = root.model_copy(update={"params": params})
    return request.model_copy(update={"root": traced}) if hasattr(request, "root") else traced


def _model_of(request: Any) -> Any:
    """Return the model of the parameters that a kind of request may have; None where it has none."""
    annotation = request.model_fields["params"].annotation
    kinds = [kind for kind in (annotation, *get_args(annotation)) if hasattr(kind, "model_fields")]
    return next((kind for kind in kinds if "meta" in kind.model_fields), None)


def _facts(session: Any, call: McpCall, result: Any) -> dict[str, AttributeValue]:
    """Return what is known of a session once one of its requests ended; never raises."""
    try:
        dispatcher = getattr(session, "_dispatcher", None)
        found = facts_of_stream(getattr(dispatcher or session, "_write_stream", None))
        if call.method == "initialize" and result is not None:
            _known[session] = _said(
                get(result, "serverInfo", "server_info"), get(result, "protocolVersion", "protocol_version")
            )
        return {**found, **(_known.get(session) or _said_by(session))}
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("reading of an MCP session", error)
        return {}


def _said_by(session: Any) -> dict[str, AttributeValue]:
    return _said(getattr(session, "server_info", None), getattr(session, "protocol_version", None))


def _said(server: Any, protocol: Any) -> dict[str, AttributeValue]:
    found = {
        names.MCP_SERVER_NAME: clean(getattr(server, "name", None)),
        names.MCP_SERVER_VERSION: clean(getattr(server, "version", None)),
        names.MCP_PROTOCOL_VERSION: clean(protocol),
    }
    return {name: value for name, value in found.items() if value}


def _own_span(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stand in the place of the span that version 2 makes around a request, which has one of ours already."""
    del instance
    try:
        if is_recording():
            said = kwargs.get("attributes") or {}
            method = said.get(names.MCP_METHOD_NAME)
            call = enclosing_call()
            if isinstance(call, McpCall) and call.kind is SpanKind.CLIENT and call.method == method:
                call.facts.setdefault(names.JSONRPC_REQUEST_ID, said.get(names.JSONRPC_REQUEST_ID, ""))
                return nullcontext(INVALID_SPAN)
            if method in QUIET:
                return nullcontext(INVALID_SPAN)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("a span of MCP's own", error)
    return wrapped(*args, **kwargs)


def _inject(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Write the trace as version 2 does, but leave what the program put into a `_meta` itself."""
    del instance
    meta = args[0] if args else kwargs.get("meta")
    try:
        found = fields_to_add(meta, otel_context.get_current()) if is_recording() else None
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("propagation of a trace", error)
        found = None
    if found is None or not isinstance(meta, dict):
        return wrapped(*args, **kwargs)
    meta.update(found)
    return None
