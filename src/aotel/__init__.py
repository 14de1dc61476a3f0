"""aotel: everything an AI agent does, as OpenTelemetry spans and as an audit trail.

    import aotel

    @aotel.coat("tool")
    def search(query: str) -> list[str]: ...

This is the face: names are handed on here, nothing is defined. What needs the OpenTelemetry SDK is imported on
first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel._version import __version__
from aotel.calls.port import PORT
from aotel.content import describe
from aotel.errors import AotelError, ConfigurationError
from aotel.semconv.operations import Op
from aotel.tracing import coat, emit, notify, progress, run, session, set_result, step, stream, tie

if TYPE_CHECKING:
    from aotel.distro import Handle, Status, configure, flush, shutdown, status
    from aotel.distro import configure as init
    from aotel.instrumentation import instrument, uninstrument

__all__ = [
    "AotelError",
    "ConfigurationError",
    "Handle",
    "Op",
    "Status",
    "__version__",
    "coat",
    "configure",
    "describe",
    "emit",
    "flush",
    "init",
    "instrument",
    "notify",
    "progress",
    "run",
    "session",
    "set_result",
    "shutdown",
    "status",
    "step",
    "stream",
    "tie",
    "uninstrument",
]

_LATER = {
    "Handle": ("aotel.distro", "Handle"),
    "Status": ("aotel.distro", "Status"),
    "configure": ("aotel.distro", "configure"),
    "flush": ("aotel.distro", "flush"),
    "init": ("aotel.distro", "configure"),
    "instrument": ("aotel.instrumentation", "instrument"),
    "shutdown": ("aotel.distro", "shutdown"),
    "status": ("aotel.distro", "status"),
    "uninstrument": ("aotel.instrumentation", "uninstrument"),
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    module, attribute = _LATER[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)


def _autostart() -> None:
    from aotel.distro import autostart

    autostart()


PORT.autostart = _autostart
