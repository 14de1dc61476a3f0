"""Programs of many kinds under `aotel run`: what they and their Python children do is in the record."""

from __future__ import annotations

import json
import shlex
import sys
import time
from typing import TYPE_CHECKING

import psutil

from tests.runner.running import AOTEL, Record, is_alive, python, run

if TYPE_CHECKING:
    from pathlib import Path

TOOL = """
import aotel

@aotel.coat("tool")
def work(name):
    return name.upper()
"""


def functions(record: Record) -> list[str]:
    """Return what the finished operations were given, sorted."""
    return sorted(
        envelope["payload"]["result_preview"]
        for envelope in record.envelopes
        if envelope["kind"] == "agent.tool.result"
    )


def write(directory: Path, code: str, name: str = "agent.py") -> str:
    (directory / name).write_text(TOOL + code)
    return name


def test_plain_program_is_instrumented_and_its_envelopes_have_the_agents_identity(tmp_path: Path) -> None:
    ran = run(tmp_path, "--agent", "writer", "--", sys.executable, write(tmp_path, "work('one')"))
    assert ran.status == 0
    assert functions(ran.record) == ["'ONE'"]
    for envelope in ran.record.envelopes:
        assert envelope["subject"]["agent_id"] == "writer"
        assert envelope["envpod"]["claim_kind"] == "claimed"
        assert envelope["envpod"]["pid"] == ran.record.info["pid"]
    assert ran.record.info["agent"] == "writer"
    assert {entry.get("agent") for entry in ran.record.entries if entry["action"] == "process_exit"} == {"writer"}
    assert ran.record.path.name.endswith("-agent")


def test_without_an_agent_envelopes_are_anonymous(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", sys.executable, write(tmp_path, "work('one')"))
    assert {envelope["envpod"]["claim_kind"] for envelope in ran.record.envelopes} == {"anonymous"}


def test_script_that_forks(tmp_path: Path) -> None:
    code = """
import os
with aotel.step("parent"):
    work("before")
    for name in ("first", "second"):
        if (pid := os.fork()) == 0:
            work(name)
            raise SystemExit(0)
        assert os.waitpid(pid, 0)[1] == 0
    work("after")
"""
    ran = run(tmp_path, "--agent", "forker", "--", sys.executable, write(tmp_path, code))
    assert ran.status == 0, ran.stderr
    assert functions(ran.record) == ["'AFTER'", "'BEFORE'", "'FIRST'", "'SECOND'"]
    assert {envelope["subject"]["agent_id"] for envelope in ran.record.envelopes} == {"forker"}


def test_multiprocessing_spawn(tmp_path: Path) -> None:
    code = """
import multiprocessing

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        print(sorted(pool.map(work, ["a", "b", "c"])))
        pool.close()
        pool.join()
    work("main")
"""
    ran = run(tmp_path, "--agent", "pool", "--", sys.executable, write(tmp_path, code))
    assert (ran.status, ran.stdout) == (0, b"['A', 'B', 'C']\n"), ran.stderr
    assert functions(ran.record) == ["'A'", "'B'", "'C'", "'MAIN'"]
    assert len({envelope["envpod"]["pid"] for envelope in ran.record.envelopes}) >= 2
    assert {envelope["subject"]["agent_id"] for envelope in ran.record.envelopes} == {"pool"}


def test_asyncio(tmp_path: Path) -> None:
    code = """
import asyncio

@aotel.coat("tool")
async def fetch(name):
    await asyncio.sleep(0.01)
    return name.upper()

async def main():
    with aotel.step("all"):
        print(await asyncio.gather(*(fetch(name) for name in "abc")))

asyncio.run(main())
"""
    ran = run(tmp_path, "--", sys.executable, write(tmp_path, code))
    assert (ran.status, ran.stdout) == (0, b"['A', 'B', 'C']\n")
    assert functions(ran.record) == ["'A'", "'B'", "'C'"]


def test_shell_pipeline_with_python_in_it(tmp_path: Path) -> None:
    write(tmp_path, "work('first'); print('data')", "first.py")
    write(tmp_path, "import sys; work(sys.stdin.read().strip()); print('end')", "second.py")
    script = f"{sys.executable} first.py | cat | {sys.executable} second.py; exit 7"
    ran = run(tmp_path, "--agent", "sh", "--", "sh", "-c", script)
    assert (ran.status, ran.stdout) == (7, b"end\n")
    assert functions(ran.record) == ["'DATA'", "'FIRST'"]
    assert {envelope["subject"]["agent_id"] for envelope in ran.record.envelopes} == {"sh"}


def test_program_that_is_not_python_is_only_watched(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", "sh", "-c", "echo shell")
    assert (ran.status, ran.stdout) == (0, b"shell\n")
    assert ran.record.envelopes == []
    assert ran.record.exit["exit_code"] == 0


def test_exit_of_a_program_that_raises_is_its_own(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", sys.executable, write(tmp_path, "work('one')\nraise ValueError('no')"))
    assert ran.status == 1
    assert "ValueError: no" in ran.stderr
    assert functions(ran.record) == ["'ONE'"]


def test_background_processes_are_left_alone_and_told_of(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", "sh", "-c", "sleep 30 >/dev/null 2>&1 & echo $!")
    pid = int(ran.stdout)
    try:
        assert ran.status == 0
        assert is_alive(pid)
        assert ran.record.info["left_running"] == [pid]
        assert f"1 process goes on after the program's end, and unseen: {pid}" in ran.stderr
    finally:
        psutil.Process(pid).kill()


def test_what_ends_soon_after_the_command_is_waited_for(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", "sh", "-c", "(sleep 0.3; touch late) >/dev/null 2>&1 & exit 0")
    assert ran.status == 0
    assert (tmp_path / "late").exists()
    assert "left_running" not in ran.record.info


def test_daemon_that_leaves_its_group_and_session_keeps_the_agents_identity(tmp_path: Path) -> None:
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(0.3)
        work("daemon")
        raise SystemExit(0)
    os._exit(0)
os.wait()
"""
    ran = run(tmp_path, "--agent", "daemon", "--", sys.executable, write(tmp_path, code))
    assert functions(ran.record) == ["'DAEMON'"]
    assert {envelope["subject"]["agent_id"] for envelope in ran.record.envelopes} == {"daemon"}


def test_many_short_lived_orphans_leave_no_zombies(tmp_path: Path) -> None:
    script = "for i in $(seq 40); do (true &) ; done; sleep 0.3; ps -o stat= --ppid $PPID | grep -c Z"
    ran = run(tmp_path, "--", "sh", "-c", script)
    assert ran.stdout == b"0\n"


def test_run_inside_a_run(tmp_path: Path) -> None:
    """The inner one has a pod of its own; to the outer one it is a program like any other."""
    write(tmp_path, "work('inner')", "inner.py")
    inner = [*AOTEL, "--view", "off", "--runs-dir", "inside", "--agent", "b", "--", sys.executable, "inner.py"]
    code = f"""
import subprocess
work("outer")
raise SystemExit(subprocess.run({inner!r}).returncode + 5)
"""
    ran = run(tmp_path, "--agent", "a", "--", sys.executable, write(tmp_path, code))
    assert ran.status == 5, ran.stderr
    assert functions(ran.record) == ["'OUTER'"]
    log = tmp_path / "inside" / "latest" / "audit.jsonl"
    envelopes = [json.loads(line) for line in log.read_text().splitlines() if '"agent_coat"' in line]
    assert {json.loads(each["detail"])["subject"]["agent_id"] for each in envelopes} == {"b"}


def test_signals_to_an_instrumented_run_inside_a_run_arrive(tmp_path: Path) -> None:
    """To the outer run the inner is a Python program: threads that start before its own code are no harm."""
    command = ["sh", "-c", "touch ready; exec sleep 30"]
    inner = shlex.join([*AOTEL, "--view", "off", "--runs-dir", "inside", "--", *command])
    script = f"{inner} & until test -e ready; do sleep 0.1; done; kill -TERM $!; wait $!"
    began = time.monotonic()
    ran = run(tmp_path, "--", "sh", "-c", script)
    assert ran.status == 128 + 15
    assert time.monotonic() - began < 15


def test_python_code_on_the_command_line(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", *python(TOOL + "work('one')"))
    assert functions(ran.record) == ["'ONE'"]


def test_agents_that_agents_start_share_a_trace(tmp_path: Path) -> None:
    write(tmp_path, "with aotel.step('child'):\n    work('inner')\n", "child.py")
    outer = """
import asyncio, os, subprocess, sys

async def start():
    await (await asyncio.create_subprocess_exec(sys.executable, "child.py")).wait()

@aotel.run
def main():
    with aotel.session("chat-7"), aotel.step("plain"):
        subprocess.run([sys.executable, "child.py"], check=True)
    with aotel.step("asyncio"):
        asyncio.run(start())
    with aotel.step("another run"):
        again = [sys.executable, "-m", "aotel.cli", "run", "--view", "off", "--runs-dir", "inner", "--"]
        subprocess.run([*again, sys.executable, "child.py"], check=True)

main()
"""
    ran = run(tmp_path, "--", sys.executable, write(tmp_path, outer), timeout=55)
    assert ran.status == 0, ran.stderr
    (directory,) = [path for path in (tmp_path / "inner").iterdir() if path.is_dir() and not path.is_symlink()]
    envelopes = [*ran.record.envelopes, *Record(directory).envelopes]
    starts = [each for each in envelopes if each["payload"].get("preview") is not None]
    ids = {each["payload"]["fn"]: each["ids"] for each in starts}
    children = [each["ids"] for each in starts if each["payload"]["fn"] == "child"]
    assert len({each["ids"]["trace_id"] for each in envelopes}) == 1
    assert [child["parent_span_id"] for child in children] == [
        ids[name]["span_id"] for name in ("plain", "asyncio", "another run")
    ]
    assert {child["run_id"] for child in children} == {ids["plain"]["run_id"]}
    assert children[0]["session_id"] == "chat-7"
    assert "chat-7" not in {child["session_id"] for child in children[1:]}
