"""The environment of the child: told of its pod, instrumented, and nothing leaves the machine unasked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aotel.runner.environment import STARTUP, Surroundings, compose


def made(environ: dict[str, str] | None = None, **around: object) -> dict[str, str]:
    return compose(environ or {}, Surroundings("pod-1", "/run/queue.sock", **around))  # type: ignore[arg-type]


def test_child_is_told_of_its_pod() -> None:
    found = made({"HOME": "/h", "ENVPOD_POD_ID": "outer", "ENVPOD_SOCKET": "/outer"})
    assert (found["ENVPOD_POD_ID"], found["ENVPOD_SOCKET"], found["HOME"]) == ("pod-1", "/run/queue.sock", "/h")
    assert found["AOTEL_SENSOR"] == "files,network,processes"


def test_users_word_on_the_sensor_holds() -> None:
    assert made({"AOTEL_SENSOR": "off"})["AOTEL_SENSOR"] == "off"


@pytest.mark.parametrize(
    ("former", "overlay", "expected"),
    [
        ("", None, [str(STARTUP)]),
        ("/a:/b", None, [str(STARTUP), "/a", "/b"]),
        ("/a:", None, [str(STARTUP), "/a", ""]),
        (f"{STARTUP}:/a", Path("/o"), [str(STARTUP), "/o", "/a"]),
    ],
)
def test_start_up_directory_comes_first_and_once(former: str, overlay: Path | None, expected: list[str]) -> None:
    found = made({"PYTHONPATH": former, "PATH": "/bin"}, overlay=overlay)
    assert found["PYTHONPATH"].split(os.pathsep) == expected


def test_programs_of_the_overlay_come_last() -> None:
    assert made({"PATH": "/bin"}, overlay=Path("/o"))["PATH"] == "/bin:/o/bin"
    assert made({"PATH": "/bin"})["PATH"] == "/bin"


def exporters(found: dict[str, str]) -> list[str | None]:
    return [found.get(f"OTEL_{signal}_EXPORTER") for signal in ("TRACES", "METRICS", "LOGS")]


@pytest.mark.parametrize(
    ("environ", "backends", "expected"),
    [
        ({}, (), ["none", "none", "none"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, (), [None, None, None]),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, (), [None, "none", "none"]),
        ({"OTEL_TRACES_EXPORTER": "console"}, (), ["console", "none", "none"]),
        ({"OTEL_CONFIG_FILE": "f.yaml"}, (), [None, None, None]),
        ({}, ("otlp",), ["otlp", "otlp", "otlp"]),
        ({}, ("phoenix",), ["none", "none", "none"]),
        ({}, ("phoenix", "otlp"), ["otlp", "otlp", "otlp"]),
        ({"OTEL_METRICS_EXPORTER": "none"}, ("otlp",), ["otlp", "none", "otlp"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "otlp"}, ("pod",), ["none"] * 3),
    ],
)
def test_nothing_leaves_the_machine_unasked(
    environ: dict[str, str], backends: tuple[str, ...], expected: list[str | None]
) -> None:
    assert exporters(made(environ, backends=backends)) == expected


def test_backend_pod_takes_a_configuration_file_away() -> None:
    assert "OTEL_CONFIG_FILE" not in made({"OTEL_CONFIG_FILE": "f.yaml"}, backends=("pod",))


@pytest.mark.parametrize(
    ("asked", "backends", "expected"),
    [
        (None, (), None),
        ("auto", (), "auto"),
        ("none", (), "none"),
        ("otlp", (), "pod,otlp"),
        ("file:/x, pod", (), "file:/x, pod"),
        ("nonsense", (), "nonsense"),
        ("otlp", ("pod",), "pod"),
        (None, ("pod",), "pod"),
    ],
)
def test_envelopes_go_to_the_pod_whatever_else_is_asked(
    asked: str | None, backends: tuple[str, ...], expected: str | None
) -> None:
    environ = {} if asked is None else {"AOTEL_ENVELOPES": asked}
    assert made(environ, backends=backends).get("AOTEL_ENVELOPES") == expected


def test_one_view_is_enough() -> None:
    assert "AOTEL_CONSOLE" not in made({"AOTEL_CONSOLE": "rich"})
    assert made({"AOTEL_CONSOLE": "rich"}, shown=False)["AOTEL_CONSOLE"] == "rich"


def test_policy_of_an_outer_run_is_not_the_inner_ones() -> None:
    assert "AOTEL_SENSOR_POLICY" not in made({"AOTEL_SENSOR_POLICY": "{}"})
    assert made(policy="{1}")["AOTEL_SENSOR_POLICY"] == "{1}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "processes"),
        ("", "processes"),
        ("session", "session,processes"),
        ("session, Processes", "session, Processes"),
        ("processes", "processes"),
    ],
)
def test_agents_that_agents_start_share_a_trace(before: str | None, after: str) -> None:
    assert made({} if before is None else {"AOTEL_PROPAGATE": before})["AOTEL_PROPAGATE"] == after
