"""Both layers of collectors, as the examples configure them, with receivers of the tests behind them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import trustme

from tests.e2e.phoenix import free_ports
from tests.e2e_collector.collector import LIFETIME, Collector, until
from tests.servers.otlp import OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Self

Envelope = dict[str, Any]
Key = tuple[str, str, int]
"""Producer, span and number: what tells an envelope from all others."""

HOST = "127.0.0.1"
AGENT = ("agent.yaml",)
GATEWAY = ("gateway.yaml", "store-file.yaml")
QUICK = {"DECISION_WAIT": "20s", "DECISION_WAIT_AFTER_ROOT": "2s"}
"""A gateway that waits for the runs of tests, not of agents."""


@dataclass(frozen=True)
class StoredSpan:
    """A span in the store; ids in hex."""

    trace_id: str
    span_id: str
    name: str


class Fleet:
    """A host's collector, a gateway, a receiver in the place of Phoenix, one of metrics, and a folder for a store.

    Args:
        directory: where all of it is.
        gateways: how many; from two on, the host's collector is started with `more`, too.
        more: a configuration that names two of them by GATEWAY_1 and GATEWAY_2.
        gateway: variables of the gateways.

    Attributes:
        gateways: all gateways; `gateway` is the first.
    """

    def __init__(self, directory: Path, gateways: int = 1, more: str = "", **gateway: str) -> None:
        grpc, http, *ports = map(str, free_ports(2 + gateways))
        self.endpoint = f"http://{HOST}:{grpc}"
        self.http_endpoint = f"http://{HOST}:{http}"
        self.archive = directory / "archive"
        self.phoenix = OtlpReceiver(lifetime=LIFETIME)
        self.metrics = OtlpHttpReceiver()
        self._open = contextlib.ExitStack()
        self._open.enter_context(self.metrics)
        shared = write_certificates(trustme.CA(), directory)
        (directory / "more.yaml").write_text(more or "{}", encoding="utf-8")
        self.agent = Collector(
            directory / "agent",
            (*AGENT, str(directory / "more.yaml")),
            {
                **shared,
                "GATEWAY_HOST": HOST,
                "GATEWAY_PORT": ports[0],
                **{f"GATEWAY_{number}": f"{HOST}:{port}" for number, port in enumerate(ports, 1)},
                "OTLP_GRPC_PORT": grpc,
                "OTLP_HTTP_PORT": http,
            },
        )
        self.gateways = [
            Collector(
                directory / f"gateway-{number}",
                GATEWAY,
                {
                    **shared,
                    "GATEWAY_LISTEN": HOST,
                    "GATEWAY_PORT": port,
                    "PHOENIX_OTLP": f"{HOST}:{self.phoenix.port}",
                    "PHOENIX_PLAINTEXT": "true",
                    "METRICS_OTLP": self.metrics.endpoint,
                    "ARCHIVE": str(self.archive / str(number)),
                    **QUICK,
                    **gateway,
                },
            )
            for number, port in enumerate(ports, 1)
        ]
        self.gateway = self.gateways[0]

    def __enter__(self) -> Self:
        self._open.enter_context(self.phoenix)
        for collector in (*self.gateways, self.agent):
            self._open.enter_context(collector)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def envelopes(self) -> list[Envelope]:
        """Return the envelopes in the store, twice what came twice."""
        records = _members(self._lines("envelopes"), "resourceLogs", "scopeLogs", "logRecords")
        return [json.loads(record["body"]["stringValue"]) for record in records]

    def spans(self, gateway: int | None = None) -> list[StoredSpan]:
        """Return the spans in the store, or those that one of the gateways has put there."""
        lines = self._lines("spans", "*" if gateway is None else str(gateway))
        found = _members(lines, "resourceSpans", "scopeSpans", "spans")
        return [StoredSpan(span["traceId"], span["spanId"], span["name"]) for span in found]

    def wait_for_envelopes(self, expected: set[Key]) -> None:
        """Return once the store has all of these."""
        until(lambda: expected <= keys(self.envelopes()), "the store has every envelope that was written")

    def _lines(self, name: str, gateway: str = "*") -> Iterator[Any]:
        for path in self.archive.glob(f"{gateway}/{name}*.jsonl"):
            for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
                if line.endswith("\n"):  # the last one may be half written
                    yield json.loads(line)


def keys(envelopes: Iterable[Envelope]) -> set[Key]:
    """Return what tells each of some envelopes from all others."""
    return {(one["producer"], one["ids"]["span_id"], one["seq"]) for one in envelopes}


def span_ids(envelopes: Iterable[Envelope]) -> set[str]:
    """Return the ids of the spans that some envelopes are of."""
    return {one["ids"]["span_id"].removeprefix("sp_") for one in envelopes}


def trace_ids(envelopes: Iterable[Envelope]) -> set[str]:
    """Return the ids of the traces that some envelopes are of."""
    return {one["ids"]["trace_id"].removeprefix("tr_") for one in envelopes}


def _members(requests: Iterable[Any], *path: str) -> Iterator[Any]:
    found = requests
    for name in path:
        found = [member for one in found for member in one[name]]
    return iter(found)


def write_certificates(authority: trustme.CA, directory: Path) -> dict[str, str]:
    """Write certificates for both layers; return the variables that name them."""
    own = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    own.private_key_pem.write_to_path(str(directory / "key.pem"))
    (directory / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    return {f"TLS_{name.upper()}": str(directory / f"{name}.pem") for name in ("ca", "cert", "key")}
