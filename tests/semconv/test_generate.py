"""The generator: what is in the tree is what the registry says, and a wrong registry is told from a right one."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
SEMCONV = ROOT / "semconv"
GENERATED = {
    "docs/reference/attributes.md",
    "docs/reference/envelopes.md",
    "docs/reference/environment.md",
    "docs/reference/metrics.md",
    "docs/reference/operations.md",
    "semconv/aotp-0.1.schema.json",
    "src/aotel/semconv/__init__.py",
    "src/aotel/semconv/attributes.py",
    "src/aotel/semconv/environment.py",
    "src/aotel/semconv/kinds.py",
    "src/aotel/semconv/metrics.py",
    "src/aotel/semconv/operations.py",
}
README = "# x\n<!-- environment:begin -->\nold\n<!-- environment:end -->\nend\n"


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SEMCONV)
    return importlib.import_module("generate")


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SEMCONV / "registry", tmp_path / "registry"))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SEMCONV / "generate.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_everything_generated_is_fresh() -> None:
    done = run("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "everything is fresh\n", "")


def test_it_writes_what_is_missing_and_is_then_content(tmp_path: Path) -> None:
    assert set(run("--check", "--root", tmp_path).stdout.splitlines()) == {f"stale: {name}" for name in GENERATED}
    assert list(tmp_path.iterdir()) == []
    assert set(run("--root", tmp_path).stdout.splitlines()) == {f"wrote {name}" for name in GENERATED}
    assert run("--root", tmp_path).stdout == ""
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == GENERATED
    for name in GENERATED:
        assert (tmp_path / name).read_text() == (ROOT / name).read_text()


def test_a_changed_file_is_stale(tmp_path: Path, generate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    generate.main(["--root", str(tmp_path)])
    (tmp_path / "src/aotel/semconv/kinds.py").write_text("X = 1\n")
    capsys.readouterr()
    assert generate.main(["--root", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().out == "stale: src/aotel/semconv/kinds.py\n"


def test_the_readme_gets_its_table_between_the_markers(tmp_path: Path, generate: ModuleType) -> None:
    (tmp_path / "README.md").write_text(README)
    generate.main(["--root", str(tmp_path)])
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("# x\n<!-- environment:begin -->\n| variable |")
    assert text.endswith("|\n<!-- environment:end -->\nend\n")
    assert "| `AOTEL_CAPTURE` (`ENVPOD_COAT_CAPTURE`) | unset |" in text
    assert "old" not in text
    assert generate.main(["--root", str(tmp_path), "--check"]) == 0


def test_a_readme_without_markers_is_left_alone(tmp_path: Path, generate: ModuleType) -> None:
    (tmp_path / "README.md").write_text("# x\n")
    generate.main(["--root", str(tmp_path)])
    assert (tmp_path / "README.md").read_text() == "# x\n"


ATTRIBUTE = """
groups:
  - id: registry.more
    type: attribute_group
    display_name: More
    brief: More.
    source: us
    stability: development
    attributes:
      - {id: more.one, type: string, brief: One.}
      - %s
"""


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{id: session.id, type: string, brief: B.}", "session.id: defined before, in opentelemetry.yaml"),
        ("{id: more.one, type: string, brief: B.}", "more.one: defined before, in zz.yaml"),
        ("{id: more_one, type: string, brief: B.}", "MORE_ONE: defined before, in zz.yaml"),
        ("{id: more.two, type: strnig, brief: B.}", "more.two: unknown type 'strnig'"),
        ("{id: more.two, type: 'template[x]', brief: B.}", "more.two: unknown type 'x' in 'template[x]'"),
        ("{id: more.two, type: 'indexed[nothing]', brief: B.}", "more.two: no element group 'nothing'"),
        ("{id: more.two, type: {members: []}, brief: B.}", "more.two: no members"),
        ("{id: more.two, type: string}", "more.two: Object missing required field `brief`"),
        ("{id: more.two, type: string, brief: ' '}", "more.two: the brief is empty"),
        ("{id: more.two, type: string, brief: B., colour: red}", "more.two: Object contains unknown field `colour`"),
        ("{type: string, brief: B.}", "(no id): Object missing required field `id`"),
        ("{id: More.Two, type: string, brief: B.}", "More.Two: not a dotted lower-case name"),
        ("just text", "(no id): Expected `object`, got `str`"),
    ],
)
def test_a_wrong_attribute_is_named_with_its_file(
    registry: Path, generate: ModuleType, capsys: pytest.CaptureFixture[str], entry: str, problem: str
) -> None:
    (registry / "zz.yaml").write_text(ATTRIBUTE % entry)
    assert generate.main(["--registry", str(registry), "--check"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert f"zz.yaml: {problem}" in errors
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("operations.yaml", "start: agent.llm.request", "start: agent.llm.ask", "llm: no kind 'agent.llm.ask'"),
        ("operations.yaml", "genai: chat", "genai: chit", "llm: 'chit' is no member of gen_ai.operation.name"),
        ("operations.yaml", "openinference: RERANKER", "openinference: X", "rerank: 'X' is no member of openinf"),
        ("operations.yaml", "aliases: [thought]", "aliases: [llm]", "llm: defined before, in operations.yaml"),
        ("operations.yaml", "{value: plan, operation: planning}", "{value: plan, operation: x}", "gen_ai.operation"),
        ("operations.yaml", "      - {value: task, operation: step}\n", "", "traceloop.span.kind: the member 'task'"),
        ("operations.yaml", "{value: task,", "{value: tusk,", "traceloop.span.kind: 'tusk' is none of its members"),
        ("environment.yaml", "default: genai,openinference", "default: x", "AOTEL_DIALECTS: the default 'x' is none"),
        ("environment.yaml", "id: AOTEL_HASH_KEY", "id: AOTEL_DISABLED", "AOTEL_DISABLED: defined before"),
        ("envelope.yaml", "type: subject", "type: object", "envelope.subject: unknown type 'object'"),
        (
            "envelope.yaml",
            "{id: pid, type: int, minimum: 0, brief: Process id., examples: [4242]}",
            "{id: pid}",
            "pid: ",
        ),
        ("kinds.yaml", "id: agent.run.end", "id: agent.run.start", "agent.run.start: defined before, in kinds.yaml"),
        ("kinds.yaml", "kinds:", "kinks:", "kinks: not a section"),
        ("kinds.yaml", "kinds:", "kinds: [", "(file): "),
    ],
)
def test_a_registry_that_does_not_fit_together_is_refused(
    registry: Path,
    generate: ModuleType,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    problem: str,
) -> None:
    text = (registry / file).read_text()
    assert old in text
    (registry / file).write_text(text.replace(old, new, 1))
    assert generate.main(["--registry", str(registry), "--check"]) == 1
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith(f"{file}: {problem}")]


def test_an_empty_group_is_refused(registry: Path, generate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    text = ATTRIBUTE.partition("    attributes:")[0] + "    attributes: []\n"
    (registry / "zz.yaml").write_text(text)
    assert generate.main(["--registry", str(registry), "--check"]) == 1
    assert capsys.readouterr().err == "zz.yaml: registry.more: has no attributes\n"
