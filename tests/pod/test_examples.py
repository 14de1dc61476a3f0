"""The examples are ones that work: pod.toml is accepted, and the unit starts a pod that tells systemd of itself."""

from __future__ import annotations

import configparser
import re
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from aotel.pod.config import load
from tests.docs.pages import ROOT, blocks, text_of
from tests.pod.pod_process import PodProcess, ask

EXAMPLES = ROOT / "examples" / "pod"
CONFIG = EXAMPLES / "pod.toml"
_OPTION = re.compile(r"--[a-z-]+")


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string((EXAMPLES / "aotel-pod.service").read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def options() -> set[str]:
    shown = subprocess.run(
        [sys.executable, "-m", "aotel.cli", "pod", "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    return set(_OPTION.findall(shown.stdout))


def test_the_example_is_accepted_and_says_something_of_everything() -> None:
    config = load(CONFIG)
    assert config.pod_id == "build-7"
    assert {agent.id: agent.uids for agent in config.agents} == {"reviewer": None, "deployer": (1001, 1002)}
    assert config.agents[0].capabilities == ("read", "comment")
    assert {action.tier for action in config.actions} == {"staged", "delayed", "immediate", "blocked"}
    assert [param.required for param in config.actions[0].params] == [True, True, False]
    assert (config.audit.rotate_bytes, config.audit.fsync) == (256 << 20, "interval")
    assert (config.sockets.mode, config.sockets.directory_mode) == (0o660, 0o750)


def test_what_is_commented_out_is_accepted_too(tmp_path: Path) -> None:
    text = re.sub(r"^# (?=key_file|\[forward\]|otlp)", "", CONFIG.read_text("utf-8"), flags=re.MULTILINE)
    (tmp_path / "pod.toml").write_text(text, "utf-8")
    config = load(tmp_path / "pod.toml")
    assert config.audit.key_file == tmp_path / "audit.key"
    assert config.otlp == "http://127.0.0.1:4317"


def test_the_page_shows_the_example() -> None:
    (shown,) = [block for block in blocks("docs/pod.md") if block.language == "toml"]
    assert shown.text == CONFIG.read_text("utf-8")


def test_the_pages_table_has_every_key_of_the_example() -> None:
    """Its names are those of the tables that the example has, `[]` for each of an array."""
    rows = set(re.findall(r"^\| `([a-z_.\[\]]+)` \|", text_of("docs/pod.md"), re.MULTILINE))
    assert {
        *("pod_id", "agents[].id", "agents[].role", "agents[].capabilities", "agents[].max_ttl_secs"),
        *("agents[].claim.uids", "actions[].name", "actions[].description", "actions[].tier"),
        *("actions[].delay_secs", "actions[].params[]", "audit.rotate_bytes", "audit.fsync", "audit.key_file"),
        *("sockets.mode", "sockets.directory_mode", "forward.otlp"),
    } <= rows


def test_the_example_runs() -> None:
    with PodProcess(None, "--config", str(CONFIG)) as pod:
        (offers,) = ask(pod.queue, {"type": "list_actions"})
        assert [offer["name"] for offer in offers["actions"]] == [  # type: ignore[attr-defined]
            "send_mail",
            "publish",
            "read_calendar",
            "drop_database",
        ]
        assert pod.entries("pod_start")[0]["pod_id"] == "build-7"


def test_the_unit_is_of_a_service_that_notifies(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert service["Type"] == "notify"
    # It tells processes of all users apart: nothing may hide them.
    assert {"ProtectProc", "ProcSubset", "PrivateUsers", "PrivatePIDs", "DynamicUser"}.isdisjoint(service)
    assert service["NoNewPrivileges"] == "yes"


def test_the_units_options_exist(unit: configparser.ConfigParser, options: set[str]) -> None:
    program, command, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert (Path(program).name, command) == ("aotel", "pod")
    given = {argument for argument in arguments if argument.startswith("--")}
    assert given
    assert given <= options


def test_the_pages_options_exist(options: set[str]) -> None:
    shown = "".join(block.text for block in blocks("docs/pod.md") if block.language in {"bash", "console"})
    given = {option for line in re.findall(r"aotel pod (.*)", shown) for option in _OPTION.findall(line)}
    assert {"--dir", "--pod-id"} <= given <= options


def test_the_units_command_starts_a_pod_that_tells_when_it_is_ready_and_when_it_ends(
    unit: configparser.ConfigParser,
) -> None:
    arguments = shlex.split(unit["Service"]["ExecStart"])[2:]
    places = {"--dir", "--config"}  # those are of a machine where it is installed
    others = [each for number, each in enumerate(arguments) if not places & {each, arguments[number - 1]}]
    with (
        tempfile.TemporaryDirectory(prefix="pod") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        systemd.bind(f"{folder}/notify")
        systemd.settimeout(15)
        environment = {"NOTIFY_SOCKET": f"{folder}/notify"}
        with PodProcess(Path(folder, "state"), "--config", str(CONFIG), *others, environment=environment) as pod:
            assert systemd.recv(100) == b"READY=1"
            assert (pod.directory.stat().st_mode & 0o777, Path(pod.queue).stat().st_mode & 0o777) == (0o710, 0o660)
            assert pod.stop() == 0
            assert systemd.recv(100) == b"STOPPING=1"
