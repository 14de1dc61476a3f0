"""The end of a program: everything is delivered if it can be, and in time if it can't."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from tests.distro.programs import CALL, SPANS
from tests.servers import BlackHole

if TYPE_CHECKING:
    from tests.distro.programs import Programs
    from tests.servers import OtlpReceiver

METRIC = """
    from opentelemetry import metrics

    metrics.get_meter("app").create_counter("calls").add(1)
"""


@pytest.mark.parametrize(
    ("instrumented", "envelopes", "silent"),
    [
        (True, "otlp", True),
        (True, "otlp", False),
        (True, "file:envelopes.jsonl", False),
        (False, "otlp", False),
        (False, "file:envelopes.jsonl", True),
    ],
)
def test_a_receiver_that_is_down_holds_nothing_up(
    programs: Programs, instrumented: bool, envelopes: str, silent: bool
) -> None:
    with BlackHole() if silent else nullcontext() as hole:
        endpoint = hole.endpoint if hole is not None else "http://127.0.0.1:9"
        ended = programs.run(
            METRIC,
            CALL,
            SPANS,
            environment={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "AOTEL_ENVELOPES": envelopes},
            instrumented=instrumented,
            timed=True,
        )
    assert ended.code == 0
    assert ended.seconds_after_end is not None
    assert ended.seconds_after_end < 5
    assert ended.stdout.splitlines()[:2] == ["['found', 'notes']", "done"]
    lines = ended.stderr.splitlines()
    assert len(lines) == (2 if envelopes == "otlp" else 1), ended.stderr
    assert all(line.startswith("aotel: ") for line in lines)
    if envelopes != "otlp":
        assert ended.kinds[:2] == ["agent.tool.call", "agent.tool.result"]


def test_a_receiver_that_answers_holds_nothing_up(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(METRIC, CALL, environment={"AOTEL_ENVELOPES": "otlp"}, timed=True)
    assert ended.untouched, ended.stderr
    assert ended.seconds_after_end is not None
    assert ended.seconds_after_end < 2
    assert (len(receiver.spans), len(receiver.log_records)) == (1, 2)


def test_an_outage_midway_is_told_once(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        """
        import time
        import aotel

        for number in range(30):
            with aotel.step(f"step {number}"):
                time.sleep(0.05)
            if number == 10:
                aotel.flush(0.5)
        """,
        environment={
            "AOTEL_ENVELOPES": "otlp",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        },
    )
    assert ended.code == 0
    lines = ended.stderr.splitlines()
    assert len(lines) <= 2, ended.stderr
    assert all(line.startswith("aotel: ") for line in lines)
