"""Programs under other people's instrumentors, each in a process of its own: nothing of them stays in the tests'."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
TIMEOUT = 50  # seconds for one program
MODULES = {
    "openinference-openai": "openinference.instrumentation.openai",
    "openinference-anthropic": "openinference.instrumentation.anthropic",
    "openinference-langchain": "openinference.instrumentation.langchain",
    "openinference-litellm": "openinference.instrumentation.litellm",
    "genai-openai": "opentelemetry.instrumentation.genai.openai",
    "openllmetry-openai": "opentelemetry.instrumentation.openai",
    "openllmetry-anthropic": "opentelemetry.instrumentation.anthropic",
}
"""What each instrumentor is imported from."""


def spans_of(program: str, *arguments: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Run a program of `programs`; return what it printed, decoded.

    Args:
        program: its file.
        arguments: on its command line.
        environment: more variables.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    ended = subprocess.run(
        [sys.executable, str(PROGRAMS / program), *arguments],
        env={
            **kept,
            "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it would fetch one
            "TRACELOOP_TELEMETRY": "false",
            **(environment or {}),
        },
        cwd=PROGRAMS,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "aotel failed" not in ended.stderr, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def foreign(library: str, *names: str, rounds: Sequence[dict[str, str]] = ({},)) -> list[dict[str, Any]]:
    """Return what left of every call of a library under some instrumentors, ours only where "aotel" is among them.

    Args:
        library: one of `programs.libraries`.
        names: of the instrumentors, in their order.
        rounds: all calls are made once for each: with these variables set, or with the mode under "capture".
    """
    for name in names:
        if name in MODULES:
            pytest.importorskip(MODULES[name])
    pytest.importorskip("langchain_openai" if library == "langchain" else library.replace("-", "_"))
    content = {  # the one instrumentor that writes none unless it is asked to
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    }
    ours = {} if "aotel" in names else {"AOTEL_INSTRUMENT": "none"}
    found: Any = spans_of("foreign.py", library, ",".join(names), json.dumps(rounds), environment={**ours, **content})
    return list(found)
