"""The README's picture is what the demo prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.docs.pages import text_of
from tests.examples.programs import run

if TYPE_CHECKING:
    from pathlib import Path

_PICTURE = re.compile(r"<!-- picture:begin -->\n```text\n(.*?)```\n<!-- picture:end -->", re.DOTALL)
_COMMAND = re.compile(r"make demo ARGS='-q \"([^\"]+)\"'")
_ROW = re.compile(r"^(?P<depth>(?:[│ ]  |[├└]─ )*)(?P<name>\S.*?)(?:  +(?P<kind>[A-Z]+) +(?P<envelope>[a-z.]+) .*)?$")


def test_picture_is_what_the_demo_prints(tmp_path: Path) -> None:
    """Which steps there are, what they are called and of what kinds; numbers and how often one repeats may differ."""
    readme = text_of("README.md")
    picture = _PICTURE.search(readme)
    command = _COMMAND.search(readme)
    assert picture is not None
    assert command is not None
    printed = run(tmp_path, "-q", command[1]).stdout.partition("What happened\n\n")[2].partition("\n\n")[0]
    assert _steps(picture[1]) == _steps(printed), f"the picture should be\n{printed}"


def _steps(tree: str) -> list[tuple[int, str, str | None, str | None]]:
    steps: dict[tuple[int, str, str | None, str | None], None] = {}
    for line in tree.splitlines():
        row = _ROW.match(line)
        assert row is not None, line
        name = row["name"].split("  ")[0]
        steps[len(row["depth"]), name, row["kind"], row["envelope"]] = None
    return list(steps)
