"""What the pages say of the project is so: links lead somewhere; targets, variables, options and names exist."""

from __future__ import annotations

import inspect
import posixpath
import re
import subprocess
import sys

import pytest

import aotel
from aotel.semconv.environment import VARIABLES
from aotel.semconv.metrics import METRICS
from aotel.semconv.operations import lookup
from tests.docs.pages import PAGES, ROOT, anchors, blocks, links, prose, text_of

_VARIABLE = re.compile(r"\b(?:AOTEL|ENVPOD|OPENINFERENCE)_[A-Z_]*[A-Z]\b")
_NAME = re.compile(r"\baotel\.([A-Za-z_]+)")
_TARGET = re.compile(r"\bmake ([a-z0-9-]+)")
_FILE = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|md|yaml|json))`")
_OPERATION = re.compile(r'@?coat\("([a-z ]+)"')
_ARGUMENT = re.compile(r"`(?:aotel\.)?(configure|coat|session|step|stream|run)\(([^`]*)\)`")

MINE = [page for page in PAGES if not page.startswith("docs/reference/")]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        if not (ROOT / file).exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", MINE)
def test_variables_exist(page: str) -> None:
    known = {name for variable in VARIABLES for name in (variable.name, *variable.aliases)}
    assert not set(_VARIABLE.findall(text_of(page))) - known


@pytest.mark.parametrize("page", MINE)
def test_public_names_exist(page: str) -> None:
    modules = {"pipeline", "testing", "semconv", "export", "pod", "audit"}
    measured = {name for metric in METRICS for name in _NAME.findall(metric.name)}
    assert not {name for name in _NAME.findall(text_of(page)) if name not in aotel.__all__} - modules - measured


@pytest.mark.parametrize("page", MINE)
def test_make_targets_exist(page: str) -> None:
    makefile = text_of("Makefile")
    shown = "".join(block.text for block in blocks(page) if block.language == "console")
    quoted = "\n".join(re.findall(r"`([^`]+)`", prose(page)))
    assert not [target for target in _TARGET.findall(shown + quoted) if f"\n{target}: " not in makefile]


@pytest.mark.parametrize("page", MINE)
def test_files_that_are_named_exist(page: str) -> None:
    roots = (ROOT, ROOT / "src" / "aotel")
    assert not [name for name in _FILE.findall(prose(page)) if not any((root / name).exists() for root in roots)]


@pytest.mark.parametrize("page", MINE)
def test_operations_exist(page: str) -> None:
    named = _OPERATION.findall(text_of(page))
    assert not [tag for tag in named if tag != "step" and lookup(tag).end_kind == lookup(None).end_kind]


@pytest.mark.parametrize("page", MINE)
def test_arguments_exist(page: str) -> None:
    unknown = []
    for name, given in _ARGUMENT.findall(prose(page)):
        accepted = inspect.signature(getattr(aotel, name)).parameters
        keywords = re.findall(r"\b([a-z_]+)=", given)
        open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())
        unknown += [f"{name}({keyword}=)" for keyword in keywords if keyword not in accepted and not open_ended]
    assert not unknown


def test_table_of_variables_is_that_of_the_registry() -> None:
    checked = subprocess.run(
        [sys.executable, "semconv/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "README.md" not in checked.stdout


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {"README.md"}
    waiting = ["README.md"]
    while waiting:
        page = waiting.pop()
        for target in links(page):
            path = target.partition("#")[0]
            file = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
            if file in PAGES and file not in reached:
                reached.add(file)
                waiting.append(file)
    assert reached == set(PAGES)
