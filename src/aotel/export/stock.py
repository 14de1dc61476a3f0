"""The stock OTLP exporters: which one a protocol needs, and one of them per process, called quietly."""

from __future__ import annotations

import contextlib
import importlib.util
import threading
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from aotel import forking
from aotel.calls import describe_error
from aotel.errors import ConfigurationError
from aotel.export.outcome import Outcome, Report, Verdict, judge
from aotel.export.quiet import Hush, listening
from aotel.export.refusals import RefusedError, hear_grpc, hear_http

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from contextlib import AbstractContextManager
    from enum import Enum

    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.trace.export import SpanExporter

GRPC = "grpc"
HTTP = "http/protobuf"

_NEW_CHANNEL = "_initialize_channel_and_stub"  # how the gRPC exporters reconnect

_FORK_PATIENCE = 0.05  # seconds that a fork waits for a call to end by itself
_FORK_BUILDING = 2.0  # seconds that it waits for the exporter to be built
_FORK_LIMIT = 5.0  # seconds that calls wait for a fork at most
_FORK_INTERRUPTED = 0.25  # seconds that it waits for an interrupted one

T_contra = TypeVar("T_contra", contravariant=True)
T = TypeVar("T")


class StockExporter(Protocol[T_contra]):
    """What the exporters of every signal have in common."""

    def export(self, batch: Sequence[T_contra], /) -> Enum:
        """Send a batch; the result is named SUCCESS or FAILURE."""
        ...

    def shutdown(self) -> None:
        """Stop, also in the middle of an `export`."""


def check_protocol(protocol: str) -> None:
    """See that a protocol can be spoken.

    Raises:
        ConfigurationError: it is unknown, or its package is not installed.
    """
    if protocol not in {GRPC, HTTP}:
        raise ConfigurationError(f"OTLP protocol {protocol!r} is not supported: use {GRPC!r} or {HTTP!r}")
    if protocol == HTTP and not _installed("opentelemetry.exporter.otlp.proto.http"):
        raise ConfigurationError("OTLP over HTTP needs a package that is not installed: pip install aotel[http]")


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def shown(endpoint: object) -> str:
    """Return an address as it may stand in a message: without a password."""
    scheme, _, rest = str(endpoint).rpartition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{'://' if scheme else ''}{place.rpartition('@')[2]}{slash}{path}"


def log_exporter(protocol: str, options: dict[str, object]) -> LogRecordExporter:
    """Build the stock log exporter of a protocol; what `options` doesn't say, OTEL_EXPORTER_OTLP_* does."""
    if protocol == HTTP:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as OverHttp

        make = cast("Callable[..., LogRecordExporter]", OverHttp)
    else:
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as OverGrpc

        make = cast("Callable[..., LogRecordExporter]", OverGrpc)
    return make(**_with_own_channel(protocol, options))


def span_exporter(protocol: str, options: dict[str, object]) -> SpanExporter:
    """Build the stock span exporter of a protocol; what `options` doesn't say, OTEL_EXPORTER_OTLP_* does."""
    if protocol == HTTP:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp

        make = cast("Callable[..., SpanExporter]", OverHttp)
    else:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc

        make = cast("Callable[..., SpanExporter]", OverGrpc)
    return make(**_with_own_channel(protocol, options))


def _with_own_channel(protocol: str, options: dict[str, object]) -> dict[str, object]:
    if isinstance(options.get("compression"), str):
        options = {**options, "compression": _compression(protocol, str(options["compression"]))}
    if protocol == HTTP or "channel_options" in options:
        return options
    # Channels share connections by default, also with those of before a fork: "Wrong file descriptor generation".
    return {**options, "channel_options": (("grpc.use_local_subchannel_pool", 1),)}


def _compression(protocol: str, name: str) -> object:
    """Return how the exporter of a protocol calls a compression: "none", "gzip", and over HTTP "deflate"."""
    if protocol == HTTP:
        from opentelemetry.exporter.otlp.proto.http import Compression as OverHttp

        return OverHttp(name)
    from grpc import Compression as OverGrpc

    return {"none": OverGrpc.NoCompression, "gzip": OverGrpc.Gzip, "deflate": OverGrpc.Deflate}[name]


class Stock(forking.Forking, Generic[T]):
    """The stock exporter of this process: built on first use, again in a forked child, and called by one at a time.

    gRPC doesn't survive a fork that happens during a call: children crash or hang. So a fork waits for a moment for
    the call to end, and cuts it short if it doesn't; the call is then made again, on a new channel.

    Args:
        build: makes the exporter.
        given: an exporter that exists already, instead; it can't be made anew, nor its calls be cut short by a fork.
    """

    def __init__(self, build: Callable[[], object] | None = None, *, given: object = None) -> None:
        self._build = build
        self._exporter: StockExporter[T] | None = None
        self._report = Report()
        self._gate = threading.Lock()
        self._hush: Hush | None = None
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._spent = False
        self._held = False
        self._closed = False
        self._inherited = False
        self._parents: list[object] = []
        if given is not None:
            self._adopt(given)
        forking.watch(self)

    def send(self, items: Sequence[T]) -> Outcome:
        """Export items; never raises."""
        while True:
            # Whoever forks is waiting for the gate: it isn't taken again before it had it.
            self._may_go_on.wait(_FORK_LIMIT)
            with self._gate:
                outcome = self._send(items)
                cut_short = self._spent
                if cut_short:
                    self._discard()
                if self._closed and self._hush is not None:
                    self._hush.lift()
            if outcome.verdict is Verdict.DELIVERED or not cut_short or self._closed:
                return outcome

    def _send(self, items: Sequence[T]) -> Outcome:
        if self._closed:
            return Outcome(Verdict.TRANSIENT, "the exporter is shut down")
        if self._exporter is None:
            try:
                self._adopt(cast("Callable[[], object]", self._build)())
            except Exception as error:  # noqa: BLE001  a bad certificate or header must not break the program
                return Outcome(Verdict.TRANSIENT, f"the exporter can't be set up: {describe_error(error)}")
            if self._closed:  # `close` came while there was nothing to stop yet
                self._stop(self._exporter)
        elif self._inherited:
            self._renew_channel()
        return self._call(cast("StockExporter[T]", self._exporter), items)

    def _call(self, exporter: StockExporter[T], items: Sequence[T]) -> Outcome:
        self._report.clear()
        with listening() as heard:
            try:
                delivered = exporter.export(items).name == "SUCCESS"
            except RefusedError:
                delivered = False
            except Exception as error:  # noqa: BLE001  what exporters raise is their own affair
                if self._closed or self._spent or isinstance(error, OSError):
                    return Outcome(Verdict.TRANSIENT, describe_error(error))
                # Only of the OTLP exporters it is known that nothing of the batch was sent.
                otlp = type(exporter).__module__.startswith("opentelemetry.exporter.otlp")
                return Outcome(Verdict.UNENCODABLE if otlp else Verdict.REFUSED, describe_error(error))
        return judge(delivered=delivered, report=self._report, heard=heard)

    def force_flush(self, timeout_millis: int) -> bool:
        """Have the exporter send what it holds itself; the OTLP ones hold nothing."""
        flush = getattr(self._exporter, "force_flush", None)
        with listening():
            return flush is None or bool(flush(timeout_millis))

    def close(self) -> None:
        """Shut the exporter down, at once: a call that runs in another thread is interrupted, if it can be."""
        if self._closed:
            return
        self._closed = True
        self._stop(self._exporter)
        if self._hush is not None and self._gate.acquire(blocking=False):
            # With a call still running, it is up to that one to lift it: it has things to say about its end.
            self._hush.lift()
            self._gate.release()

    @staticmethod
    def _stop(exporter: StockExporter[T] | None) -> None:
        if exporter is not None:
            with contextlib.suppress(Exception), listening():
                exporter.shutdown()

    def _adopt(self, exporter: object) -> None:
        self._exporter = cast("StockExporter[T]", exporter)
        if self._hush is None:
            self._hush = Hush(exporter)
        metrics = getattr(exporter, "_metrics", None)
        if hasattr(metrics, "export_operation"):
            # The one place where it tells the status of a failed call, since 1.42.
            vars(exporter)["_metrics"] = _TappedMetrics(cast("_Metrics", metrics), self._report)
        hear_http(exporter, self._note_wish)
        hear_grpc(exporter, self._note_error)

    def _note_error(self, error: Exception) -> bool:
        """Note an error of gRPC; return whether the request isn't to be sent again as it is."""
        code = getattr(error, "code", None)
        name = getattr(code(), "name", None) if callable(code) else None
        if isinstance(name, str):
            self._report.error, self._report.attributes = error, {"rpc.response.status_code": name}
        # Mostly a request that is too large: sent again for seconds, it stays that.
        return name == "RESOURCE_EXHAUSTED"

    def _note_wish(self, seconds: float) -> None:
        self._report.retry_after = seconds

    def _renew_channel(self) -> None:
        """Give an exporter that was made elsewhere a channel that works here, if it is a gRPC one."""
        self._inherited = False
        renew = getattr(self._exporter, _NEW_CHANNEL, None)
        if callable(renew):
            self._parents.append(getattr(self._exporter, "_channel", None))
            renew()

    def _cut_short(self) -> bool:
        """Make the call that is under way fail; return whether that can be done, and the call be made again."""
        if self._build is not None:
            self._spent = True
            self._stop(self._exporter)
            return True
        if not hasattr(self._exporter, _NEW_CHANNEL):
            return False
        self._spent = True
        close = getattr(getattr(self._exporter, "_channel", None), "close", None)
        with contextlib.suppress(Exception):
            if callable(close):
                close()
        return True

    def _discard(self) -> None:
        """Let go of what was cut short."""
        self._spent = False
        if self._build is None:
            self._inherited = True
        else:
            self._exporter = None

    def before_fork(self) -> None:
        """Let no call be under way while the process forks."""
        self._may_go_on.clear()
        # Being built means being imported: a child that forks in the middle of that can't import it any more.
        building = self._build is not None and self._exporter is None
        self._held = self._gate.acquire(timeout=_FORK_BUILDING if building else _FORK_PATIENCE)
        if not self._held and self._cut_short():
            self._held = self._gate.acquire(timeout=_FORK_INTERRUPTED)

    def after_fork_in_parent(self) -> None:
        """Let calls be made again."""
        self._may_go_on.set()
        if self._held:
            self._held = False
            self._gate.release()

    def after_fork_in_child(self) -> None:
        """Leave the parent's exporter alone: even closing its channel would reach into the parent's threads."""
        self._gate = threading.Lock()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._held = self._spent = False
        if self._build is None:
            self._inherited = True
        elif self._exporter is not None:
            self._parents.append(self._exporter)
            self._exporter = None


class _Metrics(Protocol):
    def export_operation(self, num_items: int) -> AbstractContextManager[Report]: ...


class _TappedMetrics:
    """An exporter's own metrics, with an ear on what they are told of failures."""

    def __init__(self, metrics: _Metrics, report: Report) -> None:
        self._metrics = metrics
        self._report = report

    @contextlib.contextmanager
    def export_operation(self, num_items: int) -> Generator[object]:
        with self._metrics.export_operation(num_items) as result:
            yield result
            self._report.error = getattr(result, "error", None)
            self._report.attributes = getattr(result, "error_attrs", None)
