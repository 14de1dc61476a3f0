"""Where a host's collector sends what: traces whole to one of several gateways, tenants' names with their envelopes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import trustme

from tests.e2e.phoenix import free_ports
from tests.e2e.running import run_program
from tests.e2e_collector.agents import PROGRAM, truth, variables
from tests.e2e_collector.collector import LIFETIME, Collector, until
from tests.e2e_collector.fleet import AGENT, HOST, keys, span_ids, trace_ids, write_certificates
from tests.examples.collector_files import additions
from tests.servers.otlp import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e_collector.fleet import Fleet


def addition(word: str) -> str:
    """Return the addition to agent.yaml that the page shows, and that has a word in it."""
    (found,) = (more for name, more in additions().values() if name == "agent.yaml" and word in more)
    return found


def test_each_trace_goes_whole_to_one_of_two_gateways(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    with fleet(gateways=2, more=addition("static"), KEEP_PERCENT="100") as running:
        run_program(tmp_path, sys.executable, PROGRAM, "60", "0.01", **variables(running.endpoint))
        written = truth(tmp_path)
        expected = span_ids(written)
        until(lambda: expected <= {span.span_id for span in running.spans()}, "the store has every span")
        first, second = ({span.trace_id for span in running.spans(gateway)} for gateway in (1, 2))
        assert first
        assert second
        assert not first & second
        assert first | second == trace_ids(written)


def test_a_tenants_name_travels_with_its_envelopes(tmp_path: Path) -> None:
    authority = trustme.CA()
    (tmp_path / "more.yaml").write_text(addition("headers_setter"), encoding="utf-8")
    with OtlpReceiver(lifetime=LIFETIME, certificate=authority.issue_cert(HOST)) as gateway:
        grpc, http = map(str, free_ports(2))
        settings = {
            **write_certificates(authority, tmp_path),
            "GATEWAY_HOST": HOST,
            "GATEWAY_PORT": str(gateway.port),
            "OTLP_GRPC_PORT": grpc,
            "OTLP_HTTP_PORT": http,
        }
        with Collector(tmp_path / "agent", (*AGENT, str(tmp_path / "more.yaml")), settings):
            sent = {}
            for tenant in ("acme", "umbrella"):
                (tmp_path / tenant).mkdir()
                said = variables(f"http://{HOST}:{grpc}", OTEL_EXPORTER_OTLP_HEADERS=f"x-tenant={tenant}")
                run_program(tmp_path / tenant, sys.executable, PROGRAM, "3", "0", **said)
                sent[tenant] = keys(truth(tmp_path / tenant))
            arrived = gateway.wait_for_log_records(sum(map(len, sent.values())), timeout=30)
    assert keys(json.loads(str(record.body)) for record in arrived) == sent["acme"] | sent["umbrella"]
    tenants = {headers["x-tenant"] for headers in gateway.headers if "x-tenant" in headers}
    assert tenants == {"acme", "umbrella"}
