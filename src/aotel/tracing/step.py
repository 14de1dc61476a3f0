"""`step` and `set_result`: a named part of an operation, and what it came to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from aotel.calls.call import Call, CallSite, enclosing_call
from aotel.calls.port import PORT
from aotel.content import active, to_json
from aotel.semconv import attributes as names
from aotel.tracing.arguments import check_name, check_operation
from aotel.tracing.block import Block

if TYPE_CHECKING:
    from aotel.semconv.operations import Op

_logger = logging.getLogger("aotel")
_warned: set[str] = set()


class step(Block):  # noqa: N801 - used as a statement: `with step("plan"):`
    """A part of an agent's work, as `with step("plan"):` or `async with`; inside any span or none.

    Args:
        name: the span's name.
        op: what kind of operation it is: an `Op`, its value, or any tag of your own.
        type: another name for `op`.
        attributes: further facts, written as the capture mode says: on the span as `aot.attributes.<name>`, and in
            the start envelope's preview.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `name` is empty.
    """

    def __init__(
        self,
        name: str,
        op: Op | str | None = None,
        *,
        type: Op | str | None = None,  # noqa: A002 - the contract's name
        **attributes: object,
    ) -> None:
        if name is None:
            msg = "name is a string, got None"
            raise TypeError(msg)
        super().__init__(CallSite(check_operation(op, type), check_name(name) or "step", keywords_as_attributes=True))
        self._attributes: dict[str, Any] = attributes

    def _open(self) -> Call:
        return Call(self._site, (), self._attributes)


def set_result(value: object) -> None:
    """Set what the current operation came to; wins over what its function returns. Outside any span, one warning.

    Args:
        value: any value; written as the capture mode says.
    """
    if not PORT.enabled:
        return
    call = enclosing_call()
    if call is not None:
        call.set_output(value)
        return
    span = trace.get_current_span()
    if not span.is_recording():
        _warn_outside(value)
        return
    capture = active().default
    if capture.writes and not active().hides_output:
        try:
            span.set_attribute(names.AOT_RESULT, to_json(capture.value(value)))
        except Exception as error:  # noqa: BLE001 - somebody else's span
            PORT.report("set_result", error)


def _warn_outside(value: object) -> None:
    if trace.get_current_span().get_span_context().is_valid or "set_result" in _warned:
        return
    _warned.add("set_result")
    _logger.warning(
        "aotel.set_result() was called outside any span, so a %s result was not recorded; "
        "call it inside a @coat function, a step or a session",
        type(value).__name__,
    )
