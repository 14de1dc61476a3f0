"""Samplers by name, for a provider that we make: of the names in OTEL_TRACES_SAMPLER the SDK knows its own alone."""

from __future__ import annotations

import logging
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace.sampling import DEFAULT_ON, Sampler

from aotel.calls import describe_error

if TYPE_CHECKING:
    from aotel.settings import Settings

_OF_THE_SDK: Final = frozenset(
    f"{prefix}{name}" for prefix in ("", "parentbased_") for name in ("always_on", "always_off", "traceidratio")
)

_logger = logging.getLogger("aotel")


def sampler_by_name(settings: Settings) -> Sampler | None:
    """Return the sampler that the environment names, of those that packages provide as entry points.

    Args:
        settings: what the environment says.

    Returns:
        None where it names none, or one of the SDK's own.
    """
    name = settings.traces_sampler
    if not name or name.lower() in _OF_THE_SDK:
        return None
    try:
        return _load(name, settings.traces_sampler_arg)
    except Exception as error:  # noqa: BLE001 - a bad sampler must not keep the program from running
        _logger.warning(
            "aotel: the sampler %r of OTEL_TRACES_SAMPLER could not be set up (%s); all traces are exported, "
            "save those whose parent is not",
            name,
            describe_error(error),
        )
        return DEFAULT_ON


def _load(name: str, argument: str | None) -> Sampler:
    for entry_point in entry_points(group="opentelemetry_traces_sampler", name=name):
        made = entry_point.load()(argument)
        if not isinstance(made, Sampler):
            msg = f"expected a Sampler of {entry_point.value}, came {type(made).__qualname__}"
            raise TypeError(msg)
        return made
    msg = "no installed package provides it"
    raise LookupError(msg)
