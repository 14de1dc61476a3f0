"""Forwarding: envelopes that are in the audit log go on to an OTLP endpoint, with the pod's word on whose they are."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from aotel._version import __version__
from aotel.export import OtlpExporter
from aotel.export.counting import ExporterStatus
from aotel.export.rebuilding import log_record
from aotel.export.stock import GRPC, HTTP
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.util.types import AttributeValue

MOST_WAITING: Final = 65_536
"""Envelopes that wait to be sent on, at most."""
MOST_BYTES: Final = 64 << 20
"""Bytes of them, at most."""

_BATCH = 512
_PAUSE = 1.0  # seconds between attempts at what the endpoint didn't take
_LOGS_PATH = "/v1/logs"

_logger = logging.getLogger("aotel")


class Forwarder:
    """Sends envelopes on as log records, in a thread of its own; what it can't keep up with is dropped and counted.

    Args:
        endpoint: of an OTLP receiver: gRPC, or, where it is an URL that ends in /v1/logs, HTTP. Headers, certificates
            and the like are read from OTEL_EXPORTER_OTLP_*.
        pod_id: this pod, for the records' resource.

    Raises:
        ConfigurationError: the endpoint is one of HTTP, and the `[http]` extra is not installed.
    """

    def __init__(self, endpoint: str, pod_id: str = "") -> None:
        over_http = endpoint.startswith(("http://", "https://")) and endpoint.rstrip("/").endswith(_LOGS_PATH)
        self._exporter = OtlpExporter(HTTP if over_http else GRPC, endpoint=endpoint)
        self._endpoint = endpoint
        self._resource = _resource(pod_id)
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._changed = threading.Condition()
        self._closing = False
        self._deadline = 0.0
        # Whoever embeds a pod must be able to end without it.
        self._thread = threading.Thread(target=self._run, name="aotel-forward", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> ExporterStatus:
        """What became of the envelopes until now."""
        own = self._exporter.counts
        with self._changed:
            waiting, dropped = len(self._waiting), self._dropped
        return ExporterStatus(
            own.name,
            state=own.state,
            sent=own.sent,
            retried=own.retried,
            refused=own.refused,
            dropped=own.dropped + dropped,
            waiting=own.waiting + waiting,
            last_error=own.last_error,
        )

    def put(self, envelopes: list[bytes]) -> None:
        """Take envelopes, as JSON in UTF-8; never blocks, never raises."""
        size = sum(map(len, envelopes))
        with self._changed:
            fits = len(self._waiting) + len(envelopes) <= MOST_WAITING and self._bytes + size <= MOST_BYTES
            first = not fits and not self._dropped
            if self._closing or not fits:
                self._dropped += len(envelopes)
            else:
                self._waiting.extend(envelopes)
                self._bytes += size
                self._changed.notify()
        if first and not self._closing:
            _logger.warning(
                "aotel: %s takes envelopes more slowly than they come; what is too much is dropped there and only "
                "counted, the audit log has all of them",
                self._endpoint,
            )

    def close(self, timeout: float = 5.0) -> None:
        """Send what waits, for as long as `timeout` seconds, and stop."""
        with self._changed:
            if self._closing:
                return
            self._deadline = time.monotonic() + timeout
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        self._exporter.shutdown()  # interrupts what is being sent
        self._thread.join(1.0)
        with self._changed:
            self._dropped += len(self._waiting)
            self._waiting.clear()
            self._bytes = 0

    def _run(self) -> None:
        while True:
            batch = self._next()
            if batch is None:
                break
            # Also an empty one: it makes the exporter try again what the endpoint didn't take.
            self._exporter.export([record for each in batch if (record := self._record(each)) is not None])
        while not self._exporter.force_flush() and time.monotonic() < self._deadline:
            time.sleep(0.05)

    def _next(self) -> list[bytes] | None:
        """Return the next envelopes, after a while none; None is the end."""
        with self._changed:
            if not self._waiting and not self._closing:
                self._changed.wait(_PAUSE)
            if self._closing and (not self._waiting or time.monotonic() > self._deadline):
                return None
            taken = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            self._bytes -= sum(map(len, taken))
            return taken

    def _record(self, envelope: bytes) -> ReadableLogRecord | None:
        try:
            return log_record(envelope, self._resource)
        except Exception as error:  # one odd envelope must not end the thread  # noqa: BLE001
            with self._changed:
                first, self._dropped = not self._dropped, self._dropped + 1
            if first:
                _logger.warning("aotel: an envelope can't be sent on, the audit log has it: %s", error)
            return None


def _resource(pod_id: str) -> Resource:
    given: dict[str, AttributeValue] = {"service.name": "aotel-pod", "service.version": __version__}
    if pod_id:
        given[names.ENVPOD_POD_ID] = pod_id
    # What the environment says of the service wins over us.
    return Resource.create().merge(Resource(given)).merge(OTELResourceDetector().detect())
