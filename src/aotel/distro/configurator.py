"""The configurator of `opentelemetry-instrument`: the SDK's own, with our pipeline, and exporters that end in time."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.environment_variables import OTEL_PYTHON_ID_GENERATOR
from opentelemetry.sdk import _configuration as sdk_configuration

from aotel import settings as environment
from aotel.calls import describe_error
from aotel.calls.port import PORT
from aotel.distro.arguments import Request
from aotel.distro.configuration import apply, say_once, the_pipeline
from aotel.distro.distro import OTEL_CONFIG_FILE
from aotel.distro.hooks import watch_providers
from aotel.distro.metric_export import calm_metrics, meter_provider_is_set
from aotel.distro.span_export import exporting_processor
from aotel.pipeline.provider import current_provider, refit

if TYPE_CHECKING:
    from aotel.pipeline import Pipeline


class _NoConfigurator:
    def configure(self, **kwargs: Any) -> None:
        self._configure(**kwargs)

    def _configure(self, **kwargs: Any) -> None:
        msg = f"this OpenTelemetry SDK has no configurator for {sorted(kwargs)}"
        raise LookupError(msg)


# Private by its name, and there to be subclassed by distros, as its own documentation says.
_Stock: Any = getattr(sdk_configuration, "_OTelSDKConfigurator", _NoConfigurator)


class AotelConfigurator(_Stock):  # type: ignore[misc]
    """Sets the SDK up as the OTEL_* variables, or the file of OTEL_CONFIG_FILE, say, and puts the pipeline on it.

    A program that brought a tracer provider of its own keeps its set-up: the pipeline attaches to it. What can't be set
    up is said once; an exception would end auto-instrumentation as a whole.
    """

    def _configure(self, **kwargs: Any) -> None:
        try:
            settings = environment.load()
            if settings.disabled:
                self._set_up_sdk(kwargs)
            else:
                self._set_up(the_pipeline(settings), kwargs)
        except Exception as error:  # noqa: BLE001 - see the class
            PORT.report("auto-start", error)

    def _set_up(self, pipeline: Pipeline, kwargs: dict[str, Any]) -> None:
        watch_providers()
        complete = True
        if not _provider_is_set():
            metrics_are_theirs = meter_provider_is_set() or _reads_file()
            complete = self._set_up_sdk(_options(kwargs))
            if not metrics_are_theirs:
                calm_metrics()
            if _provider_is_set():
                refit(current_provider(), pipeline, private_ids=not os.environ.get(OTEL_PYTHON_ID_GENERATOR))
        # A file may ask for no tracing at all: then there is nothing to attach to yet.
        if _provider_is_set() or not complete:
            apply(Request(), threads=False)

    def _set_up_sdk(self, options: dict[str, Any]) -> bool:
        """Have the SDK configure itself; return whether it could."""
        try:
            super()._configure(**options)  # pyright: ignore[reportUnknownMemberType]
        except Exception as error:  # noqa: BLE001 - see the class
            say_once(
                f"OpenTelemetry could not be set up as the environment asks ({describe_error(error)}); "
                "what works without it goes on"
            )
            return False
        return True


def _options(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the options for the SDK's configurator: what it was given, and ours that this version of it takes."""
    if _reads_file():
        return {}  # it would grumble about each
    components = getattr(sdk_configuration, "_initialize_components", None)
    if components is None or "export_span_processor" not in inspect.signature(components).parameters:
        return kwargs
    return {**kwargs, "export_span_processor": exporting_processor}


def _reads_file() -> bool:
    if not os.environ.get(OTEL_CONFIG_FILE):
        return False
    if hasattr(sdk_configuration, OTEL_CONFIG_FILE):
        return True
    say_once("OTEL_CONFIG_FILE is set, but this version of the OpenTelemetry SDK reads no file; its variables count")
    return False


def _provider_is_set() -> bool:
    # Asking for the provider sets one if OTEL_PYTHON_TRACER_PROVIDER names it, before it can be configured.
    return getattr(trace, "_TRACER_PROVIDER", trace) is not None and current_provider() is not None
