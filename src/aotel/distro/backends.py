"""Backends by name: their span exporters on whatever tracer provider there is, and what they change of the settings."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from aotel import backends
from aotel.calls import describe_error
from aotel.distro.span_export import exporting_processor
from aotel.export import otlp_span_exporter
from aotel.export.projects import Project
from aotel.export.spans import Destination
from aotel.export.stock import shown
from aotel.pipeline.provider import add_processor

if TYPE_CHECKING:
    from aotel.backends import Target
    from aotel.distro.arguments import Request
    from aotel.settings import Settings

_logger = logging.getLogger("aotel")

_ADDED = "_aotel_backends"
_said: set[str] = set()


def with_backends(settings: Settings, request: Request) -> Settings:
    """Return settings with the backends that count: those of the environment, else those that were asked for.

    Where they alone say where spans go, only the vocabularies that they read are written, and each is sent its own.

    Args:
        settings: what the environment says.
        request: what `configure` was asked for.
    """
    names = settings.backend or tuple(request.backend or ())
    if not names:
        return settings
    others = set(settings.traces_exporter) - {"none", *names}
    alone = not settings.dialects_set and not others
    return settings.with_backend(names, backends.dialects_of(names) if alone else settings.dialects)


def add_backend_exporters(provider: Any, settings: Settings, flush_timeout: float) -> None:
    """Have a provider's spans sent to each backend that settings name, once a provider.

    What can't be set up is said once; the program goes on.

    Args:
        provider: anything that takes span processors.
        settings: which backends.
        flush_timeout: seconds that the end of the program may take.
    """
    for sentence in backends.missing(settings).values():
        if sentence not in _said:
            _said.add(sentence)
            _logger.warning("aotel: %s", sentence)
    added: set[str] = vars(provider).setdefault(_ADDED, set()) if hasattr(provider, "__dict__") else set()
    for target in backends.targets(settings):
        if target.backend in added:
            continue
        added.add(target.backend)
        try:
            exporter = _exporter(target, everything=settings.dialects_set)
            add_processor(provider, partial(exporting_processor, exporter, flush_timeout))
        except Exception as error:  # noqa: BLE001 - a bad exporter must not keep the program from running
            _logger.warning("aotel: spans can't be sent to %s (%s)", target.backend, describe_error(error))


def _exporter(target: Target, *, everything: bool) -> Any:
    return otlp_span_exporter(
        target.protocol,
        destination=Destination(
            f"{target.backend} ({shown(target.endpoint)})",
            target.keys,
            Project(target.project, needed=target.needs_project),
            # Who says which vocabularies are written means all backends.
            None if everything else frozenset(target.dialects),
        ),
        **target.options(),
    )
