"""The README's picture is what `aotel run` records of the demo, as `aotel audit` shows it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.docs.pages import text_of
from tests.examples.programs import PROGRAM, environment

if TYPE_CHECKING:
    from pathlib import Path

_PICTURE = re.compile(r"<!-- picture:begin -->\n```text\n(.*?)```\n<!-- picture:end -->", re.DOTALL)
_COMMAND = re.compile(r"make demo ARGS='-q \"([^\"]+)\"'")
_OTHERS = re.compile(r"^OTHERS := (.+)$", re.MULTILINE)
_ROW = re.compile(r"^(?P<depth>(?:[│ ]  |[├└]─ )*)(?P<name>\S.*?)(?:  (?P<envelope>[a-z]+\.[a-z.]+)  .*)?$")
_TIME = 26  # columns that a time takes before a tree


def test_picture_is_what_the_demo_leaves(tmp_path: Path) -> None:
    """Which steps there are, what they are called and of what kinds; numbers and how often one repeats may differ."""
    readme = text_of("README.md")
    picture = _PICTURE.search(readme)
    command = _COMMAND.search(readme)
    others = _OTHERS.search(text_of("Makefile"))
    assert picture is not None
    assert command is not None
    assert others is not None
    demo = ("run", "--view", "off", "--", sys.executable, str(PROGRAM), "-q", command[1])
    variables = {"AOTEL_ENVELOPES": "auto", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": others[1]}
    _aotel(tmp_path, *demo, **variables)
    shown = _aotel(tmp_path, "audit", "--group-by-span", "--kind", "agent.*", "--kind", "coat.*").splitlines()
    tree = "\n".join(line[_TIME:] for line in shown)
    assert _steps(picture[1]) == _steps(tree), f"the picture should be\n{tree}"


def _aotel(directory: Path, *arguments: str, **variables: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "aotel.cli", *arguments],
        cwd=directory,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=50,
    ).stdout


def _steps(tree: str) -> list[tuple[int, str, str | None]]:
    steps: dict[tuple[int, str, str | None], None] = {}
    for line in tree.splitlines():
        row = _ROW.match(line)
        assert row is not None, line
        steps[len(row["depth"]), row["name"], row["envelope"]] = None
    return list(steps)
