"""Programs under `opentelemetry-instrument`, in processes of their own: what they print, export and write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TIMEOUT = 40  # seconds that any program here may take

CALL = """
    import aotel

    @aotel.coat("tool")
    def search(query):
        return ["found", query]

    print(search("notes"))
"""
"""A program with one coated call, and nothing of OpenTelemetry."""

SPANS = """
    from opentelemetry import trace

    with trace.get_tracer("app").start_as_current_span(
        "chat m1",
        attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "m1", "gen_ai.provider.name": "acme"},
    ) as span:
        span.set_attribute("gen_ai.usage.input_tokens", 3)
    print("done")
"""
"""A program with a span made by the OpenTelemetry API, and nothing of aotel."""


@dataclass
class Ended:
    """A program that ended."""

    code: int
    stdout: str
    stderr: str
    envelopes: list[dict[str, Any]]
    seconds_after_end: float | None
    """Seconds from the last thing that the program printed, `time.monotonic()`, to the end of its process."""

    @property
    def kinds(self) -> list[str]:
        """The kind of each envelope, in the order in which they were written."""
        return [envelope["kind"] for envelope in self.envelopes]

    @property
    def untouched(self) -> bool:
        """Whether nothing but the program itself was heard of."""
        return self.code == 0 and not self.stderr


@dataclass
class Programs:
    """Runs programs.

    Args:
        directory: where they run, and where their envelopes go.
        environment: variables for all of them, above a clean environment.
    """

    directory: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def run(
        self,
        *sources: str,
        environment: Mapping[str, str] | None = None,
        instrumented: bool = True,
        timed: bool = False,
    ) -> Ended:
        """Run a program to its end.

        Args:
            *sources: its source, in parts of any indentation.
            environment: further variables.
            instrumented: whether it runs under `opentelemetry-instrument`.
            timed: whether the time from its last line to the end of its process is measured.
        """
        program = self.directory / "app.py"
        ending = "import time; print(time.monotonic())" if timed else ""
        program.write_text("\n".join(textwrap.dedent(part) for part in (*sources, ending)))
        written = self.directory / "envelopes.jsonl"
        ended = subprocess.run(
            [*([str(BIN / "opentelemetry-instrument")] if instrumented else []), sys.executable, str(program)],
            cwd=self.directory,
            env=self._variables(written, environment or {}),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        now = time.monotonic()
        envelopes = [json.loads(line) for line in written.read_text().splitlines()] if written.exists() else []
        seconds = now - float(ended.stdout.split()[-1]) if timed else None
        return Ended(ended.returncode, ended.stdout, ended.stderr, envelopes, seconds)

    def _variables(self, written: Path, further: Mapping[str, str]) -> dict[str, str]:
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        own = {
            "AOTEL_ENVELOPES": f"file:{written}",
            # The program's own folder first: what tests put there counts as installed.
            # Instrumentors of others that the tests' environment has: they import frameworks, which takes seconds.
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "langchain,openai,anthropic,litellm",
            "PYTHONPATH": os.pathsep.join((str(self.directory), str(ROOT / "src"))),
        }
        found = {**clean, **own, **self.environment, **further}
        return {name: value for name, value in found.items() if value}

    def install(self, name: str, source: str, entry_points: Mapping[str, str]) -> None:
        """Install a package of one module for the programs that follow.

        Args:
            name: of the package and its module.
            source: of the module.
            entry_points: objects of the module by entry point group; the entry points have the package's name.
        """
        (self.directory / f"{name}.py").write_text(textwrap.dedent(source))
        info = self.directory / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "".join(f"[{group}]\n{name} = {name}:{value}\n\n" for group, value in entry_points.items())
        )
