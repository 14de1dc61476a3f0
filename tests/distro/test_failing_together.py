"""Whole programs whose receivers fail: all signals, several backends at once, and what is said on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

from tests.servers import OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.distro.programs import Programs

STEPS = 25
WORK = f"""
    import time
    import aotel

    for number in range({STEPS}):
        with aotel.step(f"step {{number}}"):
            time.sleep(0.1)
    print("done")
"""
"""A program of some seconds, with an operation every tenth of one."""

OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5"}

Receiver = OtlpReceiver | OtlpHttpReceiver


def lines(stderr: str) -> list[str]:
    """Return what aotel said; gRPC's core has words of its own."""
    return [line for line in stderr.splitlines() if "aotel" in line]


def test_each_of_several_backends_that_fail_is_one_message(programs: Programs) -> None:
    with OtlpHttpReceiver() as locked, OtlpReceiver(certificate=trustme.CA().issue_cert("127.0.0.1")) as unknown:
        locked.failing = 401
        endpoints = {
            "Phoenix": "http://127.0.0.1:9",
            "Arize": f"https://127.0.0.1:{unknown.port}",
            "Langfuse": f"{locked.endpoint}/api/public/otel/v1/traces",
            "the receiver of spans": "nowhere.invalid:4317",
            "the OTLP receiver of envelopes": "http://nowhere.invalid:4317",
        }
        ended = programs.run(
            WORK,
            environment={
                **OFTEN,
                "AOTEL_BACKEND": "phoenix,arize,langfuse,otlp",
                "AOTEL_ENVELOPES": "auto",
                "PHOENIX_COLLECTOR_ENDPOINT": "http://127.0.0.1:6006",
                "PHOENIX_GRPC_PORT": "9",
                "ARIZE_COLLECTOR_ENDPOINT": endpoints["Arize"],
                "ARIZE_SPACE_ID": "space",
                "ARIZE_API_KEY": "key",
                "LANGFUSE_BASE_URL": locked.endpoint,
                "LANGFUSE_PUBLIC_KEY": "pk",
                "LANGFUSE_SECRET_KEY": "sk",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://nowhere.invalid:4317",
                "OTEL_METRICS_EXPORTER": "none",
            },
            timed=True,
        )
    assert ended.code == 0
    assert ended.stdout.startswith("done\n")
    said = lines(ended.stderr)
    assert len(said) == len(endpoints), ended.stderr
    for receiver, endpoint in endpoints.items():
        (line,) = [line for line in said if f"aotel: {receiver} ({endpoint}): " in line]
        assert ("check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY" in line) == (receiver == "Langfuse")
    assert ended.seconds_after_end is not None
    assert ended.seconds_after_end < 8  # five for what is left, and the interpreter


@pytest.mark.parametrize(
    ("protocol", "failing"),
    [
        ("grpc", lambda: OtlpReceiver(statuses=["UNAVAILABLE"] * 2)),
        ("grpc", lambda: OtlpReceiver(statuses=["RESOURCE_EXHAUSTED"], retry_after=1)),
        ("grpc", lambda: OtlpReceiver(statuses=["UNAUTHENTICATED"])),
        ("http/protobuf", lambda: OtlpHttpReceiver(statuses=[503] * 2)),
        ("http/protobuf", lambda: OtlpHttpReceiver(statuses=[429], retry_after=1)),
        ("http/protobuf", lambda: OtlpHttpReceiver(statuses=[403])),
    ],
    ids=["UNAVAILABLE", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "503", "429", "403"],
)
def test_both_signals_of_the_backend_otlp_lose_nothing(
    programs: Programs, protocol: str, failing: Callable[[], Receiver]
) -> None:
    with failing() as of_spans, failing() as of_logs:
        path = ("/v1/traces", "/v1/logs") if protocol != "grpc" else ("", "")
        ended = programs.run(
            WORK,
            environment={
                **OFTEN,
                "AOTEL_BACKEND": "otlp",
                "AOTEL_ENVELOPES": "auto",
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{of_spans.endpoint}{path[0]}",
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f"{of_logs.endpoint}{path[1]}",
                "OTEL_METRICS_EXPORTER": "none",
            },
        )
        spans, records = list(of_spans.spans), list(of_logs.log_records)
    assert ended.code == 0
    assert [span.name for span in spans] == [f"step {number}" for number in range(STEPS)]
    assert [record.event_name for record in records] == ["agent.step.start", "agent.step.end"] * STEPS
    said = lines(ended.stderr)
    assert sum("the receiver of spans" in line for line in said) <= 1
    assert sum("the OTLP receiver of envelopes" in line for line in said) <= 1
    assert len(said) <= 2, ended.stderr
