"""Collectors that are killed while agents work, and backends that are away: what is lost (nothing), and what is not."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from tests.e2e.running import run_program
from tests.e2e_collector.agents import PROGRAM, AgentAtWork, truth, variables
from tests.e2e_collector.collector import until
from tests.e2e_collector.fleet import keys, span_ids, trace_ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e_collector.fleet import Fleet

SMALL_QUEUE = "exporters: {otlp_grpc: {sending_queue: {queue_size: 1_000_000, batch: {min_size: 10_000}}}}"
"""Some seconds of what the program makes: in any case more than it sends in one request."""
WHOLE = {"dropped": 0, "refused": 0, "kept": 0}


def test_kill_of_the_hosts_collector_under_load_loses_nothing(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    """Envelopes wait in the program's memory; spans are sent again by its exporter for 10 s, longer than a restart."""
    with fleet(KEEP_PERCENT="100") as running, AgentAtWork(tmp_path, running.endpoint) as program:
        for _ in range(3):
            program.go_on(200)
            running.agent.kill()
            program.go_on(20)
            running.agent.start()
        program.go_on(200)
        assert program.finish() == WHOLE
        written = program.truth()
        running.wait_for_envelopes(keys(written))
        expected = span_ids(written)
        until(lambda: expected <= {span.span_id for span in running.spans()}, "the store has every span")
        assert trace_ids(written) == {span.trace_id for span in running.spans()}


def test_kill_of_a_gateway_under_load_loses_no_envelope(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    """Spans of runs that wait for their judgement are in its memory alone; those that reach it later all arrive."""
    with fleet(KEEP_PERCENT="100") as running, AgentAtWork(tmp_path, running.endpoint) as program:
        for _ in range(2):
            program.go_on(200)
            running.gateway.kill()
            program.go_on(200)
            killed = keys(program.truth())
            running.gateway.start()
        program.go_on(200)
        assert program.finish() == WHOLE
        written = program.truth()
        running.wait_for_envelopes(keys(written))
        later = [one for one in written if not keys([one]) <= killed]
        # A run that is under way at the last kill has begun before it.
        expected = span_ids(later) - span_ids(one for one in written if keys([one]) <= killed)
        assert expected
        until(lambda: expected <= {span.span_id for span in running.spans()}, "the store has what came afterwards")


def test_hosts_collector_keeps_what_the_gateway_cannot_take_over_its_own_kill(
    fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    with fleet(KEEP_PERCENT="100") as running:
        running.gateway.stop()
        said = run_program(tmp_path, sys.executable, PROGRAM, "50", "0.01", **variables(running.endpoint))
        assert json.loads(said) == WHOLE, "the program has ended, and knows nothing of the outage"
        assert running.envelopes() == []
        running.agent.kill()
        running.agent.start()
        running.gateway.start()
        written = truth(tmp_path)
        running.wait_for_envelopes(keys(written))
        expected = span_ids(written)
        until(lambda: expected <= {span.span_id for span in running.spans()}, "the store has every span")
        until(lambda: expected <= {span.span_id for span in running.phoenix.spans}, "Phoenix has every span")


def test_gateway_keeps_what_phoenix_cannot_take_over_its_own_kill(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    with fleet(KEEP_PERCENT="100") as running:
        running.phoenix.stop()
        run_program(tmp_path, sys.executable, PROGRAM, "50", "0.01", **variables(running.endpoint))
        written = truth(tmp_path)
        expected = span_ids(written)
        # The store comes after Phoenix's queue in the pipeline: what it has is in that queue, and so on disk.
        until(lambda: expected <= {span.span_id for span in running.spans()}, "the store has every span")
        until(lambda: waiting(running) > 0, "the queue for Phoenix fills")
        assert running.phoenix.spans == []
        running.gateway.kill()
        running.gateway.start()
        running.phoenix.start()
        until(lambda: expected <= {span.span_id for span in running.phoenix.spans}, "Phoenix has every span")
        until(lambda: waiting(running) == 0, "the queue is empty again")
        running.wait_for_envelopes(keys(written))


def test_full_queue_refuses_and_programs_send_again(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    with fleet(more=SMALL_QUEUE) as running, AgentAtWork(tmp_path, running.endpoint) as program:
        running.gateway.stop()
        until(lambda: running.agent.metric("otelcol_exporter_enqueue_failed_log_records") > 0, "the queue is full")
        running.gateway.start()
        assert program.finish() == WHOLE
        assert running.agent.metric("otelcol_receiver_refused_log_records") > 0
        running.wait_for_envelopes(keys(program.truth()))


def waiting(running: Fleet) -> float:
    """Return how many bytes the gateway holds for Phoenix."""
    return running.gateway.metric("otelcol_exporter_queue_size", exporter="otlp_grpc/phoenix")
