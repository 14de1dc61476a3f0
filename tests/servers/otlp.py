"""OTLP receivers, over gRPC and over HTTP, that keep what they are sent, and misbehave on request."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections import deque
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

import grpc
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from tests.servers.received import log_records_of, metrics_of, points_of, spans_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from trustme import LeafCert
    from typing_extensions import Self

    from tests.servers.received import ReceivedLogRecord, ReceivedPoint, ReceivedSpan

_LIMIT = 4 << 20  # bytes of a gRPC message that servers take by default
_PATIENCE = 60.0  # seconds that a request is held at most


class _Receiver:
    """What receivers of either protocol keep."""

    def __init__(self, delay: float) -> None:
        self.spans: list[ReceivedSpan] = []
        self.log_records: list[ReceivedLogRecord] = []
        self.metrics: list[str] = []
        """Names of the metrics that came, over HTTP."""
        self.points: list[ReceivedPoint] = []
        self.requests = 0
        """Requests of every kind, the failed ones too."""
        self.sizes: list[int] = []
        """Bytes of each request that was taken."""
        self.received = bytearray()
        """Every byte that was taken, as it is on the wire before compression."""
        self.headers: list[dict[str, str]] = []
        """Headers (metadata) of every request, names in lower case."""
        self.paths: list[str] = []
        """Path of every request over HTTP."""
        self.times: list[float] = []
        """When each request came, by the monotonic clock."""
        self.failing: str | int | None = None
        """The status that every request fails with, for as long as it is set."""
        self.gate = threading.Event()
        """While it is cleared, every request waits."""
        self.gate.set()
        self._delay = delay
        self._changed = threading.Condition()

    def wait_for_spans(self, number: int, timeout: float = 10.0) -> list[ReceivedSpan]:
        """Return the spans as soon as there are that many.

        Raises:
            TimeoutError: there are fewer after `timeout` seconds.
        """
        self._wait(lambda: len(self.spans) >= number, timeout, f"{number} spans")
        return list(self.spans)

    def wait_for_log_records(self, number: int, timeout: float = 10.0) -> list[ReceivedLogRecord]:
        """Return the log records as soon as there are that many.

        Raises:
            TimeoutError: there are fewer after `timeout` seconds.
        """
        self._wait(lambda: len(self.log_records) >= number, timeout, f"{number} log records")
        return list(self.log_records)

    def wait_for_points(self, number: int, timeout: float = 10.0) -> list[ReceivedPoint]:
        """Return the data points of metrics as soon as there are that many.

        Raises:
            TimeoutError: there are fewer after `timeout` seconds.
        """
        self._wait(lambda: len(self.points) >= number, timeout, f"{number} data points")
        return list(self.points)

    def wait_for_requests(self, number: int, timeout: float = 10.0) -> None:
        """Return as soon as there were that many requests, failed ones too.

        Raises:
            TimeoutError: there are fewer after `timeout` seconds.
        """
        self._wait(lambda: self.requests >= number, timeout, f"{number} requests")

    def _wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                got = f"{len(self.spans)} spans, {len(self.log_records)} log records, {self.requests} requests"
                raise TimeoutError(f"no {what} after {timeout} s, but {got}")

    def _note(self, headers: Iterable[tuple[str, str | bytes]]) -> None:
        with self._changed:
            self.requests += 1
            self.times.append(time.monotonic())
            self.headers.append({name.lower(): str(value) for name, value in headers})
            self._changed.notify_all()
        self.gate.wait(_PATIENCE)
        if self._delay:
            time.sleep(self._delay)

    def _keep(
        self,
        data: bytes,
        *,
        spans: Sequence[ReceivedSpan] = (),
        log_records: Sequence[ReceivedLogRecord] = (),
        metrics: Sequence[str] = (),
        points: Sequence[ReceivedPoint] = (),
    ) -> None:
        with self._changed:
            self.sizes.append(len(data))
            self.received += data
            self.spans.extend(spans)
            self.log_records.extend(log_records)
            self.metrics.extend(metrics)
            self.points.extend(points)
            self._changed.notify_all()


class OtlpReceiver(_Receiver):
    """A gRPC receiver of spans and log records, as strict about message size as servers are by default.

    Args:
        statuses: gRPC status names that the first requests fail with ("UNAVAILABLE", ...); "OK" is none.
        logs: whether it takes log records; otherwise they are UNIMPLEMENTED.
        metrics: whether it takes metrics, likewise.
        delay: seconds that every answer takes.
        port: to listen on; 0 finds a free one.
        lifetime: seconds after which it stops by itself.
        certificate: what it shows to those who connect; without one it speaks no TLS.
        retry_after: seconds to wait that RetryInfo asks for beside a status.
        limit: bytes of a message that it takes.
    """

    def __init__(
        self,
        *,
        statuses: Iterable[str] = (),
        logs: bool = True,
        metrics: bool = False,
        delay: float = 0.0,
        port: int = 0,
        lifetime: float = 60.0,
        certificate: LeafCert | None = None,
        retry_after: int | None = None,
        limit: int = _LIMIT,
    ) -> None:
        super().__init__(delay)
        self.statuses = deque(statuses)
        self._logs = logs
        self._retry_after = retry_after
        self._limit = limit
        self._metrics = metrics
        self._lifetime = lifetime
        self._certificate = certificate
        self.port = port or _free_port()
        self._server: grpc.Server | None = None

    @property
    def endpoint(self) -> str:
        """Its URL, for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; also again, after `stop`, on the same port."""
        server = grpc.server(
            futures.ThreadPoolExecutor(4),
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", self._limit)],
        )
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Traces(self), server)  # type: ignore[no-untyped-call]
        if self._logs:
            logs_service_pb2_grpc.add_LogsServiceServicer_to_server(_Logs(self), server)  # type: ignore[no-untyped-call]
        if self._metrics:
            metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(_Metrics(self), server)  # type: ignore[no-untyped-call]
        self._listen(server, f"127.0.0.1:{self.port}")
        server.start()
        self._server = server
        ending = threading.Timer(self._lifetime, server.stop, [None])
        ending.daemon = True
        ending.start()
        self._ending = ending

    def _listen(self, server: grpc.Server, address: str) -> None:
        if self._certificate is None:
            server.add_insecure_port(address)
            return
        chain = b"".join(blob.bytes() for blob in self._certificate.cert_chain_pems)
        server.add_secure_port(
            address, grpc.ssl_server_credentials([(self._certificate.private_key_pem.bytes(), chain)])
        )

    def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._server is not None:
            self._ending.cancel()
            self._server.stop(None).wait(5)
            self._server = None

    def _admit(self, context: grpc.ServicerContext) -> None:
        """Note a request; end it with the next status that was asked for."""
        self._note(cast("Iterable[tuple[str, str | bytes]]", context.invocation_metadata()))
        status = str(self.statuses.popleft() if self.statuses else self.failing or "OK")
        if status != "OK":
            if self._retry_after is not None:
                context.set_trailing_metadata((("grpc-status-details-bin", _wait(self._retry_after)),))
            context.abort(grpc.StatusCode[status], f"{status} on request")


def _wait(seconds: int) -> bytes:
    """Return the details of a status that asks for a wait."""
    details = status_pb2.Status()
    details.details.add().Pack(error_details_pb2.RetryInfo(retry_delay={"seconds": seconds}))
    found: bytes = details.SerializeToString()
    return found


class _Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver

    def Export(  # the service's own name
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        self._receiver._admit(context)
        self._receiver._keep(request.SerializeToString(), spans=spans_of(request))
        return trace_service_pb2.ExportTraceServiceResponse()


class _Logs(logs_service_pb2_grpc.LogsServiceServicer):
    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver

    def Export(  # the service's own name
        self, request: logs_service_pb2.ExportLogsServiceRequest, context: grpc.ServicerContext
    ) -> logs_service_pb2.ExportLogsServiceResponse:
        self._receiver._admit(context)
        self._receiver._keep(request.SerializeToString(), log_records=log_records_of(request))
        return logs_service_pb2.ExportLogsServiceResponse()


class _Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver

    def Export(  # the service's own name
        self, request: metrics_service_pb2.ExportMetricsServiceRequest, context: grpc.ServicerContext
    ) -> metrics_service_pb2.ExportMetricsServiceResponse:
        self._receiver._admit(context)
        self._receiver._keep(request.SerializeToString(), points=points_of(request))
        return metrics_service_pb2.ExportMetricsServiceResponse()


class OtlpHttpReceiver(_Receiver):
    """An HTTP receiver of spans, log records and metrics in protobuf.

    Args:
        statuses: HTTP statuses that the first requests are answered with (404, 429, 503, ...).
        logs: whether it takes log records; otherwise they are 404.
        retry_after: what Retry-After says beside a status, in seconds or as a date.
        delay: seconds that every answer takes.
        certificate: what it shows to those who connect; without one it speaks no TLS.
        limit: bytes of a request that it takes, before compression.
    """

    def __init__(
        self,
        *,
        statuses: Iterable[int] = (),
        logs: bool = True,
        retry_after: float | str | None = None,
        delay: float = 0.0,
        certificate: LeafCert | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(delay)
        self.statuses = deque(statuses)
        self._logs = logs
        self.retry_after = retry_after
        self._certificate = certificate
        self._limit = limit
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def endpoint(self) -> str:
        """Its URL, for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"{'http' if self._certificate is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self) -> None:
                receiver._answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class' name
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False  # a client may keep its connection

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # the client went away

        server = Server(("127.0.0.1", 0), Handler)
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = server.server_address[1]
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(5)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        data = request.rfile.read(int(request.headers.get("content-length", "0")))
        if request.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        self.paths.append(request.path)
        self._note(request.headers.items())
        status = int(self.statuses.popleft() if self.statuses else self.failing or 200)
        if request.path == "/v1/logs" and not self._logs:
            status = 404
        if self._limit is not None and len(data) > self._limit:
            status = 413
        if status == 200:
            self._take(request.path, data)
        request.send_response(status)
        if status != 200 and self.retry_after is not None:
            request.send_header("Retry-After", str(self.retry_after))
        request.send_header("Content-Type", "application/x-protobuf")
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _take(self, path: str, data: bytes) -> None:
        if path.endswith("/v1/traces"):
            self._keep(data, spans=spans_of(trace_service_pb2.ExportTraceServiceRequest.FromString(data)))
        elif path.endswith("/v1/metrics"):
            self._keep(data, metrics=metrics_of(metrics_service_pb2.ExportMetricsServiceRequest.FromString(data)))
        else:
            self._keep(data, log_records=log_records_of(logs_service_pb2.ExportLogsServiceRequest.FromString(data)))


class BlackHole:
    """A TCP port that takes connections and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]

    @property
    def endpoint(self) -> str:
        """Its URL, for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
