"""What runs under `opentelemetry-instrument` whichever distro won, and the watch on providers that are made later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry.sdk.trace import TracerProvider

from aotel import settings as environment
from aotel.calls.port import PORT
from aotel.distro.arguments import Request
from aotel.distro.configuration import STATE, adopt, apply
from aotel.pipeline.provider import current_provider

if TYPE_CHECKING:
    from collections.abc import Callable

_WATCHED = "_aotel_watched"


def pre_instrument() -> None:
    """Attach to the tracer provider that there is, and to each that the program makes later; never raises.

    The entry point of the group `opentelemetry_pre_instrument`: other distros and configurators may have set the SDK
    up, or nobody has.
    """
    try:
        disabled = environment.load().disabled
        if not disabled:
            watch_providers()
        if STATE.request is None and (disabled or current_provider() is not None):
            apply(Request(), threads=False)
    except Exception as error:  # noqa: BLE001 - an exception here would end the program's auto-instrumentation
        PORT.report("auto-start", error)


def watch_providers() -> None:
    """Attach to every tracer provider of the SDK that is made from now on, before anything else is added to it."""
    if not getattr(TracerProvider, _WATCHED, False):
        setattr(TracerProvider, _WATCHED, True)
        wrapt.wrap_function_wrapper(TracerProvider, "__init__", _make_and_adopt)


def _make_and_adopt(
    make: Callable[..., None], provider: TracerProvider, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    make(*args, **kwargs)
    try:
        adopt(provider)
    except Exception as error:  # noqa: BLE001 - the program only wanted a provider
        PORT.report("attaching to a tracer provider", error)
