"""`aotel doctor`: what it finds, what it advises, and that it keeps secrets."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aotel.semconv.environment import VARIABLES
from tests.servers import OtlpHttpReceiver, OtlpReceiver, PodServer

if TYPE_CHECKING:
    from pathlib import Path


def doctor(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = {name for variable in VARIABLES for name in (variable.name, *variable.aliases)}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-m", "aotel.cli", "doctor", *arguments],
        env={**environment, "PYTHONIOENCODING": "utf-8", **variables},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def findings(**variables: str) -> tuple[dict[str, dict[str, Any]], int]:
    done = doctor("--json", "--timeout", "2", **variables)
    assert not done.stderr
    sections: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return {found["about"]: found for section in sections.values() for found in section}, done.returncode


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_nothing_configured() -> None:
    found, status = findings()
    assert status == 0
    assert found["python"]["text"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert found["openai"]["text"].endswith("its calls become spans")
    assert found["envelopes"]["text"].startswith("envelopes go nowhere")
    assert "aotel run" in found["envelopes"]["advice"]
    assert found["spans"]["text"] == "are exported nowhere"
    assert found["provider"]["text"].endswith("TracerProvider")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in found["endpoints"]["advice"]


def test_the_numbers_of_status(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver:
        found, status = findings(
            AOTEL_ENVELOPES=f"file:{tmp_path / 'e.jsonl'}", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint
        )
    assert status == 0
    assert found["queue"]["text"] == "0 waiting, 0 characters; 0 dropped"
    numbers = "0 sent, 0 retried, 0 refused, 0 dropped, 0 diverted, 0 waiting, 0 spooled"
    assert found[f"envelopes to file:{tmp_path / 'e.jsonl'}"]["text"] == f"ready: {numbers}"
    assert found["spans to spans"]["text"] == f"ready: {numbers}"


def test_for_people() -> None:
    done = doctor()
    assert done.stdout.endswith("Nothing is wrong.\n")
    assert "✓ python" in done.stdout
    assert "\x1b" not in done.stdout  # it is no terminal


def test_an_otlp_receiver_that_answers() -> None:
    with OtlpReceiver() as receiver:
        found, status = findings(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert status == 0
    assert found["OTLP traces"] == {
        "about": "OTLP traces",
        "state": "ok",
        "text": f"{receiver.endpoint} over grpc answers",
        "advice": "",
    }
    assert found["OTLP logs"]["state"] == "ok"


def test_over_http() -> None:
    with OtlpHttpReceiver() as receiver:
        found, status = findings(
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"
        )
    assert status == 0
    assert found["OTLP traces"]["text"].endswith("over http/protobuf answers")


def test_a_backend_for_traces_alone_is_nothing_unusual() -> None:
    with OtlpReceiver(logs=False) as receiver:
        found, status = findings(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
        asked, asked_status = findings(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OTEL_LOGS_EXPORTER="otlp")
    assert (status, found["OTLP logs"]["state"]) == (0, "info")
    assert (asked_status, asked["OTLP logs"]["state"]) == (1, "problem")
    assert "does not take this signal" in asked["OTLP logs"]["advice"]


def test_nobody_listens() -> None:
    found, status = findings(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{closed_port()}")
    assert status == 1
    assert found["OTLP traces"]["state"] == "problem"
    assert "is it running" in found["OTLP traces"]["advice"]


def test_wrong_keys() -> None:
    with OtlpReceiver(statuses=["UNAUTHENTICATED"] * 9) as receiver:
        found, status = findings(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert status == 1
    assert "OTEL_EXPORTER_OTLP_HEADERS" in found["OTLP traces"]["advice"]


def test_a_pod_that_answers(tmp_path: Path) -> None:
    with PodServer(tmp_path) as pod:
        found, status = findings(ENVPOD_POD_ID="pod-1", ENVPOD_SOCKET=pod.path)
    assert (status, found["pod"]["state"]) == (0, "ok")
    assert found["pod"]["text"].endswith("test 0 answers")
    assert found["envelopes"]["state"] == "ok"


def test_a_runtime_that_does_not_know_the_question_is_a_pod_all_the_same(tmp_path: Path) -> None:
    with PodServer(tmp_path, hello=False) as pod:
        found, status = findings(ENVPOD_POD_ID="pod-1", ENVPOD_SOCKET=pod.path)
    assert (status, found["pod"]["state"]) == (0, "ok")


def test_a_pod_that_is_not_there(tmp_path: Path) -> None:
    found, status = findings(ENVPOD_POD_ID="pod-1", ENVPOD_SOCKET=str(tmp_path / "none.sock"))
    assert (status, found["pod"]["state"]) == (1, "problem")
    assert "aotel pod" in found["pod"]["advice"]


def test_a_socket_that_nobody_serves(tmp_path: Path) -> None:
    path = str(tmp_path / "stale.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    found, status = findings(ENVPOD_POD_ID="pod-1", ENVPOD_SOCKET=path)
    assert (status, found["pod"]["state"]) == (1, "problem")
    assert "cannot connect" in found["pod"]["text"]


def test_settings_in_force_and_unusable_ones() -> None:
    found, status = findings(ENVPOD_COAT_CAPTURE="hash", AOTEL_PREVIEW_LEN="many")
    assert status == 1
    assert found["ENVPOD_COAT_CAPTURE"]["text"] == "'hash'"
    assert "AOTEL_PREVIEW_LEN is 'many'" in found["unusable"]["text"]


def test_switched_off() -> None:
    found, status = findings(AOTEL_DISABLED="true")
    assert status == 0
    assert found["disabled"]["state"] == "warning"
    assert found["aotel"]["text"] == "is switched off by the environment"


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_no_secret_is_shown(arguments: tuple[str, ...]) -> None:
    done = doctor(
        *arguments,
        AOTEL_HASH_KEY="opensesame",
        AOTEL_REDACTION_KEY="opensesame",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://user:opensesame@127.0.0.1:1",
    )
    assert "opensesame" not in done.stdout + done.stderr
    assert "AOTEL_HASH_KEY" in done.stdout


def test_nothing_in_a_variable_commands_the_terminal() -> None:
    done = doctor(AOTEL_SESSION_ID="\x1b[2J\x07[red]x")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert "[red]x" in done.stdout


def test_wrong_arguments() -> None:
    done = doctor("--timeout", "soon")
    assert done.returncode == 2
    assert "'soon' is not a valid float range" in done.stderr
