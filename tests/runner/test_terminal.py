"""In a terminal: the command has it as without us, and Ctrl-C, Ctrl-Z and their like do what they do."""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.runner.running import AOTEL, Record, environment, is_alive, python, until
from tests.runner.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

COUNTING = """
import os, signal, sys, time
count = 0
def see(number, _):
    global count
    count += 1
    # Not by print: what it interrupts may be in the middle of one.
    os.write(1, b"got %s %d\\n" % (signal.Signals(number).name.encode(), count))
signal.signal(signal.{name}, see)
print("ready", flush=True)
while not count:
    time.sleep(0.02)
time.sleep(0.5)
print("total", count, flush=True)
sys.exit(4)
"""


def terminal(directory: Path, *command: str, view: str = "off") -> Terminal:
    arguments = [*AOTEL, "--view", view, "--runs-dir", str(directory / "runs"), "--", *command]
    return Terminal(arguments, directory, environment({"TERM": "xterm-256color"}))


def record(directory: Path) -> Record:
    return Record((directory / "runs" / "latest").resolve())


@pytest.mark.parametrize("view", ["off", "simple"])
def test_command_has_the_terminal(tmp_path: Path, view: str) -> None:
    code = (
        "import os, sys; print([os.isatty(n) for n in (0, 1, 2)], os.get_terminal_size(),"
        " os.ttyname(0) == os.ttyname(1), os.tcgetpgrp(0) == os.getpgrp(), os.getsid(0) == os.getsid(os.getppid()))"
    )
    with terminal(tmp_path, *python(code), view=view) as it:
        assert it.wait() == 0
    assert b"[True, True, True] os.terminal_size(columns=120, lines=40) True True True\r\n" in it.output


def test_command_reads_what_is_typed(tmp_path: Path) -> None:
    with terminal(tmp_path, *python("print('ready'); print('read', input().upper())")) as it:
        it.wait_for(b"ready")
        it.type(b"words\n")
        assert it.wait() == 0
    assert b"read WORDS" in it.output


@pytest.mark.parametrize(("name", "key"), [("SIGINT", b"\x03"), ("SIGQUIT", b"\x1c")])
def test_key_reaches_the_command_once(tmp_path: Path, name: str, key: bytes) -> None:
    with terminal(tmp_path, *python(COUNTING.format(name=name))) as it:
        it.wait_for(b"ready")
        it.type(key)
        assert it.wait() == 4
    assert it.output.count(b"got ") == 1
    assert b"total 1" in it.output
    assert record(tmp_path).exit["exit_code"] == 4


def test_interrupt_ends_a_command_that_does_not_care(tmp_path: Path) -> None:
    with terminal(tmp_path, "sh", "-c", "echo ready; sleep 30; echo no") as it:
        it.wait_for(b"ready")
        it.type(b"\x03")
        assert it.wait() == 130
    assert record(tmp_path).exit["reason"] == "interrupted"
    assert record(tmp_path).info["state"] == "finished"


def test_second_interrupt_kills_all(tmp_path: Path) -> None:
    code = (
        "import os, signal, subprocess, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '30'])\n"
        "print('ready', child.pid, os.getpid(), 'end', flush=True)\n"
        "time.sleep(30)"
    )
    with terminal(tmp_path, *python(code)) as it:
        it.wait_for(b"end")
        pids = [int(word) for word in it.output.partition(b"ready")[2].split()[:2]]
        it.type(b"\x03")
        it.read(0.7)
        assert is_alive(pids[1])
        it.type(b"\x03")
        assert it.wait() == 137
    assert not [pid for pid in pids if is_alive(pid)]
    assert record(tmp_path).exit["reason"] == "interrupted"


def test_command_in_a_group_of_its_own_gets_the_interrupt_too(tmp_path: Path) -> None:
    code = "import os; os.setpgid(0, 0)\n" + COUNTING.format(name="SIGINT")
    with terminal(tmp_path, *python(code)) as it:
        it.wait_for(b"ready")
        it.type(b"\x03")
        assert it.wait() == 4
    assert b"total 1" in it.output


def test_ctrl_z_stops_both_and_fg_goes_on(tmp_path: Path) -> None:
    """Under a shell with job control, as a person has it."""
    (tmp_path / "count.py").write_text(COUNTING.format(name="SIGCONT"))
    inner = [*AOTEL, "--view", "off", "--runs-dir", "runs", "--", sys.executable, "count.py"]
    with Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path, environment({"PS1": "$ "})) as it:
        it.wait_for(b"$ ")
        it.type(shlex.join(inner).encode() + b"\n")
        it.wait_for(b"ready")
        it.type(b"\x1a")
        it.wait_for(b"Stopped")
        time.sleep(0.3)
        assert b"total" not in it.output
        it.type(b"fg\n")
        it.wait_for(b"total", 10)
        it.type(b"echo status=$?\n")
        it.wait_for(b"status=4")
        it.type(b"exit\n")
        it.wait()
    # The shell tells the group to go on, and so do we tell the command: it doesn't matter how often.
    assert b"got SIGCONT" in it.output


def test_command_that_stops_itself_gives_the_shell_its_prompt(tmp_path: Path) -> None:
    script = "kill -TSTP $$; echo go$((1))ing on; exit 3"
    inner = [*AOTEL, "--view", "off", "--runs-dir", "runs", "--", "sh", "-c", script]
    with Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path, environment({"PS1": "$ "})) as it:
        it.wait_for(b"$ ")
        it.type(shlex.join(inner).encode() + b"\n")
        it.wait_for(b"Stopped")
        it.type(b"fg\n")
        it.wait_for(b"go1ing on")
        it.type(b"echo status=$?\n")
        it.wait_for(b"status=3")
        it.type(b"exit\n")
        it.wait()


def test_interrupt_in_a_script_reaches_the_command_once(tmp_path: Path) -> None:
    script = shlex.join([*AOTEL, "--view", "off", "--runs-dir", "runs", "--", *python(COUNTING.format(name="SIGINT"))])
    (tmp_path / "script.sh").write_text(f"trap : INT\n{script}\necho after $?\n")
    with Terminal(["sh", "script.sh"], tmp_path, environment()) as it:
        it.wait_for(b"ready")
        it.type(b"\x03")
        it.wait()
    assert b"total 1" in it.output
    assert b"after 4" in it.output


@pytest.mark.parametrize("shell", [(), ("bash", "-c", '"$@"; exit $?', "bash")])
def test_terminal_that_is_gone_hangs_the_command_up(tmp_path: Path, shell: tuple[str, ...]) -> None:
    """Whether we are the leader of the session, or a shell is."""
    command = [*AOTEL, "--view", "simple", "--runs-dir", "runs", "--", "sh", "-c", "touch ready; exec sleep 30"]
    with Terminal([*shell, *command], tmp_path, environment()) as it:
        until((tmp_path / "ready").exists, "the command runs")
        it.hang_up()
        it.wait()
    until(lambda: record(tmp_path).info["state"] == "finished", "the record is complete")
    assert record(tmp_path).exit["signal"] == "SIGHUP"
