"""An OTLP receiver over gRPC in a process of its own: takes everything, keeps nothing; ends with its parent's pipe."""

from __future__ import annotations

import sys
from concurrent import futures

import grpc

_SERVICES = {
    f"opentelemetry.proto.collector.{signal}.v1.{service}": {
        "Export": grpc.unary_unary_rpc_method_handler(lambda request, context: b"")  # noqa: ARG005 - an empty answer
    }
    for signal, service in (("trace", "TraceService"), ("logs", "LogsService"), ("metrics", "MetricsService"))
}


def main() -> None:
    """Serve on a free port until standard input closes."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    for name, handlers in _SERVICES.items():
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"http://127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None).wait(5)


if __name__ == "__main__":
    main()
