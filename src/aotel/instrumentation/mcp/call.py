"""One MCP request in progress, on the side that makes it or the side that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import SpanKind, Status, StatusCode

from aotel.calls import PORT, Call, CallSite, Failure
from aotel.content import Deferred, active, to_json
from aotel.instrumentation.mcp.content import arguments_of, get, joined, result_of, wire
from aotel.instrumentation.sites import clean, remembered_site
from aotel.instrumentation.trouble import Trouble
from aotel.operation import Operation, Tool
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.content import Arguments

QUIET: Final = frozenset({"ping", "logging/setLevel", "subscriptions/listen"})
"""Methods that say nothing of what an agent does, or last as long as a session."""

TOOL_ERROR: Final = "tool_error"
"""The `error.type` of a tool that says itself that it failed (MCP conventions)."""

_CALL: Final = "tools/call"
_TAGS: Final = {_CALL: "tool", "resources/read": "retrieval", "elicitation/create": "human"}
_TARGETS: Final = {_CALL: names.GEN_AI_TOOL_NAME, "prompts/get": names.GEN_AI_PROMPT_NAME}
_ERRORS: Final = frozenset({"McpError", "MCPError"})

# JSON-RPC codes that the SDK makes itself, where no answer came: HTTP's 408 in version 1.
_TROUBLE: Final = {408: Trouble.TIMEOUT, -32001: Trouble.TIMEOUT, -32000: Trouble.CONNECTION}


class McpCall(Call):
    """An MCP request: `answered` or `failed` ends it.

    Args:
        method: of the protocol.
        params: of the request, in the SDK's own form; arguments and target are read from it.
        kind: `CLIENT` where it is made, `SERVER` where it is answered. Only where it is made, it is a tool's call:
            otherwise one call of a tool would count as two.
    """

    def __init__(self, method: str, params: Any, kind: SpanKind) -> None:
        self.method = method
        self.kind = kind
        self.target = _target(method, params)
        super().__init__(_site(method, self.target, kind))
        self.facts: dict[str, AttributeValue] = {}
        self.attributes = self.facts
        self._params = params
        self._code: int | None = None

    def take_input(self) -> Deferred[Arguments] | None:
        """Take what is asked; the pipeline asks for it when it takes the span up."""
        if self.capture.writes and not active().hides_input:
            try:
                uri = get(self._params, "uri", "uri")
                if uri is not None:
                    self.facts[names.MCP_RESOURCE_URI] = self.capture.text(str(uri))
                self.kwargs = arguments_of(self.method, self._params)
            except Exception as error:  # noqa: BLE001 - somebody else's model that can't be written
                PORT.report("snapshot of arguments", error)
        return super().take_input()

    def answered(self, result: Any, facts: dict[str, AttributeValue]) -> None:
        """End the span with an answer, which may be an error of the protocol, or say that the tool failed.

        Args:
            result: in the SDK's own form, or as it goes over the wire.
            facts: about session and transport.
        """
        if self.ended:
            return
        self.facts.update(facts)
        failure = None
        try:
            failure = self._failure_in(result)
            if self._code is None:
                self._take_output(result)
        except Exception as error:  # noqa: BLE001 - somebody else's model that can't be written
            PORT.report("snapshot of a result", error)
        if failure is not None:
            self._refuse(failure)
        else:
            self.succeed()

    def failed(self, error: BaseException, facts: dict[str, AttributeValue]) -> None:
        """End the span with what was raised; it is the caller's to raise it again."""
        if self.ended:
            return
        self.facts.update(facts)
        try:
            self._code = _code_of(error)
        except Exception as problem:  # noqa: BLE001 - somebody else's exception
            PORT.report("description of an error", problem)
        self.fail(error)

    def _failure_in(self, result: Any) -> Failure | None:
        code, message = getattr(result, "code", None), getattr(result, "message", None)
        if isinstance(code, int) and type(message) is str:
            self._code = int(code)
            return Failure("McpError", str(self._code), self.capture.text(message) if self.capture.writes else "", None)
        if self.method != _CALL or get(result, "isError", "is_error") is not True:
            return None
        said = joined(wire(result).get("content")) if self.capture.writes and not active().hides_output else None
        return Failure(TOOL_ERROR, TOOL_ERROR, self.capture.text(said) if said else "", None)

    def _refuse(self, failure: Failure) -> None:
        end_time = self._end()
        try:
            self.failure = failure
            if self.span.is_recording():
                self.span.set_status(Status(StatusCode.ERROR, failure.message or None))
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("description of an error", problem)
        self._end_span(end_time)

    def _take_output(self, result: Any) -> None:
        if self.recording is not None and self.capture.writes and not active().hides_output:
            self.set_output(result_of(self.method, result))

    def _end_span(self, end_time: int) -> None:
        try:
            self._describe()
            self._params = None
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of an MCP request", error)
        super()._end_span(end_time)

    def _describe(self) -> None:
        if self._code is not None and self.failure is not None and self.failure.outcome is None:
            code = str(self._code)
            self.failure = self.failure._replace(qualified_type=code)
            self.facts[names.RPC_RESPONSE_STATUS_CODE] = code
            if self._code in _TROUBLE:
                self.facts[names.AOT_ERROR_CATEGORY] = _TROUBLE[self._code].value
        if self.recording is None:
            # Its provider takes no processors: nobody else writes this.
            if self.span.is_recording():
                self.span.set_attributes({**self.site.attributes, **self.facts})
        elif self.site.tag == "tool":
            self.described = Deferred(self._tool)

    def _tool(self) -> Operation:
        named = self.input.get().named() if self.input is not None else None
        found = self.output.get() if self.output is not None else None
        arguments = to_json(named) if named else None
        result = found if found is None or type(found) is str else to_json(found)
        tool = Tool(self.target, type="extension", arguments=arguments, result=result)
        return Operation(op="tool", name=self.target, tool=tool, input_value=arguments, output_value=result)


def _code_of(error: BaseException) -> int | None:
    """Return the JSON-RPC code of an error of the SDK; None of any other error."""
    if not any(cls.__name__ in _ERRORS for cls in type(error).__mro__):
        return None
    code = getattr(getattr(error, "error", None), "code", None)
    return int(code) if isinstance(code, int) else None


def _target(method: str, params: Any) -> str | None:
    return clean(get(params, "name", "name")) or None if method in _TARGETS else None


def _site(method: str, target: str | None, kind: SpanKind) -> CallSite:
    return remembered_site(("mcp", active(), method, target, kind), lambda: _new_site(method, target, kind))


def _new_site(method: str, target: str | None, kind: SpanKind) -> CallSite:
    name = clean(method)
    known: dict[str, AttributeValue] = {names.MCP_METHOD_NAME: name}
    if target is not None:
        known[_TARGETS[method]] = target
    tag = _TAGS.get(method, "step") if kind is SpanKind.CLIENT else "step"
    return CallSite(tag, f"{name} {target}" if target else name, attributes=known, own=True, kind=kind)
