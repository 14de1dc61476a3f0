"""`aotel audit`: what is shown of a log, in which form, and what is said of its chain."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from aotel.audit import AuditLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "aotel.cli", "audit"]


def aotel_audit(
    directory: Path, *arguments: str, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=50,
        check=check,
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


def test_a_log_without_a_line(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_bytes(b"")
    for command in ("verify", "anchor"):
        done = aotel_audit(tmp_path, command, "audit.jsonl", check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Error: the log")
    assert aotel_audit(tmp_path, "audit.jsonl").stdout == ""


def test_verify_says_of_half_a_line(runs: Path) -> None:
    with (runs / ".aotel/runs/latest/audit.jsonl").open("ab") as file:
        file.write(b'{"half')
    done = aotel_audit(runs, "verify")
    assert "11 lines are in order" in done.stdout
    assert done.stderr == "the log ends in half a line, which is being written, or was torn by a crash\n"
    assert aotel_audit(runs).stderr == ""


def test_verify_goes_on_from_an_anchor(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log", pod_id="p", rotate_bytes=1)  # a file for each line
    log.append("claim", '"a"')
    log.write()
    kept = aotel_audit(tmp_path, "anchor", "log").stdout.strip()
    for number in range(3):
        log.append("claim", f'"{number}"')
        log.write()
    log.close()
    assert aotel_audit(tmp_path, "verify", "log").stdout.startswith("4 lines are in order; the last is 4:")
    (tmp_path / "log" / "audit.jsonl.1").unlink()
    done = aotel_audit(tmp_path, "verify", "log", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "log/audit.jsonl.2:1 (seq 2): it is line 2 of the log: those before it are missing\n"
    shown = aotel_audit(tmp_path, "verify", "log", "--anchor", kept).stdout
    assert shown.startswith("3 lines from 2 on, after the anchor, are in order; the last is 4:")


def test_what_is_no_log(tmp_path: Path) -> None:
    name = "a\x1b[31mlog"
    (tmp_path / name).write_text("one\ntwo\nthree\n")
    done = aotel_audit(tmp_path, name, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        r"a\x1b[31mlog:1 is no entry of an audit log, nor are 2 more; `aotel audit verify` says more",
        r"Error: a\x1b[31mlog is no audit log",
    ]
    done = aotel_audit(tmp_path, "verify", name, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(r"a\x1b[31mlog:1: it has no hash at its end")


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root can read everything")
def test_a_log_that_cannot_be_read(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log", pod_id="p")
    log.append("claim", "{}")
    log.write()
    log.close()
    (tmp_path / "log" / "audit.jsonl").chmod(0)
    unprivileged = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    for command in ([], ["verify"], ["anchor"]):
        done = subprocess.run(
            [*unprivileged, *COMMAND, *command, "log"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr == "Error: log/audit.jsonl: Permission denied\n"


def test_output_that_is_not_unicode(runs: Path) -> None:
    log = AuditLog(runs / "log", pod_id="p")
    log.append("file_open", json.dumps({"path": "/daten/größe-\N{GRINNING FACE}", "mode": "read", "count": 1}))
    log.append("agent_coat", envelope("agent.run.start", "a", {"fn": "größe", "preview": {}}))
    log.append("agent_coat", envelope("agent.tool.call", "b", {"fn": "look", "preview": {}}, "a"))
    log.write()
    log.close()
    shown = aotel_audit(runs, "log", PYTHONIOENCODING="ascii").stdout
    assert r"/daten/gr\xf6\xdfe-\U0001f600" in shown
    trees = aotel_audit(runs, "log", "--group-by-span", PYTHONIOENCODING="ascii").stdout
    assert "`- look  agent.tool.call  not ended" in trees
    lines = aotel_audit(runs, "log", "--json", PYTHONIOENCODING="ascii").stdout.splitlines()
    assert json.loads(lines[0])["detail"]["path"] == "/daten/größe-\N{GRINNING FACE}"
    assert all(line.isascii() for line in lines)


def in_a_terminal(directory: Path, *arguments: str, **variables: str) -> str:
    """Return what the command writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **variables}
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=directory, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        written = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            written += data
        os.close(ours)
        assert process.wait(20) == 0
    return written.decode()


@pytest.mark.parametrize("arguments", [(), ("--group-by-span",)])
def test_colours_are_for_terminals_that_want_them(runs: Path, arguments: tuple[str, ...]) -> None:
    shown = in_a_terminal(runs, *arguments)
    assert "\x1b[" in shown
    assert "\x1b[31mhosts" not in shown
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in in_a_terminal(runs, *arguments, **variables)
    assert "\x1b" not in in_a_terminal(runs, *arguments, "--json")


def test_markup_is_text(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log", pod_id="p")
    name = "[red]x[/red]\u202ey\x07\x9b31m\r\x00"
    log.append("agent_coat", envelope("agent.tool.call\x1b]0;", name, {"fn": name, "preview": {"args": [name]}}))
    log.append("agent_coat", envelope("agent.tool.result", name, {"fn": name, "result_preview": name, "ok": True}))
    log.append(name, json.dumps({"message": name, "ts": name}), agent=name)
    log.append("claim", "no JSON \x1b[2J")
    log.append("agent_coat", "no envelope \x1b[2J")
    log.write()
    log.close()
    for arguments in ((), ("--group-by-span",), ("--json",), ("--json", "--group-by-span"), ("--all",)):
        shown = in_a_terminal(tmp_path, "log", *arguments, NO_COLOR="1").replace("\r\n", "\n")
        assert all(character.isprintable() or character == "\n" for character in shown), arguments
        assert "[red]x[/red]" in shown


class Following:
    """The command as it follows a log."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments, "--follow"],
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def stop(self) -> tuple[str, str, int]:
        self.process.send_signal(signal.SIGINT)
        rest = self.process.communicate(timeout=20)
        return *rest, self.process.returncode


@pytest.fixture
def follow() -> Iterator[list[Following]]:
    started: list[Following] = []
    yield started
    for each in started:
        each.process.kill()
        each.process.communicate()


def test_following(tmp_path: Path, follow: list[Following]) -> None:
    log = AuditLog(tmp_path / "log", pod_id="p", rotate_bytes=600)
    follow.append(Following(tmp_path, "log", "--json"))
    for number in range(10):
        log.append("claim", f'{{"agent":"a{number}"}}')
        log.write()
        assert json.loads(follow[0].line())["detail"] == {"agent": f"a{number}"}
    log.close()
    assert follow[0].stop() == ("", "", 0)


def test_following_trees(tmp_path: Path, follow: list[Following]) -> None:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    log = AuditLog(tmp_path / "log", pod_id="p")
    follow.append(Following(tmp_path, "log", "--group-by-span"))
    told_of: list[tuple[str, list[dict[str, Any]]]] = [
        ("a", [{"fn": "ended"}, {"fn": "ended", "ok": True}]),
        ("b", [{"fn": "open"}]),
    ]
    for span, payloads in told_of:
        for payload in payloads:
            log.append(
                "agent_coat", envelope("agent.tool.call", span, payload).replace("2026-04-14T00:00:00.000Z", now)
            )
    log.write()
    assert follow[0].line() == f"{now}  ended  agent.tool.call\n"  # though nothing comes any more
    log.close()
    assert follow[0].stop() == (f"{now}  open  agent.tool.call  not ended\n", "", 0)


def test_following_tells_of_bad_lines_as_they_come(tmp_path: Path, follow: list[Following]) -> None:
    follow.append(Following(tmp_path, "audit.jsonl"))
    (tmp_path / "audit.jsonl").write_bytes(b"garbage\n")
    follow[0].process.kill()
    follow[0].process.communicate()
    follow.append(Following(tmp_path, "audit.jsonl"))
    assert follow[1].process.stderr is not None
    assert follow[1].process.stderr.readline() == "audit.jsonl:1 is no entry of an audit log\n"


@pytest.mark.parametrize("arguments", [(), ("--group-by-span",), ("--json",)])
def test_a_reader_that_leaves_early(runs: Path, arguments: tuple[str, ...]) -> None:
    log = AuditLog(runs / "large", pod_id="p", fsync="none")
    for number in range(20_000):
        log.append("claim", f'{{"agent":"a{number}"}}')
    log.write()
    log.close()
    with subprocess.Popen(
        [*COMMAND, "large", *arguments], cwd=runs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(30) == 0


def test_a_reader_that_never_reads(runs: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; '{sys.executable}' -m aotel.cli audit | true"],
        cwd=runs,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


_MEASURED = """
import sys
from aotel.cli.audit import command
try:
    command(prog_name="audit")
finally:
    with open("/proc/self/status") as status:
        sys.stderr.write(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def peak(directory: Path, *arguments: str) -> tuple[int, int]:
    """Return how many lines the command writes, and the most memory that it needs, in MB."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *arguments], cwd=directory, capture_output=True, timeout=50, check=True
    )
    return done.stdout.count(b"\n"), int(done.stderr) // 1000


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in /proc")
def test_a_log_larger_than_memory(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log", pod_id="p", fsync="none", rotate_bytes=64 << 20)
    text = "x" * 250_000
    log.append("agent_coat", envelope("agent.run.start", "root", {"fn": "answer", "preview": {}}))
    for number in range(400):
        started = {"fn": "f", "preview": {"args": [text]}}
        log.append("agent_coat", envelope("agent.tool.call", f"s{number}", started, "root"))
        ended = {"fn": "f", "result_preview": text, "ok": True}
        log.append("agent_coat", envelope("agent.tool.result", f"s{number}", ended, "root"))
        log.write()
    log.close()
    assert sum(file.stat().st_size for file in (tmp_path / "log").iterdir()) > 200_000_000
    lines, most = peak(tmp_path, "log")
    assert lines == 801
    assert most < 80
    lines, most = peak(tmp_path, "log", "--group-by-span")
    assert lines > 400
    assert most < 150
    assert peak(tmp_path, "verify", "log")[1] < 80


def test_help_has_all_of_it(runs: Path) -> None:
    shown = aotel_audit(runs, "--help").stdout
    options = ("group-by-span", "all", "kind", "agent", "errors", "since", "follow", "json")
    assert [option for option in options if f"--{option} " not in shown] == []
    assert "aotel audit verify [OPTIONS] [RUN|FILE]" in shown
    assert aotel_audit(runs, "show", "--help").stdout.startswith("Usage: aotel audit show [OPTIONS] [RUN|FILE]")


def test_a_run_that_is_called_like_a_command(runs: Path) -> None:
    log = AuditLog(runs / ".aotel" / "runs" / "20260415T000000Z-verify", pod_id="p")
    log.append("claim", '{"agent":"a"}')
    log.write()
    log.close()
    assert "claim" in aotel_audit(runs, "show", "verify", "--json").stdout
    assert "1 line is in order" in aotel_audit(runs, "verify", "verify").stdout


def test_what_was_stopped_is_no_error(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log", pod_id="p")
    for span, outcome in (("a", {"outcome": "paused"}), ("b", {})):
        failed = {"fn": span, "error_type": "E", "message": "m", "duration_ms": 1.0, "ok": False, **outcome}
        log.append("agent_coat", envelope("coat.error", span, failed))
    log.write()
    log.close()
    shown = aotel_audit(tmp_path, "log", "--errors", "--json").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in shown] == [2]
    trees = aotel_audit(tmp_path, "log", "--group-by-span").stdout
    assert "a  coat.error  1.0 ms  paused" in trees
    assert "b  coat.error  1.0 ms  E: m" in trees
    assert "paused" not in aotel_audit(tmp_path, "log", "--group-by-span", "--errors").stdout
