"""`aotel audit`: what is shown of a log, in which form, and what is said of its chain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from aotel.audit import AuditLog

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "aotel.cli", "audit"]


def aotel_audit(directory: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=directory, capture_output=True, text=True, timeout=50, check=check
    )


def envelope(kind: str, span: str, payload: dict[str, Any], parent: str = "", second: int = 0) -> str:
    ids = {"trace_id": "tr_1", "span_id": span, "parent_span_id": parent}
    found = {"kind": kind, "ts": f"2026-04-14T00:00:{second:02d}.000Z", "ids": ids, "payload": payload}
    return json.dumps({**found, "envpod": {"pid": 7}})


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A directory with one run, of an agent that asks a model, opens a file, and fails with a tool."""
    run = tmp_path / ".aotel" / "runs" / "20260414T000000Z-writer"
    log = AuditLog(run, pod_id="p", fsync="none")
    opened = {"ts": "2026-04-14T00:00:02.000Z", "pid": 7, "path": "/etc/\x1b[31mhosts", "mode": "read", "count": 2}
    llm = {"response_model": "m-1", "input_tokens": 1200, "output_tokens": 3}
    log.append("pod_start", "{}")
    log.append("agent_coat", envelope("agent.run.start", "a", {"fn": "answer", "preview": {}}), agent="writer")
    log.append("agent_coat", envelope("agent.llm.request", "b", {"fn": "chat", "preview": {}}, "a", 1), agent="writer")
    log.append("file_open", json.dumps({**opened, "trace_id": "tr_1", "span_id": "b"}))
    log.append("file_open", json.dumps({**opened, "path": "/guessed"}))
    ended = {"fn": "chat", "result_preview": "", "duration_ms": 2000.0, "ok": True, "llm": llm}
    log.append("agent_coat", envelope("agent.llm.response", "b", ended, "a", 3), agent="writer")
    log.append("agent_coat", envelope("agent.tool.call", "c", {"fn": "look", "preview": {}}, "a", 3), agent="writer")
    failed = {"fn": "look", "error_type": "KeyError", "message": "no\nsuch", "duration_ms": 1.0, "ok": False}
    log.append("agent_coat", envelope("coat.error", "c", failed, "a", 4), agent="writer")
    done = {"fn": "answer", "result_preview": "", "duration_ms": 4000.0, "ok": True}
    log.append("agent_coat", envelope("agent.run.end", "a", done, "", 4), agent="writer")
    log.append("claim", '{"agent":"thief","pid":9,"uid":1,"message":"not allowed"}', success=False)
    log.append("resource", '{"processes":1,"cpu_percent":3.5}')
    log.write()
    log.close()
    (run.parent / "latest").symlink_to(run.name)
    return tmp_path


def test_the_latest_run(runs: Path) -> None:
    shown = aotel_audit(runs).stdout
    assert "agent answer started  @writer" in shown
    assert "llm chat done in 2.0 s, m-1, 1,200 tokens in, 3 out" in shown
    assert "cpu 4 %" not in shown


def test_escapes_are_shown_and_not_obeyed(runs: Path) -> None:
    for arguments in ((), ("--group-by-span",), ("--json",), ("--json", "--group-by-span")):
        shown = aotel_audit(runs, *arguments).stdout
        assert "\x1b" not in shown
        assert "[31mhosts" in shown
        assert "KeyError" in shown
        assert "no\nsuch" not in shown


def test_all(runs: Path) -> None:
    shown = aotel_audit(runs, "--all").stdout
    assert "pod started" in shown
    assert "cpu 4 %" in shown


def test_by_span(runs: Path) -> None:
    shown = [line[26:] for line in aotel_audit(runs, "--group-by-span").stdout.splitlines()]
    assert "answer  agent.run.end  4.0 s  @writer" in shown
    first = shown.index("answer  agent.run.end  4.0 s  @writer")
    tree = shown[first : first + 5]
    assert tree[1] == "├─ chat  agent.llm.response  2.0 s  m-1  1,200 in, 3 out  @writer"
    assert "hosts" in tree[2]
    assert not tree[2].endswith("[heuristic]")
    assert "/guessed" in tree[3]
    assert tree[3].endswith("[heuristic]")
    assert tree[4] == "└─ look  coat.error  1.0 ms  KeyError: no\\nsuch  @writer"


def test_trees_as_json(runs: Path) -> None:
    found = [json.loads(line) for line in aotel_audit(runs, "--group-by-span", "--json").stdout.splitlines()]
    (root,) = [each for each in found if "operation" in each]
    assert (root["operation"], root["agent"], root["ended"], root["failed"]) == ("answer", "writer", True, False)
    chat, look = root["inside"]
    assert [each.get("heuristic", False) for each in chat["inside"]] == [False, True]
    assert look["payload"]["error_type"] == "KeyError"


def test_entries_as_json(runs: Path) -> None:
    found = [json.loads(line) for line in aotel_audit(runs, "--json", "--all").stdout.splitlines()]
    assert [entry["seq"] for entry in found] == [*range(1, 12)]
    assert found[3]["detail"]["path"] == "/etc/\x1b[31mhosts"


@pytest.mark.parametrize(
    ("arguments", "seqs"),
    [
        (("--errors",), [8, 10]),
        (("--kind", "file_open"), [4, 5]),
        (("--kind", "agent.llm.*"), [3, 6]),
        (("--kind", "coat.error", "--kind", "resource"), [8, 11]),
        (("--agent", "writer", "--errors"), [8]),
        (("--agent", "nobody"), []),
        (("--since", "1m"), [2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (("--since", "2099-01-01T00:00:00Z"), []),
        (("20260414T000000Z-writer", "--errors"), [8, 10]),
        (("writer", "--errors"), [8, 10]),
        ((".aotel/runs/latest/audit.jsonl", "--errors"), [8, 10]),
        (("show", "--errors"), [8, 10]),
    ],
)
def test_choosing(runs: Path, arguments: tuple[str, ...], seqs: list[int]) -> None:
    shown = aotel_audit(runs, *arguments, "--json").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in shown] == seqs


def test_trees_of_what_failed_are_pruned_to_it(runs: Path) -> None:
    shown = aotel_audit(runs, "--group-by-span", "--errors").stdout
    assert "look" in shown
    assert "answer" in shown
    assert "chat" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--since", "yesterday"),
            "expected a time like 2026-04-14T01:30:00Z, or how long ago, like 10m, got 'yesterday'",
        ),
        (("--since", "999999999999d"), "expected a time"),
        (("nothing-of-that-name",), "no audit log in 'nothing-of-that-name'"),
        (("verify", "--anchor", "x"), "an anchor is NUMBER:HASH"),
        (("verify", "--key-file", "none"), "none"),
    ],
)
def test_mistakes(runs: Path, arguments: tuple[str, ...], said: str) -> None:
    done = aotel_audit(runs, *arguments, check=False)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_no_run_yet(tmp_path: Path) -> None:
    done = aotel_audit(tmp_path, check=False)
    assert done.returncode == 1
    assert "record one with `aotel run -- COMMAND`" in done.stderr


def test_lines_that_are_none_are_told_of(runs: Path) -> None:
    with (runs / ".aotel/runs/latest/audit.jsonl").open("a", encoding="utf-8") as file:
        file.write("garbage\n")
    done = aotel_audit(runs)
    assert "audit.jsonl:12 is no entry of an audit log; `aotel audit verify` says more" in done.stderr


def test_verify_and_anchor(runs: Path) -> None:
    assert "11 lines are in order; the last is 11:" in aotel_audit(runs, "verify").stdout
    kept = aotel_audit(runs, "anchor").stdout.strip()
    assert kept in aotel_audit(runs, "verify", "--anchor", kept).stdout
    file = runs / ".aotel/runs/latest/audit.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-2]))
    assert aotel_audit(runs, "verify").returncode == 0
    cut = aotel_audit(runs, "verify", "--anchor", kept, check=False)
    assert cut.returncode == 1
    assert "the log ends with line 9, before the anchor's line 11" in cut.stderr
    file.write_bytes(b"".join([*lines[:3], lines[3].replace(b"read", b"rede"), *lines[4:]]))
    changed = aotel_audit(runs, "verify", check=False)
    assert changed.returncode == 1
    assert "audit.jsonl:4 (seq 4): its hash is not that of its content" in changed.stderr


def test_verify_with_a_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"0123456789abcdef0123456789abcdef")
    log = AuditLog(tmp_path / "log", pod_id="p", key=b"0123456789abcdef0123456789abcdef")
    log.append("claim", "{}")
    log.write()
    log.close()
    assert "(without a key" not in aotel_audit(tmp_path, "verify", "log", "--key-file", "key").stdout
    assert aotel_audit(tmp_path, "verify", "log", check=False).returncode == 1


def test_following(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log", pod_id="p")
    process = subprocess.Popen(
        [*COMMAND, "log", "--follow", "--json"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for number in range(3):
            log.append("claim", f'{{"agent":"a{number}"}}')
            log.write()
            assert json.loads(process.stdout.readline())["detail"] == {"agent": f"a{number}"}
        process.send_signal(2)
        assert process.communicate(timeout=20) == ("", "")
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        log.close()


def test_a_reader_that_leaves_early(runs: Path) -> None:
    log = AuditLog(runs / "large", pod_id="p", fsync="none")
    for number in range(20_000):
        log.append("claim", f'{{"agent":"a{number}"}}')
    log.write()
    log.close()
    with subprocess.Popen(
        [*COMMAND, "large"], cwd=runs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is read from /proc")
def test_a_log_larger_than_memory_is_shown_and_grouped(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log", pod_id="p", fsync="none")
    for number in range(400):
        text = "x" * 200_000
        started = envelope("agent.tool.call", f"s{number}", {"fn": "f", "preview": {"args": [text]}})
        ended = envelope("agent.tool.result", f"s{number}", {"fn": "f", "result_preview": text, "ok": True})
        log.append("agent_coat", started)
        log.append("agent_coat", ended)
        log.write()
    log.close()
    program = (
        "import pathlib, sys; sys.argv[1:] = ['log', *sys.argv[1:]]\n"
        "from aotel.cli.audit import command\n"
        "from aotel.audit import grouping; grouping.HELD = 50\n"
        "try: command(prog_name='audit')\n"
        # What `getrusage` says begins with the size of the process that this one was forked from.
        "finally: sys.stderr.write(pathlib.Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])\n"
    )
    for arguments in ((), ("--group-by-span",)):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
            env={**os.environ},
        )
        assert done.stdout.count("\n") >= 400
        assert int(done.stderr) < 150_000  # KiB; the log has 160,000


def test_help_is_quick(runs: Path) -> None:
    before = time.monotonic()
    assert "--group-by-span" in aotel_audit(runs, "show", "--help").stdout
    assert time.monotonic() - before < 20
