"""Secrets planted wherever content can be, and every byte that leaves the process searched for them."""

from __future__ import annotations

import json
import os
import random
import re
import string
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.envelope_schema import assert_paired, read_envelopes
from tests.servers import OtlpReceiver, PodServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "tests" / "leaking_program.py"
PLACES = re.findall(r"@place\ndef (\w+)\(", PROGRAM.read_text())
IN_THE_SOURCE = {"shape": "sk-proj-InTheSourceLine0123456789abcdefABCDEF", "named": "InTheSourceByName"}
FRAGMENT = 12
"""Characters of a secret that count as having leaked it: one that is cut short has leaked too."""
NOTHING_BENIGN = {
    "names",
    "foreign_spans",
    "attributes_set_by_the_program",
    "attributes_given_to_coat",
    "planted_in_the_source",
} | ({"exception_notes"} if sys.version_info < (3, 11) else set())
"""Places without harmless content: what is written there is a name, or an attribute that is nobody's content."""


class Left(NamedTuple):
    """All that left a program, by the way it left, and what was planted in it."""

    bytes_by_way: dict[str, bytes]
    plants: dict[str, dict[str, str]]


def unique(prefix: str, length: int) -> str:
    source = random.SystemRandom()
    return prefix + "".join(source.choice(string.ascii_letters + string.digits) for _ in range(length))


def plants() -> dict[str, dict[str, str]]:
    return {
        name: {"shape": unique("sk-proj-", 32), "named": unique("Correct", 18), "benign": unique("benign", 12)}
        for name in PLACES
    } | {"planted_in_the_source": {**IN_THE_SOURCE, "benign": "unused"}}


def run(mode: str | None, directory: Path) -> Left:
    planted, written = plants(), directory / "envelopes.jsonl"
    (directory / "plants.json").write_text(json.dumps(planted))
    with OtlpReceiver() as receiver, PodServer(directory) as pod:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
            "AOTEL_ENVELOPES": f"file:{written},stderr,pod,otlp",
            "ENVPOD_POD_ID": "pod-1",
            "ENVPOD_SOCKET": pod.path,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            **({"AOTEL_CAPTURE": mode} if mode else {}),
        }
        done = subprocess.run(
            [sys.executable, str(PROGRAM), str(directory / "plants.json")],
            env=environment,
            capture_output=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:].decode(errors="replace")
        assert int(done.stdout) == len(PLACES)
        ways = {
            "otlp": bytes(receiver.received),
            "pod": bytes(pod.received),
            "file": written.read_bytes(),
            "stderr": done.stderr,
        }
        assert len(receiver.spans) > len(PLACES)
        assert len(receiver.log_records) == len(pod.envelopes) == len(read_envelopes(written))
    assert_paired(read_envelopes(written))
    assert ways["stderr"].count(b"[coat] ") == len(read_envelopes(written))
    return Left(ways, planted)


@pytest.fixture(scope="module", params=[None, "none", "redacted", "hash", "summary"])
def left(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str | None, Left]:
    return request.param, run(request.param, tmp_path_factory.mktemp("left"))


def fragments(secret: str) -> Iterator[str]:
    """Yield the parts of a secret that must not be seen."""
    body = secret.removeprefix("sk-proj-").removeprefix("Correct")
    for start in range(0, len(body) - FRAGMENT + 1, 3):
        yield body[start : start + FRAGMENT]


def leaks(left: Left, what: str) -> list[str]:
    found = []
    for name, planted in left.plants.items():
        for way, content in left.bytes_by_way.items():
            for fragment in fragments(planted[what]):
                if fragment.encode() in content:
                    found.append(f"{name} by {way}: {context(content, fragment.encode())}")
                    break
    return found


def context(content: bytes, fragment: bytes) -> str:
    at = content.index(fragment)
    return content[max(at - 150, 0) : at + 60].decode(errors="replace")


@pytest.mark.parametrize("what", ["shape", "named"])
def test_no_secret_leaves(left: tuple[str | None, Left], what: str) -> None:
    _, all_that_left = left
    found = leaks(all_that_left, what)
    assert not found, "\n".join(found)


def test_harmless_content_leaves_only_in_modes_that_write_text(left: tuple[str | None, Left]) -> None:
    mode, (ways, planted) = left
    for name, plant in planted.items():
        if name in NOTHING_BENIGN:
            continue
        by = [way for way, content in ways.items() if plant["benign"].encode() in content]
        if mode in {"none", "hash", "summary"}:
            assert not by, f"{name} by {by}: {context(ways[by[0]], plant['benign'].encode())}"
        else:
            assert "otlp" in by, name


def test_every_plant_is_found_where_nothing_is_hidden(tmp_path: Path) -> None:
    # The control: these tests see what they look for.
    ways, planted = run("raw", tmp_path)
    for name, plant in planted.items():
        for what in ("shape", "named"):
            if name == "exception_notes" and sys.version_info < (3, 11):
                continue
            assert plant[what].encode() in ways["otlp"], f"{what} of {name}"
