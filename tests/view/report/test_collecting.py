"""What is read of a log: operations from envelopes of any maker, what the machine did, and whose it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aotel.audit import AuditLog
from aotel.view.report import Limits, ReportError, page, write_report
from tests.view.report.runs import TRACE, Run, about, at, docs_run, document

if TYPE_CHECKING:
    from pathlib import Path

PARENT, KIND, NAME, START, DURATION, STATE, AGENT, SHARED, FACTS = range(9)
LANE, ACTION, TIME, OPERATION, LINK, LEVEL, PID, TEXT = range(8)
OK, FAILED, STOPPED, OPEN = range(4)
EXACT, HEURISTIC = 1, 2


def of(run: Run, directory: Path, **options: Any) -> dict[str, Any]:
    return document(run.write(directory), **options)


def by_name(found: dict[str, Any]) -> dict[str, list[Any]]:
    return {row[NAME]: row for row in found["operations"]}


def parent(found: dict[str, Any], row: list[Any]) -> str | None:
    return None if row[PARENT] < 0 else str(found["operations"][row[PARENT]][NAME])


def test_children_stand_behind_their_parent_in_the_order_they_began(tmp_path: Path) -> None:
    run = Run()
    root = run.operation("agent.run.start", "root", 0, 100)
    late = run.operation("agent.step.start", "late", 60, 10, inside=root)
    early = run.operation("agent.step.start", "early", 10, 40, inside=root)
    run.operation("agent.tool.call", "in early", 20, 5, inside=early)
    run.operation("agent.tool.call", "in late", 61, 5, inside=late)
    found = of(run, tmp_path)
    assert [row[NAME] for row in found["operations"]] == ["root", "early", "in early", "late", "in late"]
    assert [parent(found, row) for row in found["operations"]] == [None, "root", "early", "root", "late"]


def test_an_end_without_a_start_is_an_operation_too(tmp_path: Path) -> None:
    run = Run()
    run.operation("agent.tool.call", "read", 1000, 250)
    del run.entries[0]
    found = of(run, tmp_path)
    (row,) = found["operations"]
    assert (row[KIND], row[NAME], row[DURATION], row[STATE]) == ("tool", "read", 250, OK)
    assert found["totals"]["open"] == 0


def test_what_is_told_twice_counts_once(tmp_path: Path) -> None:
    run = Run()
    run.operation("agent.llm.request", "ask", 0, 10, llm={"input_tokens": 5, "output_tokens": 2})
    run.entries += run.entries
    found = of(run, tmp_path)
    assert len(found["operations"]) == 1
    assert found["totals"]["tokens"] == {"input": 5, "output": 2}


def test_missing_numbers_are_not_zero(tmp_path: Path) -> None:
    run = Run()
    run.operation("agent.llm.request", "ask", 0, 10, llm={"request_model": "m"})
    found = of(run, tmp_path)
    assert found["totals"]["tokens"] == {}
    assert not {"input", "output"} & set(found["operations"][0][FACTS])


def test_parents_in_a_circle(tmp_path: Path) -> None:
    run = Run()
    run.operation("agent.step.start", "a", 0, 10, inside="sp_0000000000000002")
    run.operation("agent.step.start", "b", 1, 10, inside="sp_0000000000000001")
    run.operation("agent.step.start", "itself", 2, 10, inside="sp_0000000000000003")
    found = of(run, tmp_path)
    assert sorted(row[NAME] for row in found["operations"]) == ["a", "b", "itself"]


def test_a_process_that_forked_inside_ends_the_span_for_itself(tmp_path: Path) -> None:
    run = Run()
    span = run.operation("agent.run.start", "work", 0, 100)
    done = {"fn": "work", "result_preview": "", "captured": {}, "duration_ms": 60.0, "ok": True}
    run.envelope("agent.run.end", 60, span, done, pid=4243, seq=1)
    run.operation("agent.tool.call", "of the child", 20, 5, inside=span, pid=4243)
    found = of(run, tmp_path)
    rows = [row for row in found["operations"] if row[NAME] == "work"]
    assert [(row[FACTS]["pid"], row[DURATION], row[FACTS].get("forked")) for row in rows] == [
        (4242, 100, None),
        (4243, 60, True),
    ]
    assert found["totals"]["open"] == 0


@pytest.mark.parametrize(("error", "state"), [({"outcome": "cancelled"}, STOPPED), ({}, FAILED)])
def test_what_was_stopped_is_no_error(tmp_path: Path, error: dict[str, Any], state: int) -> None:
    run = Run()
    run.operation("agent.tool.call", "read", 0, 5, error=("CancelledError", ""), **error)
    found = of(run, tmp_path)
    assert found["operations"][0][STATE] == state
    assert found["totals"]["errors"] == (state == FAILED)


def test_a_clock_that_is_ahead_does_not_stretch_the_run(tmp_path: Path) -> None:
    run = Run()
    run.operation("agent.tool.call", "now", 0, 5)
    run.operation("agent.tool.call", "made up", 9e10, 5)
    assert of(run, tmp_path)["length"] < 4 * 3_600_000


def test_events_belong_where_their_span_says(tmp_path: Path) -> None:
    run = Run()
    outer = run.operation("agent.run.start", "outer", 0, 100)
    run.operation("agent.tool.call", "inner", 10, 80, inside=outer)
    run.machine("file_open", 50, inside=outer, path="a", mode="read")
    run.machine("file_open", 51, inside="sp_unknown", path="b", mode="read")
    found = of(run, tmp_path)
    assert [(event[TEXT], event[OPERATION], event[LINK]) for event in found["events"]] == [
        ("a", 0, EXACT),
        ("b", -1, 0),
    ]


def test_events_without_a_span_are_guessed_by_process_and_time(tmp_path: Path) -> None:
    run = Run()
    outer = run.operation("agent.run.start", "outer", 0, 100)
    run.operation("agent.tool.call", "inner", 10, 30, inside=outer)
    run.machine("process_start", 12, pid=5000, ppid=4242, command=["sh"])
    for when, pid in ((20, 4242), (60, 4242), (20, 5000), (200, 4242), (20, 6000)):
        run.machine("net_connect", when, pid=pid, host="h", port=1)
    run.machine("limit_warning", 20, resource="cpu", state="over", message="cpu at 95 %")
    found = of(run, tmp_path)
    names = [row[NAME] for row in found["operations"]]
    told = {
        (round(event[TIME]), event[PID]): (names[event[OPERATION]] if event[OPERATION] >= 0 else None, event[LINK])
        for event in found["events"]
        if event[ACTION] == "net_connect"
    }
    assert told == {
        (20, 4242): ("inner", HEURISTIC),
        (60, 4242): ("outer", HEURISTIC),
        (20, 5000): ("inner", HEURISTIC),
        (200, 4242): (None, 0),
        (20, 6000): (None, 0),
    }
    assert [event[LINK] for event in found["events"] if event[ACTION] == "limit_warning"] == [0]


def test_files_and_hosts_are_counted_once_each(tmp_path: Path) -> None:
    run = Run()
    for path in ("a", "b", "a"):
        run.machine("file_open", 0, path=path, mode="read")
    for host in ("h", "h"):
        run.machine("net_connect", 0, host=host, port=443)
    totals = of(run, tmp_path)["totals"]
    assert (totals["files"], totals["hosts"]) == (2, 1)


def test_measurements_keep_their_gaps_and_the_whole_run(tmp_path: Path) -> None:
    run = Run()
    for number in range(1000):
        missing = {} if number % 2 else {"memory_bytes": number}
        run.machine("resource", number * 10, missing, cpu_percent=number / 10)
    curves = of(run, tmp_path, limits=Limits(samples=100))["resources"]
    assert 50 <= len(curves["time"]) <= 100
    assert curves["time"][-1] > 9_000
    assert set(curves) <= {"time", "cpu_percent", "memory_bytes"}


def test_who_acted_is_the_pods_word(tmp_path: Path) -> None:
    found = of(docs_run(), tmp_path)
    assert found["agents"] == ["checker", "docs-agent"]
    assert found["agents"][by_name(found)["SourceChecker.check"][AGENT]] == "checker"
    shared = by_name(found)["docs-demo"][SHARED]
    assert found["strings"][shared["claim_id"]] == "claim_1"


def test_rotated_files_are_read_in_order(tmp_path: Path) -> None:
    directory = docs_run().write(tmp_path, rotate_bytes=20_000)
    assert len(list(directory.glob("audit.jsonl.*"))) >= 1
    found = document(directory)
    assert found["totals"]["operations"] == 24
    assert found["chain"]["state"] == "verified"


@pytest.mark.parametrize(("key", "state"), [(b"k" * 32, "verified"), (None, "unknown"), (b"x" * 32, "broken")])
def test_a_chain_with_a_key(tmp_path: Path, key: bytes | None, state: str) -> None:
    found = document(docs_run().write(tmp_path, key=b"k" * 32), key=key)
    assert found["chain"]["state"] == state
    assert (found["chain"]["text"] in found["notes"]) == (state != "verified")


def test_a_chain_that_is_broken(tmp_path: Path) -> None:
    file = docs_run().write(tmp_path) / "audit.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    lines[20] = lines[20].replace(b"gpt-5.1", b"gpt-6.0").replace(b"docs", b"dogs")
    file.write_bytes(b"".join(lines))
    found = document(tmp_path)
    assert found["chain"]["state"] == "broken"
    assert found["chain"]["where"] == "line 21 of audit.jsonl"


def test_lines_that_are_no_entries_are_passed_over_and_said(tmp_path: Path) -> None:
    file = docs_run().write(tmp_path) / "audit.jsonl"
    file.write_bytes(file.read_bytes() + b"not json\n\n[1]\n")
    found = document(tmp_path)
    assert found["totals"]["operations"] == 24
    assert "2 lines of the log could not be read." in found["notes"]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no log to report on in .*: No such file"):
        page(tmp_path)


def test_a_run_json_that_is_odd_is_passed_over(tmp_path: Path) -> None:
    directory = docs_run().write(tmp_path)
    for text in ("", "[1]", '{"command": 3, "exit": [], "started": "soon"}', "[" * 100_000):
        (directory / "run.json").write_text(text)
        assert document(directory)["totals"]["operations"] == 24


_FAILS = """
import aotel
@aotel.coat("tool")
def read(path):
    return open(path)
try:
    read("gone")
except OSError:
    pass
"""


def test_a_file_of_envelopes_works_too(tmp_path: Path) -> None:
    file = tmp_path / "envelopes.jsonl"
    environment = {**os.environ, "AOTEL_ENVELOPES": f"file:{file}"}
    subprocess.run([sys.executable, "-c", _FAILS], env=environment, check=True, timeout=50)
    found = document(file)
    assert [(row[KIND], row[NAME], row[STATE]) for row in found["operations"]] == [("tool", "read", FAILED)]
    assert found["operations"][0][FACTS]["args"] == ["'gone'"]
    assert found["chain"]["state"] == "none"


_FOREIGN = """
from envpod_coat import coat, tie
@coat("llm")
def ask(question):
    tie("thinking", {"about": question})
    return "an answer"
@coat("tool")
def work(number):
    ask("why")
    raise ValueError("no")
try:
    work(1)
except ValueError:
    pass
"""


def test_envelopes_of_envpod_coat(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", _FOREIGN], capture_output=True, text=True, check=True, timeout=50)
    log = AuditLog(tmp_path, pod_id="local")
    for line in ran.stderr.splitlines():
        if line.startswith("[coat] "):
            log.append("agent_coat", line.removeprefix("[coat] "))
    log.write()
    log.close()
    found = document(tmp_path)
    assert [(row[KIND], row[NAME], row[STATE], parent(found, row)) for row in found["operations"]] == [
        ("tool", "work", FAILED, None),
        ("llm", "ask", OK, "work"),
    ]
    ((_, tag, data),) = by_name(found)["ask"][FACTS]["emits"]
    assert (tag, json.loads(data)) == ("thinking", {"about": "why"})


def test_notifications_are_events_and_stand_in_their_operation(tmp_path: Path) -> None:
    run = Run()
    work = run.operation("agent.run.start", "work", 0, 100)
    run.emit(10, "notify", {"kind": "warning", "message": "it is late"}, inside=work)
    run.emit(20, "progress", {"name": "files", "done": 3, "total": 9, "state": "advanced"})
    found = of(run, tmp_path)
    assert [(event[LANE], event[TEXT], event[OPERATION], event[LEVEL]) for event in found["events"]] == [
        ("warnings", "it is late", 0, 1),
        ("notes", "files 3 of 9", -1, 0),
    ]


def test_the_file_is_its_owners_alone_and_appears_whole(tmp_path: Path) -> None:
    directory = docs_run().write(tmp_path / "run")
    write_report(directory, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "report.html").read_text(encoding="utf-8").endswith("</html>\n")
    assert {file.name for file in tmp_path.iterdir()} == {"run", "report.html"}


def test_nowhere_to_write_to(tmp_path: Path) -> None:
    directory = docs_run().write(tmp_path)
    with pytest.raises(ReportError, match=r"cannot write the report to .*: No such file or directory"):
        write_report(directory, tmp_path / "gone" / "report.html")


def test_times_are_those_of_the_log(tmp_path: Path) -> None:
    run = Run(about=about(took=5_000))
    run.operation("agent.tool.call", "read", 1_000, 250.5)
    found = of(run, tmp_path)
    assert (found["operations"][0][START], found["operations"][0][DURATION]) == (1_300, 250.5)
    assert found["length"] == 5_300
    assert at(1_000).endswith("Z")
    assert TRACE in found["strings"]
