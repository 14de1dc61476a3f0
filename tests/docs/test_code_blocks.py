"""What the pages show works: Python blocks run, shell blocks run, and what is said to be printed is printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks

RUNNABLE = [page for page in PAGES if any(block.language in {"python", "bash"} for block in blocks(page))]
RUNNER = Path(__file__).with_name("run_page.py")
VARIES = (
    (re.compile(r"sha256:[0-9a-f…]+"), "sha256:<hex>"),
    (re.compile(r"[0-9a-f]{12,}"), "<hex>"),
    (re.compile(r"\d+\.\d+"), "<number>"),
    (re.compile(r'"pid": \d+'), '"pid": <number>'),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:<>a-z]+Z"), "<time>"),
)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", RUNNABLE)
def test_code_of_a_page_runs(page: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")  # or one that stands further up would count
    program: list[Block] = []
    for block in blocks(page):
        if block.language == "python" and block.title:
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
            if Path(block.title).name.startswith("test_"):
                _run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", block.title], tmp_path, block)
        elif block.language == "python":
            program.append(block)
        elif block.language == "bash":
            _run([_bash(), "-euo", "pipefail", "-c", block.text], tmp_path, block)
    if program:
        _run_program(program, tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_blocks_say_what_they_are(page: str) -> None:
    known = {"bash", "console", "json", "python", "text", "toml", "yaml", "ini"}
    assert not [block.line for block in blocks(page) if block.language not in known]


def _run_program(program: list[Block], directory: Path) -> None:
    sent = json.dumps([{"page": block.page, "line": block.line, "text": block.text} for block in program])
    ran = _run([sys.executable, str(RUNNER)], directory, program[0], stdin=sent)
    printed = dict(zip((block.line for block in program), json.loads(ran.stdout), strict=True))
    before: Block | None = None
    for block in blocks(program[0].page):
        if block.title == "prints":
            assert before is not None, f"{block.page}:{block.line}: no block before it prints anything"
            assert _steady(printed[before.line]) == _steady(block.text), f"{block.page}:{block.line}"
        before = block


def _run(
    command: list[str], directory: Path, block: Block, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    scripts = sysconfig.get_path("scripts")
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(directory)])
    ran = subprocess.run(
        command, cwd=directory, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=150
    )
    where = f"{block.page}:{block.line}"
    assert ran.returncode == 0, f"{where} failed\n{ran.stdout}\n{ran.stderr}"
    assert "Traceback" not in ran.stderr, f"{where} complained\n{ran.stderr}"
    return ran


def _bash() -> str:
    found = shutil.which("bash")
    if found is None:
        pytest.fail("the shell blocks need bash")
    return found


def _steady(text: str) -> str:
    for pattern, word in VARIES:
        text = pattern.sub(word, text)
    return text.rstrip()
