"""Signals that reach `aotel run` reach the command: once, with what follows from them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from aotel.runner.signals import Received, Signals
from tests.runner.running import finished, is_alive, python, started, until

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTING = """
import os, signal, sys, time
seen = []
def see(number, _):
    seen.append(signal.Signals(number).name)
    with open("seen", "a") as file:
        file.write(seen[-1] + "\\n")
for name in "{signals}".split():
    signal.signal(getattr(signal, name), see)
open("pid", "w").write(str(os.getpid()))
open("ready", "w").close()
end = time.monotonic() + {seconds}
while time.monotonic() < end and len(seen) < {wanted}:
    time.sleep(0.02)
time.sleep(0.3)
sys.exit({status})
"""


def counting(signals: str, wanted: int, status: int = 0, seconds: int = 20) -> list[str]:
    return list(python(COUNTING.format(signals=signals, wanted=wanted, status=status, seconds=seconds)))


def seen(directory: Path) -> list[str]:
    path = directory / "seen"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"])
def test_signal_to_us_alone_is_handed_on_once(tmp_path: Path, name: str) -> None:
    with started(tmp_path, "--", *counting(name, 1, status=5), stderr=subprocess.PIPE) as process:
        until((tmp_path / "ready").exists, "the command runs")
        process.send_signal(signal.Signals[name])
        ran = finished(process, tmp_path)
    assert (ran.status, seen(tmp_path)) == (5, [name])


def test_command_that_dies_of_a_signal_that_is_handed_on(tmp_path: Path) -> None:
    with started(tmp_path, "--", "sh", "-c", "touch ready; exec sleep 20", stderr=subprocess.PIPE) as process:
        until((tmp_path / "ready").exists, "the command runs")
        process.terminate()
        ran = finished(process, tmp_path)
    assert ran.status == 128 + signal.SIGTERM
    assert ran.record.exit["signal"] == "SIGTERM"


def test_second_interrupt_kills_the_tree(tmp_path: Path) -> None:
    code = (
        "import os, signal, subprocess, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '30'], start_new_session=True)\n"
        "open('pids', 'w').write(f'{child.pid} {os.getpid()}'); os.rename('pids', 'ready')\n"
        "time.sleep(30)"
    )
    with started(tmp_path, "--", *python(code), stderr=subprocess.PIPE) as process:
        until((tmp_path / "ready").exists, "the command runs")
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        ran = finished(process, tmp_path)
    assert ran.status == 128 + signal.SIGKILL
    assert ran.record.exit["reason"] == "interrupted"
    assert "Ctrl-C again kills it" in ran.stderr
    assert not [pid for pid in map(int, (tmp_path / "ready").read_text().split()) if is_alive(pid)]


def test_command_that_ends_by_an_interrupt_says_so(tmp_path: Path) -> None:
    with started(tmp_path, "--", "sh", "-c", "touch ready; exec sleep 20", stderr=subprocess.PIPE) as process:
        until((tmp_path / "ready").exists, "the command runs")
        process.send_signal(signal.SIGINT)
        ran = finished(process, tmp_path)
    assert ran.status == 130
    assert ran.record.exit["reason"] == "interrupted"


def test_signal_by_timeout_1_is_not_taken_for_a_second_interrupt(tmp_path: Path) -> None:
    """`timeout` tells its child, and then its whole group: the command gets the signal, and may end in its own way."""
    code = (
        "import signal, sys, time\n"
        "def end(*_): time.sleep(1); print('in order', flush=True); sys.exit(6)\n"
        "signal.signal(signal.SIGINT, end); open('ready', 'w'); time.sleep(30)"
    )
    prefix = ["timeout", "--signal=INT", "--preserve-status", "50"]
    with started(
        tmp_path, "--", *python(code), prefix=prefix, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until((tmp_path / "ready").exists, "the command runs")
        process.send_signal(signal.SIGINT)  # which `timeout` hands on as it does when the time is over
        ran = finished(process, tmp_path)
    assert b"in order" in ran.stdout
    assert ran.status == 6


def test_nohup_holds_for_the_command(tmp_path: Path) -> None:
    script = "touch ready; grep SigIgn /proc/$$/status > ignored; exec sleep 3"
    with started(tmp_path, "--", "sh", "-c", script, prefix=["nohup"], stderr=subprocess.PIPE) as process:
        until((tmp_path / "ready").exists, "the command runs")
        process.send_signal(signal.SIGHUP)
        ran = finished(process, tmp_path)
    assert ran.status == 0
    assert int((tmp_path / "ignored").read_text().split()[1], 16) & 1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_command_starts_with_the_signals_as_they_were(tmp_path: Path) -> None:
    script = "grep -E 'SigBlk|SigIgn' /proc/self/status"
    with started(tmp_path, "--", "sh", "-c", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        ran = finished(process, tmp_path)
    direct = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    # 32 and 33 are the C library's own, which its `posix_spawn` has ignored.
    assert [line[-7:] for line in ran.stdout.splitlines()] == [line[-7:] for line in direct.stdout.splitlines()]


def test_kill_0_in_the_command_reaches_it_once(tmp_path: Path) -> None:
    code = (
        "import os, signal, time\n"
        "def see(*_): open('seen', 'a').write('SIGTERM\\n')\n"
        "signal.signal(signal.SIGTERM, see); os.kill(0, signal.SIGTERM); time.sleep(1)"
    )
    with started(tmp_path, "--", *python(code), stderr=subprocess.PIPE, start_new_session=True) as process:
        ran = finished(process, tmp_path)
    assert (ran.status, seen(tmp_path)) == (0, ["SIGTERM"])


def test_stop_and_go_on(tmp_path: Path) -> None:
    """SIGTSTP to us stops both, SIGCONT lets both go on; the time that we are stopped is no part of the timeout."""
    script = "touch ready; for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done; exit 3"
    with started(
        tmp_path, "--timeout", "4", "--", "sh", "-c", script, stderr=subprocess.PIPE, preexec_fn=os.setpgrp
    ) as process:
        until((tmp_path / "ready").exists, "the command runs")
        us = psutil.Process(process.pid)
        (child,) = [each for each in us.children() if each.name() == "sh"]
        process.send_signal(signal.SIGTSTP)
        until(lambda: us.status() == psutil.STATUS_STOPPED, "we are stopped")
        until(lambda: child.status() == psutil.STATUS_STOPPED, "the command is stopped")
        time.sleep(4.5)
        process.send_signal(signal.SIGCONT)
        ran = finished(process, tmp_path)
    assert ran.status == 3


def test_end_before_the_command_starts_leaves_a_record(tmp_path: Path) -> None:
    """While packages are installed: by an installer that takes its time."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\ntouch installing; exec sleep 20\n")
    uv.chmod(0o755)
    env = {"PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}"}
    with started(tmp_path, "--with", "x", "--", "touch", "ran", env=env, stderr=subprocess.PIPE) as process:
        until((tmp_path / "installing").exists, "the installer runs")
        process.terminate()
        ran = finished(process, tmp_path)
    assert ran.status == 128 + signal.SIGTERM
    assert ran.record.info["state"] == "failed"
    assert not (tmp_path / "ran").exists()
    assert ran.record.details("pod_stop")


@pytest.fixture
def restored() -> Iterator[None]:
    former = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGINT)}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    assert {number: signal.getsignal(number) for number in former} == former
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


@pytest.mark.parametrize("tells_senders", [True, False])
def test_signals_are_handed_out_in_place_of_their_handlers(restored: None, tells_senders: bool) -> None:
    if tells_senders and not hasattr(signal, "sigtimedwait"):
        pytest.skip("this system doesn't tell who sends")
    with Signals(tells_senders=tells_senders) as signals:
        assert signals.wait(0.05) == []
        os.kill(os.getpid(), signal.SIGUSR1)
        found = signals.wait(5)
        assert [each.number for each in found] == [signal.SIGUSR1]
        assert isinstance(found[0], Received)
        if tells_senders and found[0].sender:  # another thread of the test runner may have got it
            assert (found[0].terminal, found[0].sender) == (False, os.getpid())
        os.kill(os.getpid(), signal.SIGUSR1)  # left in the queue: must not end us after the block


def test_child_that_was_waited_for_by_somebody_else_has_ended(tmp_path: Path) -> None:
    from aotel.runner.child import Child

    child = Child.start(sys.executable, [sys.executable, "-S", "-c", ""], os.environ)
    os.waitpid(child.pid, 0)
    assert child.poll()
    assert child.exit is not None
    assert child.exit.code is None
