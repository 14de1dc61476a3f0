"""Where envelopes go, in every combination of what surrounds a process."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aotel.export import FileExporter, OtlpExporter, PodExporter, StderrExporter, select
from aotel.settings import Settings, load
from tests.export.records import envelopes, said
from tests.servers import PodServer

if TYPE_CHECKING:
    from pathlib import Path

TERMINAL = {"stderr_is_terminal": True, "span_exporter": False}


def chosen(settings: Settings, *, stderr_is_terminal: bool = False, span_exporter: bool = True) -> list[str]:
    selection = select(settings, stderr_is_terminal=stderr_is_terminal, span_exporter=span_exporter)
    assert selection.problems == ()
    assert selection.reason
    return [exporter.name for exporter in selection.exporters]


@pytest.mark.parametrize(
    ("pod_id", "socket", "logs", "terminal", "spans"),
    list(
        itertools.product(
            [False, True],
            ["there", "missing", "no socket"],
            ["unasked", "OTEL_LOGS_EXPORTER", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "off"],
            [False, True],
            [False, True],
        )
    ),
)
def test_auto(tmp_path: Path, pod_id: bool, socket: str, logs: str, terminal: bool, spans: bool) -> None:
    environ = {
        "unasked": {},
        "OTEL_LOGS_EXPORTER": {"OTEL_LOGS_EXPORTER": "otlp"},
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:4317"},
        "OTEL_EXPORTER_OTLP_ENDPOINT": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"},
        "off": {"OTEL_LOGS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:4317"},
    }[logs]
    if pod_id:
        environ["ENVPOD_POD_ID"] = "pod_1"
    expected = (
        ["pod"]
        if pod_id and socket == "there"
        else ["otlp"]
        if logs in {"OTEL_LOGS_EXPORTER", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"}
        else ["stderr"]
        if terminal and not spans
        else []
    )
    with PodServer(tmp_path) as pod:
        environ["ENVPOD_SOCKET"] = {
            "there": pod.path,
            "missing": str(tmp_path / "missing.sock"),
            "no socket": str(tmp_path),
        }[socket]
        assert chosen(load(environ), stderr_is_terminal=terminal, span_exporter=spans) == expected


@pytest.mark.parametrize(
    ("envelopes", "names"),
    [
        (("pod",), ["pod"]),
        (("otlp",), ["otlp"]),
        (("stderr",), ["stderr"]),
        (("file:/tmp/a.jsonl",), ["file:/tmp/a.jsonl"]),
        (("none",), []),
        (("pod", "otlp", "stderr", "file:a", "file:b"), ["pod", "otlp", "stderr", "file:a", "file:b"]),
        (("otlp", "otlp"), ["otlp"]),
        (("none", "stderr"), ["stderr"]),
        (("auto",), ["stderr"]),
        (("auto", "file:a"), ["stderr", "file:a"]),
        (("stderr", "auto"), ["stderr"]),
        ((), ["stderr"]),
    ],
)
def test_explicit_lists(envelopes: tuple[str, ...], names: list[str]) -> None:
    assert chosen(Settings(envelopes=envelopes), stderr_is_terminal=True, span_exporter=False) == names


def test_exporters_are_of_their_kinds(tmp_path: Path) -> None:
    settings = Settings(envelopes=("pod", "otlp", "stderr", f"file:{tmp_path}/a"), pod_socket="/run/x.sock")
    pod, otlp, stderr, file = select(settings, stderr_is_terminal=False, span_exporter=False).exporters
    assert isinstance(pod, PodExporter)
    assert pod.path == "/run/x.sock"
    assert isinstance(otlp, OtlpExporter)
    assert otlp.protocol == "grpc"
    assert isinstance(stderr, StderrExporter)
    assert isinstance(file, FileExporter)
    assert file.path == f"{tmp_path}/a"


@pytest.mark.parametrize(
    ("envelopes", "fallback"), [(("pod",), True), (("pod", "file:a"), True), (("pod", "stderr"), False)]
)
def test_pod_falls_back_to_stderr_unless_that_has_them_already(envelopes: tuple[str, ...], fallback: bool) -> None:
    pod = select(Settings(envelopes=envelopes), stderr_is_terminal=False, span_exporter=False).exporters[0]
    assert isinstance(pod, PodExporter)
    assert isinstance(pod.fallback, StderrExporter) == fallback


@pytest.mark.parametrize(
    ("environ", "protocol"),
    [
        ({"OTEL_LOGS_EXPORTER": "otlp"}, "grpc"),
        ({"OTEL_LOGS_EXPORTER": "otlp_proto_http"}, "http/protobuf"),
        ({"OTEL_LOGS_EXPORTER": "otlp_proto_grpc", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, "grpc"),
        ({"OTEL_LOGS_EXPORTER": "console,otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, "http/protobuf"),
        ({"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/protobuf"}, "http/protobuf"),
    ],
)
def test_protocol_of_logs(environ: dict[str, str], protocol: str) -> None:
    (exporter,) = select(load(environ), stderr_is_terminal=False, span_exporter=True).exporters
    assert isinstance(exporter, OtlpExporter)
    assert exporter.protocol == protocol


def test_what_can_not_be_had_is_a_problem_and_the_rest_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)
    settings = Settings(envelopes=("otlp", "stderr", "file:", "carrier pigeon"), otlp_logs_protocol="http/protobuf")
    selection = select(settings, stderr_is_terminal=False, span_exporter=False)
    assert [exporter.name for exporter in selection.exporters] == ["stderr"]
    assert len(selection.problems) == 3
    assert "pip install aotel[http]" in selection.problems[0]


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        (Settings(), "AOTEL_ENVELOPES"),
        (Settings(envelopes=("none",)), "none"),
        (Settings(logs_exporter=("otlp",)), "OTEL_LOGS_EXPORTER"),
        (Settings(otlp_logs_endpoint="http://x"), "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"),
    ],
)
def test_reason_names_what_decided(settings: Settings, word: str) -> None:
    assert word in select(settings, stderr_is_terminal=False, span_exporter=True).reason


def test_explicit_pod_finds_a_socket_that_comes_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    server = PodServer(tmp_path)
    settings = Settings(envelopes=("pod",), pod_socket=server.path)
    (exporter,) = select(settings, stderr_is_terminal=False, span_exporter=False).exporters
    with server:
        exporter.export(envelopes(2))
        assert len(server.envelopes) == 2
    exporter.shutdown()
    assert said(caplog) == []


def test_impossible_socket_path_is_no_socket() -> None:
    assert chosen(Settings(pod_id="p", pod_socket="a\0b"), stderr_is_terminal=True, span_exporter=False) == ["stderr"]


def test_selecting_and_connecting_to_nothing_imports_no_grpc() -> None:
    program = (
        "import sys\n"
        "from aotel.export import select, otlp_span_exporter\n"
        "from aotel.settings import Settings\n"
        "settings = Settings(envelopes=('pod', 'otlp'))\n"
        "exporters = select(settings, stderr_is_terminal=False, span_exporter=True).exporters\n"
        "otlp_span_exporter('grpc')\n"
        "assert len(exporters) == 2\n"
        "print(sorted({'grpc', 'requests', 'google.protobuf'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == "[]\n"
