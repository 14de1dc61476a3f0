"""Policy files: everything in them is understood, or named."""

from __future__ import annotations

from pathlib import Path

import pytest

from aotel.errors import ConfigurationError
from aotel.pod.config import AgentConfig
from aotel.runner.policy_file import Policy, load

FULL = """
allow_hosts = ["api.example.com", "*.internal"]
allow_paths = ["/data"]
enforce = true
timeout = "5m"
memory_limit = "512MiB"

[output]
dir = "out"
max_bytes = 1000000

[[agents]]
id = "writer"
role = "writes"
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "policy.toml"
    path.write_text(text)
    return path


def test_all_keys(tmp_path: Path) -> None:
    assert load(written(tmp_path, FULL)) == Policy(
        allow_hosts=("api.example.com", "*.internal"),
        allow_paths=("/data",),
        enforce=True,
        timeout=300.0,
        memory_limit=512 << 20,
        output=Path("out"),
        output_limit=1_000_000,
        agents=(AgentConfig("writer", role="writes"),),
    )


def test_empty_file_says_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == Policy()


def test_numbers_are_seconds_and_bytes(tmp_path: Path) -> None:
    found = load(written(tmp_path, 'timeout = 1.5\nmemory_limit = 4096\noutput.max_bytes = "1k"'))
    assert (found.timeout, found.memory_limit, found.output_limit) == (1.5, 4096, 1024)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("allow_host = []", "allow_host"),
        ("[output]\ndirectory = 'x'", "output.directory"),
        ("allow_hosts = 'x'", "allow_hosts"),
        ("allow_paths = [1]", "allow_paths[0]"),
        ("enforce = 'yes'", "enforce"),
        ("timeout = 'soon'", "timeout"),
        ("timeout = 0", "timeout"),
        ("timeout = true", "timeout"),
        ("timeout = []", "timeout"),
        ("memory_limit = '1 elephant'", "memory_limit"),
        ("output = 'out'", "output"),
        ("[output]\nmax_bytes = 'x'", "output.max_bytes"),
        ("agents = 'x'", "agents"),
        ("[[agents]]\nname = 'x'", "agents[0]"),
        ("[[agents]]\nid = 'x'\n[[agents]]\nid = 'x'", "agents[1].id"),
    ],
)
def test_mistake_names_its_key_and_its_file(tmp_path: Path, text: str, named: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"not toml at all", b"\xff\xfe", b"a = 1\na = 2"])
def test_what_is_no_toml_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="no TOML"):
        load(path)


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load(tmp_path / "nothing.toml")
