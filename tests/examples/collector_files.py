"""The collector's example configurations as tests see them: which files go together, and what they are together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.docs.pages import blocks

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "collector"
PAGE = "docs/scaling.md"

Json = dict[str, Any]

STARTED_AS: dict[str, tuple[str, ...]] = {
    "agent": ("agent.yaml",),
    "gateway and ClickHouse": ("gateway.yaml", "store-clickhouse.yaml"),
    "gateway and Kafka": ("gateway.yaml", "store-kafka.yaml"),
    "gateway and files": ("gateway.yaml", "store-file.yaml"),
}
"""What a collector is started with: each file adds to those before it."""

BUILDER = "builder.yaml"
FILES = tuple(sorted({name for names in STARTED_AS.values() for name in names}))

_VARIABLE = re.compile(r"\$\{env:([A-Z0-9_]+)(:-[^}]*)?\}")
_ROW = re.compile(r"^\| `([A-Z0-9_]+)` \|", re.MULTILINE)


def text(name: str) -> str:
    """Return a file's text."""
    return (FOLDER / name).read_text(encoding="utf-8")


def merged(*texts: str) -> Json:
    """Return configurations put together as the collector does it: maps are merged, lists replaced."""
    found: Json = {}
    for one in texts:
        _merge(found, yaml.safe_load(one))
    return found


def _merge(into: Json, more: Json) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def additions() -> dict[str, tuple[str, str]]:
    """Return what the page shows to be added to a file, by its line: the file's name, and the addition."""
    return {
        f"{PAGE}:{block.line}": (block.title, block.text)
        for block in blocks(PAGE)
        if block.language == "yaml" and block.title
    }


def configurations() -> dict[str, Json]:
    """Return every configuration that the examples and the page show, whole."""
    found = {name: merged(*map(text, names)) for name, names in STARTED_AS.items()}
    for where, (name, more) in additions().items():
        found[where] = merged(*map(text, started_with(name)), more)
    return found


def started_with(name: str) -> tuple[str, ...]:
    """Return the files that one of them is started with."""
    return next(names for names in STARTED_AS.values() if name in names)


def variables(given: str) -> dict[str, bool]:
    """Return the environment variables that a text asks for, and whether each has to be set."""
    found: dict[str, bool] = {}
    for name, default in _VARIABLE.findall(given):
        found[name] = found.get(name, False) or not default
    return found


def documented() -> set[str]:
    """Return the environment variables in the table of the examples' README."""
    return set(_ROW.findall(text("README.md")))


def built() -> set[tuple[str, str]]:
    """Return the components that the builder puts together: section and type."""
    plan = yaml.safe_load(text(BUILDER))
    sections = ("receivers", "processors", "exporters", "extensions")
    return {(section, _type(entry["gomod"])) for section in sections for entry in plan[section]}


_TYPES = {
    "otlpreceiver": "otlp",
    "memorylimiterprocessor": "memory_limiter",
    "tailsamplingprocessor": "tail_sampling",
    "otlpexporter": "otlp_grpc",  # formerly "otlp", which is still understood; likewise the next two
    "otlphttpexporter": "otlp_http",
    "loadbalancingexporter": "load_balancing",
    "clickhouseexporter": "clickhouse",
    "kafkaexporter": "kafka",
    "fileexporter": "file",
    "filestorage": "file_storage",
    "headerssetterextension": "headers_setter",
    "healthcheckextension": "health_check",
}


def _type(gomod: str) -> str:
    return _TYPES[gomod.split(maxsplit=1)[0].rpartition("/")[2]]
