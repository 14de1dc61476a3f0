"""Metrics that nobody takes disturb nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.distro.programs import Programs
    from tests.servers import OtlpReceiver

COUNT = """
    import time
    from opentelemetry import metrics

    counter = metrics.get_meter("app").create_counter("calls")
    for number in range(20):
        counter.add(1)
        time.sleep(0.05)
"""
OFTEN = {"OTEL_METRIC_EXPORT_INTERVAL": "100"}


def test_a_receiver_without_metrics_is_asked_once(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(COUNT, environment=OFTEN)
    assert ended.untouched, ended.stderr
    assert receiver.requests == 0  # those of a service that it doesn't have aren't counted


def test_a_receiver_that_is_down_is_told_once_and_holds_nothing_up(programs: Programs) -> None:
    ended = programs.run(
        COUNT,
        environment={**OFTEN, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "0.2"},
        timed=True,
    )
    assert ended.code == 0
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("aotel: the receiver of metrics")
    assert ended.seconds_after_end is not None
    assert ended.seconds_after_end < 3


@pytest.mark.parametrize("exporter", ["console", "none"])
def test_exporters_that_the_user_names_are_left_as_they_are(programs: Programs, exporter: str) -> None:
    ended = programs.run(COUNT, environment={"OTEL_METRICS_EXPORTER": exporter})
    assert ended.untouched, ended.stderr
    assert ('"name": "calls"' in ended.stdout) == (exporter == "console")
