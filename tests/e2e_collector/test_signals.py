"""Spans, envelopes and metrics through both layers of collectors."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.e2e.demo import QUESTION, ROOT_SPAN
from tests.e2e.running import AGENT, INSTRUMENT, run_program
from tests.e2e_collector.agents import PROGRAM, truth, variables
from tests.e2e_collector.collector import until
from tests.e2e_collector.fleet import keys, span_ids, trace_ids
from tests.examples.programs import module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e_collector.fleet import Envelope, Fleet

SLOW = 3.0  # seconds


def test_demo_arrives_whole(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    local = module("local_server")
    with fleet(KEEP_PERCENT="100") as running, local.LocalServer() as server:
        settings = variables(running.endpoint, OPENAI_BASE_URL=server.url, OPENAI_MODEL=local.MODEL)
        run_program(tmp_path, *INSTRUMENT, AGENT, "--question", QUESTION, **settings)
        written = truth(tmp_path)
        assert {one["kind"] for one in written} >= {"agent.llm.response", "agent.tool.call", "coat.error"}

        running.wait_for_envelopes(keys(written))
        assert set(map(json.dumps, running.envelopes())) == set(map(json.dumps, written)), "as they were written"

        expected = span_ids(written)
        until(lambda: expected <= {span.span_id for span in running.phoenix.spans}, "Phoenix has every operation")
        until(lambda: expected <= {span.span_id for span in running.spans()}, "the store has every operation")
        assert ROOT_SPAN in {span.name for span in running.phoenix.spans}
        assert {span.resource["tenant.id"] for span in running.phoenix.spans} == {"acme"}

        until(lambda: "gen_ai.client.operation.duration" in running.metrics.metrics, "metrics arrive")
        assert "gen_ai.client.token.usage" in running.metrics.metrics


def test_http_is_taken_as_well(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    with fleet(KEEP_PERCENT="100") as running:
        settings = variables(running.http_endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf")
        said = json.loads(run_program(tmp_path, sys.executable, PROGRAM, "3", "0", **settings))
        assert said == {"dropped": 0, "refused": 0, "kept": 0}
        running.wait_for_envelopes(keys(truth(tmp_path)))
        expected = span_ids(truth(tmp_path))
        until(lambda: expected <= {span.span_id for span in running.phoenix.spans}, "Phoenix has every operation")


def test_sampling_keeps_errors_and_slow_runs_whole_and_every_envelope(
    fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    with fleet(KEEP_PERCENT="0", SLOW_MS=str(int(SLOW * 1000))) as running:
        events = ("error:2", f"slow:5:{SLOW + 0.5}")
        run_program(tmp_path, sys.executable, PROGRAM, "8", "0", "", *events, **variables(running.endpoint))
        written = truth(tmp_path)
        assert len(trace_ids(written)) == 8
        running.wait_for_envelopes(keys(written))

        kept = worth_keeping(written)
        assert 2 <= len(kept) < 8
        until(lambda: judged(running) == 8, "every run is judged")
        expected = {one["ids"]["span_id"].removeprefix("sp_") for one in written if one["ids"]["trace_id"][3:] in kept}
        until(lambda: expected <= {span.span_id for span in running.phoenix.spans}, "Phoenix has what is kept")
        until(lambda: expected <= {span.span_id for span in running.spans()}, "the store has what is kept")
        assert {span.trace_id for span in running.phoenix.spans} == kept
        assert {span.trace_id for span in running.spans()} == kept


def worth_keeping(envelopes: list[Envelope]) -> set[str]:
    """Return the traces in which something failed, or that took long, as the program itself knows it."""
    took: dict[str, float] = defaultdict(float)
    kept = set()
    for one in envelopes:
        trace = one["ids"]["trace_id"].removeprefix("tr_")
        took[trace] = max(took[trace], one["payload"].get("duration_ms", 0))
        if one["kind"] == "coat.error":
            kept.add(trace)
    return kept | {trace for trace, milliseconds in took.items() if milliseconds >= SLOW * 1000}


def judged(running: Fleet) -> float:
    """Return how many traces the gateway has decided on."""
    return running.gateway.metric("otelcol_processor_tail_sampling_global_count_traces_sampled")
