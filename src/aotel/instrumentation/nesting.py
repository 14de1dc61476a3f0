"""Model calls that make a request through another SDK: the request is part of the call, and no call of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

if TYPE_CHECKING:
    from opentelemetry.context import Context

_INSIDE = otel_context.create_key("aotel-inside-model-call")


def inside(context: Context) -> Context:
    """Return a context in which requests belong to the model call that is being made."""
    return otel_context.set_value(_INSIDE, True, context)  # noqa: FBT003 - the value


def outside(context: Context) -> Context:
    """Return a context in which they are calls of their own again: that of a callback of the program's."""
    return otel_context.set_value(_INSIDE, False, context)  # noqa: FBT003 - the value


def is_inside() -> bool:
    """Say whether a request belongs to a model call that is being made already."""
    return otel_context.get_value(_INSIDE) is True
