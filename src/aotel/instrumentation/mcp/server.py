"""Requests that are answered: by a server, and by a client whose server asks it for something."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from opentelemetry import context as otel_context
from opentelemetry.trace import SpanKind

from aotel.calls import PORT
from aotel.calls.scope import detach
from aotel.instrumentation.gate import is_recording
from aotel.instrumentation.mcp.call import QUIET, McpCall
from aotel.instrumentation.mcp.content import get
from aotel.instrumentation.mcp.propagation import META, remote_context
from aotel.instrumentation.mcp.transport import facts_of_http, facts_of_stream
from aotel.instrumentation.sites import clean
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.util.types import AttributeValue

    from aotel.instrumentation.patches import Patches

_INITIALIZE: Final = "initialize"
_NOTIFICATION: Final = ""
"""Stands for the method of a message that has no id, and no span."""

_answers: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()
"""What was answered to a request of version 1, by its responder."""

_protocols: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""The version of the protocol that a session of version 1 agreed on."""


def patch_version_1(module: ModuleType, patches: Patches) -> None:
    """Patch where a server of version 1 answers requests."""
    if patches.wrap(module.Server, "_handle_request", serve_responder):
        patches.wrap(module.RequestResponder, "respond", _respond)


def patch_version_2(module: ModuleType, patches: Patches) -> None:
    """Patch the middleware with which version 2 makes spans itself: ours stand in their place."""
    patches.wrap(module.OpenTelemetryMiddleware, "__call__", _serve_middleware)


async def serve_responder(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer a request of version 1, which comes with its responder."""
    del instance
    responder = args[0] if args else kwargs.get("message", kwargs.get("responder"))
    answering = _begin(_of_responder, responder)
    return await (wrapped(*args, **kwargs) if answering is None else answering.run(wrapped, args, kwargs))


async def answer_server(wrapped: Any, session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer a request that a server of version 2 makes of its client."""
    named = dict(zip(("dctx", "method", "params"), args, strict=False)) | kwargs
    answering = _begin(_of_dispatch, session, named)
    return await (wrapped(*args, **kwargs) if answering is None else answering.run(wrapped, args, kwargs))


async def initialize(wrapped: Any, session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer the request that a session of version 1 answers itself; the others pass through to its server."""
    responder = args[0] if args else kwargs.get("responder")
    if get(getattr(responder, "request", None), "method", "method") != _INITIALIZE:
        return await wrapped(*args, **kwargs)
    return await serve_responder(wrapped, session, args, kwargs)


async def _respond(wrapped: Any, responder: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    answers = _answers.get(responder)
    if answers is not None:
        answers[:] = args or kwargs.values()
    return await wrapped(*args, **kwargs)


async def _serve_middleware(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del instance
    named = dict(zip(("ctx", "call_next"), args, strict=False)) | kwargs
    answering = _begin(_of_context, named.get("ctx"))
    if answering is None:
        return await wrapped(*args, **kwargs)
    return await answering.run(named["call_next"], (named["ctx"],), {})


class _Answering:
    """A request that is being answered in the trace of who made it.

    Args:
        method: of the protocol; one that says nothing has no span.
        params: as they came.
        carriers: what may hold the trace.
        facts: about session and transport.
        responder: of version 1, which hands the answer on itself.
    """

    def __init__(
        self,
        method: str,
        params: Any,
        carriers: tuple[Any, ...],
        facts: dict[str, AttributeValue],
        responder: Any = None,
    ) -> None:
        self._context = remote_context(*carriers)
        self._call = None if method == _NOTIFICATION or method in QUIET else McpCall(method, params, SpanKind.SERVER)
        self._facts = facts
        self._responder = responder
        self._answers: list[Any] = []
        if responder is not None:
            _answers[responder] = self._answers

    async def run(self, answer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have the request answered, with its span current while that takes."""
        call = self._call
        token = otel_context.attach(self._context if call is None else call.start(self._context))
        try:
            result = await answer(*args, **kwargs)
        except BaseException as error:
            detach(token)
            if call is not None:
                call.failed(error, self._late_facts())
            raise
        detach(token)
        if call is not None:
            self._end(call, result)
        return result

    def _end(self, call: McpCall, result: Any) -> None:
        if self._responder is None:
            call.answered(result, self._late_facts())
        elif self._answers:
            call.answered(self._answers[0], self._late_facts())
        else:
            # Version 1 returns without an answer where its client cancelled the request, or is gone.
            call.failed(CancelledError(), self._late_facts())

    def _late_facts(self) -> dict[str, AttributeValue]:
        """Return the facts with those that the answer brought; never raises."""
        if self._responder is None:
            return self._facts
        try:
            session = self._responder._session  # noqa: SLF001 - version 1 has no other way to it
            if self._call is not None and self._call.method == _INITIALIZE and self._answers:
                _protocols[session] = clean(get(self._answers[0], "protocolVersion", "protocol_version"))
            return {**facts_of_stream(session._write_stream), **_protocol(_protocols.get(session)), **self._facts}  # noqa: SLF001 - likewise
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("reading of an MCP session", error)
            return self._facts


def _begin(make: Callable[..., _Answering | None], *args: Any) -> _Answering | None:
    """Return a request that is to be answered, or None for one that passes through."""
    try:
        return make(*args) if is_recording() else None
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("start of an MCP request", error)
        return None


def _of_responder(responder: Any) -> _Answering:
    request = responder.request.root
    http = getattr(responder.message_metadata, "request_context", None)
    facts = {**_request_id(responder.request_id), **facts_of_http(http)}
    carriers = (responder.request_meta, getattr(http, "headers", None))
    return _Answering(request.method, request.params, carriers, facts, responder)


def _of_context(request: Any) -> _Answering:
    http = getattr(request, "request", None)
    facts = {**_protocol(request.protocol_version), **_request_id(request.request_id), **facts_of_http(http)}
    method = request.method if request.request_id is not None else _NOTIFICATION
    return _Answering(method, request.params, (request.meta, getattr(http, "headers", None)), facts)


def _of_dispatch(session: Any, named: dict[str, Any]) -> _Answering:
    params = named["params"]
    meta = params.get(META) if isinstance(params, dict) else None
    facts = {
        **_protocol(getattr(session, "protocol_version", None)),
        **_request_id(getattr(named["dctx"], "request_id", None)),
    }
    return _Answering(named["method"], params, (meta,), facts)


def _request_id(value: Any) -> dict[str, AttributeValue]:
    return {} if value is None else {names.JSONRPC_REQUEST_ID: clean(str(value))}


def _protocol(value: Any) -> dict[str, AttributeValue]:
    return {names.MCP_PROTOCOL_VERSION: clean(value)} if value else {}
