"""Timeouts and memory limits: the whole tree ends, the exit status and the record say why."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

from tests.runner.running import is_alive, run

if TYPE_CHECKING:
    from pathlib import Path

EAT = """
import time
blocks = []
for _ in range({blocks}):
    blocks.append(b'x' * (16 << 20))
    time.sleep(0.02)
time.sleep(20)
"""


def plain(code: str) -> tuple[str, ...]:
    """Return the command that runs Python code in a Python that starts at once: nothing is instrumented."""
    return (sys.executable, "-I", "-c", code)


def pids(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()]


def test_timeout_asks_and_says_so(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def end(*_): print('asked to end', flush=True); sys.exit(9)\n"
        "signal.signal(signal.SIGTERM, end); time.sleep(30)"
    )
    began = time.monotonic()
    ran = run(tmp_path, "--timeout", "2s", "--", *plain(code))
    assert time.monotonic() - began < 12
    assert (ran.status, ran.stdout) == (124, b"asked to end\n")
    assert ran.record.exit["reason"] == "timeout"
    assert ran.record.exit["exit_code"] == 9
    assert ran.record.info["exit"] == {"code": 9, "status": 124, "reason": "timeout"}
    (warning,) = [each for each in ran.record.details("limit_warning") if each["resource"] == "time"]
    assert (warning["percent"], warning["state"], warning["limit"]) == (90, "over", 2.0)
    assert "the timeout of 2 s is over" in ran.stderr


def test_program_that_ignores_the_request_is_killed_with_all_it_has_started(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time, os\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "children = [subprocess.Popen(['sh', '-c', 'trap \"\" TERM; while :; do sleep 1; done'],"
        " start_new_session=i) for i in (False, True)]\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open('pids', 'a').write(f'{os.getpid()} '); time.sleep(60)\n"
        "    os._exit(0)\n"
        "open('pids', 'a').write(' '.join(str(c.pid) for c in children) + f' {os.getpid()} ')\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(1)"
    )
    began = time.monotonic()
    ran = run(tmp_path, "--timeout", "2", "--", *plain(code))
    took = time.monotonic() - began
    assert (ran.status, ran.stdout) == (124, b"ready\n")
    assert 7 <= took < 14
    assert ran.record.exit["signal"] == "SIGKILL"
    assert ran.record.exit["reason"] == "timeout"
    found = pids(tmp_path / "pids")
    assert len(found) == 4
    assert not [pid for pid in found if is_alive(pid)]
    assert "left_running" not in ran.record.info


def test_pipeline_under_a_timeout_ends_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    ran = run(tmp_path, "--timeout", "1", "--", "sh", "-c", "sleep 30 | sleep 30; echo no")
    assert ran.status == 124
    assert time.monotonic() - began < 6
    assert ran.stdout == b""


def test_stopped_program_is_ended_too(tmp_path: Path) -> None:
    ran = run(tmp_path, "--timeout", "1", "--", "sh", "-c", "kill -STOP $$")
    assert ran.status == 124
    assert ran.record.exit["signal"] == "SIGTERM"


def test_program_that_ends_in_time_is_not_touched(tmp_path: Path) -> None:
    ran = run(tmp_path, "--timeout", "30", "--", "sh", "-c", "exit 3")
    assert ran.status == 3
    assert not [each for each in ran.record.details("limit_warning") if each["resource"] == "time"]


def test_memory_limit_kills_the_tree(tmp_path: Path) -> None:
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', {EAT.format(blocks=60)!r}])"
    began = time.monotonic()
    ran = run(tmp_path, "--memory-limit", "300MiB", "--", *plain(code))
    assert time.monotonic() - began < 15
    assert ran.status == 128 + signal.SIGKILL
    assert ran.record.exit["reason"] == "memory limit"
    assert ran.record.info["exit"]["reason"] == "memory limit"
    assert ran.record.info["limits"]["memory_bytes"] == 300 << 20
    assert "more than the limit of 300 MiB" in ran.stderr


def test_memory_of_all_processes_counts_together(tmp_path: Path) -> None:
    one = [sys.executable, "-S", "-c", EAT.format(blocks=12)]
    code = f"import subprocess\nfor each in [subprocess.Popen({one!r}) for _ in range(3)]: each.wait()"
    ran = run(tmp_path, "--memory-limit", "400MiB", "--", *plain(code))
    assert ran.status == 137
    assert ran.record.exit["reason"] == "memory limit"


def test_program_within_its_memory_is_not_touched(tmp_path: Path) -> None:
    ran = run(tmp_path, "--memory-limit", "1GiB", "--", *plain("b = b'x' * (64 << 20); import time; time.sleep(1)"))
    assert ran.status == 0


def test_kill_from_elsewhere_is_not_the_memory_limit(tmp_path: Path) -> None:
    ran = run(tmp_path, "--memory-limit", "4GiB", "--", "sh", "-c", "kill -KILL $$")
    assert ran.status == 137
    assert "reason" not in ran.record.exit


def test_resources_are_recorded(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", *plain("b = b'x' * (64 << 20); import time; time.sleep(1.5)"))
    samples = ran.record.details("resource")
    assert samples
    assert max(sample["memory_bytes"] for sample in samples) > 64 << 20
    assert all(sample["processes"] >= 0 for sample in samples)
