"""The arguments of `configure`, checked: a clear error at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from aotel.backends import PRESETS
from aotel.errors import ConfigurationError
from aotel.instrumentation import supported
from aotel.settings import check_envelopes
from aotel.tracing.arguments import check_capture, check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs.export import LogRecordExporter

_YEAR = 365 * 86_400.0  # seconds


class Request(NamedTuple):
    """What `configure` was asked for."""

    session_id: str | None = None
    agent_id: str | None = None
    agent_role: str | None = None
    capture: str | None = None
    envelopes: str | Sequence[str] | None = None
    exporters: Sequence[LogRecordExporter] = ()
    backend: str | Sequence[str] | None = None
    instrument: str | Sequence[str] | None = None
    inline: bool = False
    redact: Callable[[str], str] | None = None
    tracer_provider: Any = None
    flush_timeout: float = 5.0

    def checked(self) -> Request:
        """Return the same with values in one form.

        Raises:
            TypeError: an argument has the wrong type.
            ConfigurationError: an argument has a value that is not accepted.
        """
        for argument in ("session_id", "agent_id", "agent_role"):
            check_name(getattr(self, argument), argument)
        for exporter in _items("exporters", self.exporters):
            if not callable(getattr(exporter, "export", None)):
                msg = f"exporters are LogRecordExporters (with an export method), got {type(exporter).__name__}"
                raise TypeError(msg)
        if self.tracer_provider is not None and not callable(getattr(self.tracer_provider, "get_tracer", None)):
            msg = f"tracer_provider is a TracerProvider or None, got {type(self.tracer_provider).__name__}"
            raise TypeError(msg)
        if self.redact is not None and not callable(self.redact):
            msg = f"redact is a function from a string to a string, got {type(self.redact).__name__}"
            raise TypeError(msg)
        return self._replace(
            capture=check_capture(self.capture),
            envelopes=_envelopes(self.envelopes),
            exporters=tuple(self.exporters),
            backend=_backends(self.backend),
            instrument=_libraries(self.instrument),
            flush_timeout=seconds(self.flush_timeout, "flush_timeout"),
        )


def _envelopes(asked: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if asked is None:
        return None
    try:
        return check_envelopes(asked.split(",") if isinstance(asked, str) else _items("envelopes", asked))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _backends(asked: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if asked is None:
        return None
    given = tuple(asked.split(",")) if isinstance(asked, str) else _items("backend", asked)
    names = tuple(dict.fromkeys(name.strip().lower() if isinstance(name, str) else name for name in given))
    for name in names:
        if name not in PRESETS:
            msg = f"backend names some of {', '.join(PRESETS)}; got {name!r:.80}"
            raise ConfigurationError(msg)
    return names


def _libraries(asked: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if asked is None:
        return None
    names = tuple(asked.split(",")) if isinstance(asked, str) else _items("instrument", asked)
    known = ("all", "none", *supported())
    for name in names:
        if name not in known:
            msg = f"instrument names libraries, some of {', '.join(known)}; got {name!r:.80}"
            raise ConfigurationError(msg)
    return names


def _items(argument: str, value: Any) -> tuple[Any, ...]:
    try:
        return tuple(value)
    except TypeError:
        msg = f"{argument} is a list or tuple, got {type(value).__name__}: {value!r:.80}"
        raise TypeError(msg) from None


def seconds(value: Any, argument: str = "timeout") -> float:
    """Return a number of seconds that clocks and threads can take; more than a year counts as a year.

    Raises:
        TypeError: `value` is no number.
        ConfigurationError: `value` is negative or not a number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        msg = f"{argument} is a number of seconds, got {type(value).__name__}: {value!r:.80}"
        raise TypeError(msg)
    if not value >= 0:
        msg = f"{argument} is a number of seconds that is not negative, got {value}"
        raise ConfigurationError(msg)
    return float(min(value, _YEAR))
