"""The configurator of `opentelemetry-instrument`: the SDK's own, with our pipeline on it and exporters that end in time."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.environment_variables import OTEL_PYTHON_ID_GENERATOR
from opentelemetry.sdk._configuration import _OTelSDKConfigurator

from aotel.calls.port import PORT
from aotel.distro.arguments import Request
from aotel.distro.configuration import apply, say_once, the_pipeline
from aotel.distro.distro import OTEL_CONFIG_FILE
from aotel.distro.hooks import watch_providers
from aotel.export import bounded_batch_processor
from aotel.pipeline.provider import current_provider, refit

if TYPE_CHECKING:
    from aotel.pipeline import Pipeline


class AotelConfigurator(_OTelSDKConfigurator):
    """Sets the SDK up as the OTEL_* variables, or the file of OTEL_CONFIG_FILE, say, and puts the pipeline on it.

    A program that brought a tracer provider of its own keeps its set-up: the pipeline attaches to it. What can't be set
    up is said once; an exception would end auto-instrumentation as a whole.
    """

    def _configure(self, **kwargs: Any) -> None:
        try:
            pipeline = the_pipeline()
            if pipeline is None:
                self._stock(kwargs)
            else:
                self._ours(pipeline, kwargs)
        except Exception as error:  # noqa: BLE001 - see the class
            PORT.report("auto-start", error)

    def _ours(self, pipeline: Pipeline, kwargs: dict[str, Any]) -> None:
        watch_providers()
        complete = True
        if not _is_set():
            from_file = bool(os.environ.get(OTEL_CONFIG_FILE))
            complete = self._stock({} if from_file else {**kwargs, "export_span_processor": _export_processor()})
            if _is_set():
                refit(current_provider(), pipeline, private_ids=OTEL_PYTHON_ID_GENERATOR not in os.environ)
        # A file may ask for no tracing at all: then nothing is made.
        if _is_set() or not complete:
            apply(Request(), threads=False)

    def _stock(self, options: dict[str, Any]) -> bool:
        """Have the SDK configure itself; return whether it could."""
        try:
            super()._configure(**options)
        except Exception as error:  # noqa: BLE001 - see the class
            say_once(f"OpenTelemetry could not be set up as the environment asks ({type(error).__name__}: {error:.300s})")
            return False
        return True
