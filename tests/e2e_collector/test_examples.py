"""The example configurations, judged by the collector's own schema."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e_collector.collector import command
from tests.examples.collector_files import FILES, STARTED_AS, additions, built, started_with, text, variables

if TYPE_CHECKING:
    from pathlib import Path

PLACES = {
    "GATEWAY_HOST": "gateways.internal",
    "METRICS_OTLP": "http://127.0.0.1:9090/api/v1/otlp",
    "CLICKHOUSE_ENDPOINT": "tcp://127.0.0.1:9440?secure=true",
    "KAFKA_BROKERS": "127.0.0.1:9092",
    "PHOENIX_OTLP": "127.0.0.1:4317",
    "GATEWAY_1": "127.0.0.1:4317",
    "GATEWAY_2": "127.0.0.2:4317",
}
"""Those whose form is looked at; others may be any word."""
ADDITIONS = additions()


def validate(*files: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(files, "validate"), env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def needed() -> dict[str, str]:
    """Return a value for each variable that has no default in a file."""
    shown = [text(name) for name in FILES] + [more for _, more in ADDITIONS.values()]
    asked = {name: required for one in shown for name, required in variables(one).items()}
    return {name: PLACES.get(name, "word") for name, required in asked.items() if required}


@pytest.mark.parametrize("files", STARTED_AS.values(), ids=list(STARTED_AS))
def test_example_is_valid(files: tuple[str, ...]) -> None:
    said = validate(*files, **needed())
    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("where", ADDITIONS)
def test_addition_that_the_page_shows_is_valid(where: str, tmp_path: Path) -> None:
    name, more = ADDITIONS[where]
    (tmp_path / "more.yaml").write_text(more, encoding="utf-8")
    said = validate(*started_with(name), str(tmp_path / "more.yaml"), **needed())
    assert said.returncode == 0, said.stderr


def test_gateway_alone_does_not_start() -> None:
    said = validate("gateway.yaml", **needed())
    assert said.returncode != 0
    assert "service::pipelines::logs: must have at least one exporter" in said.stderr


def test_schema_knows_every_word(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("exporters: {otlp_grpc: {sending_queue: {storrage: file_storage}}}")
    said = validate("agent.yaml", str(tmp_path / "more.yaml"), **needed())
    assert said.returncode != 0
    assert "storrage" in said.stderr


def test_collector_is_the_one_that_the_builder_describes() -> None:
    said = subprocess.run(command((), "components"), capture_output=True, encoding="utf-8", timeout=60, check=True)
    names = {line.strip().removeprefix("- name: ") for line in said.stdout.splitlines() if "- name: " in line}
    assert {name for _, name in built()} <= names
