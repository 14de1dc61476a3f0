"""The program of the README that calls OpenAI's SDK runs, against a server that speaks its wire format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.docs.pages import blocks
from tests.servers.openai_api import OpenAIServer

if TYPE_CHECKING:
    from pathlib import Path


def test_the_chat_program_prints_the_answer_and_is_audited(tmp_path: Path) -> None:
    (program,) = [block for block in blocks("README.md") if block.title == "chat.py"]
    (tmp_path / "chat.py").write_text(program.text, encoding="utf-8")
    written = tmp_path / "audit.jsonl"
    with OpenAIServer() as server:
        variables = {
            "PATH": os.environ["PATH"],
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "OPENAI_API_KEY": "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
            "AOTEL_ENVELOPES": f"file:{written}",
        }
        ended = subprocess.run(
            [sys.executable, "chat.py"],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("Where do spans go?", "", 0)
    start, end = [json.loads(line) for line in written.read_text().splitlines()]
    assert (start["kind"], end["kind"]) == ("agent.llm.request", "agent.llm.response")
    assert (end["payload"]["llm"]["input_tokens"], end["payload"]["llm"]["output_tokens"]) == (19, 10)
    assert "sk-proj" not in written.read_text()
