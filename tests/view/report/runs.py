"""Runs to report on: recorded as a pod would have, so that the log and its chain are the real thing."""

from __future__ import annotations

import itertools
import json
import math
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from aotel.audit import AuditLog, actions
from aotel.view.report import page

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = (int(time.time()) - 3600) * 1000.0
TRACE = "tr_4bf92f3577b34da6a3ce929d0e0e4736"
ENDS = {
    "agent.session.start": "agent.session.end",
    "agent.run.start": "agent.run.end",
    "agent.step.start": "agent.step.end",
    "agent.llm.request": "agent.llm.response",
    "agent.tool.call": "agent.tool.result",
    "agent.subagent.dispatch": "agent.subagent.return",
}


def at(milliseconds: float) -> str:
    """Return a time of the run, so many milliseconds after it began."""
    when = datetime.fromtimestamp((BEGAN + milliseconds) / 1000, timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@dataclass
class Run:
    """What happened, in the order in which it is written.

    Attributes:
        entries: action, detail, success and agent of each.
        about: what `run.json` says.
    """

    entries: list[tuple[str, dict[str, Any], bool, str | None]] = field(default_factory=list)
    about: dict[str, Any] | None = None
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def operation(
        self,
        kind: str,
        fn: str,
        start: float,
        duration: float | None,
        *,
        inside: str = "",
        agent: str = "",
        pid: int = 4242,
        preview: dict[str, Any] | None = None,
        error: tuple[str, str] | None = None,
        outcome: str | None = None,
        **payload: Any,
    ) -> str:
        """Add the envelopes of an operation, and return its span id; without a duration it has no end."""
        span_id = f"sp_{next(self._numbers):016x}"
        self.envelope(
            kind, start, span_id, {"fn": fn, "preview": preview or {"args": [], "kwargs": {}}}, inside, agent, pid
        )
        if duration is None:
            return span_id
        if error is not None:
            done: dict[str, Any] = {"error_type": error[0], "message": error[1], "duration_ms": duration, "ok": False}
            if outcome:
                done["outcome"] = outcome
            kind = "coat.error"
        else:
            done = {"result_preview": "", "captured": {}, "duration_ms": duration, "ok": True}
            kind = ENDS.get(kind, kind)
        self.envelope(kind, start + duration, span_id, {"fn": fn, **done, **payload}, inside, agent, pid, seq=1)
        return span_id

    def envelope(
        self,
        kind: str,
        when: float,
        span_id: str,
        payload: dict[str, Any],
        inside: str = "",
        agent: str = "",
        pid: int = 4242,
        seq: int = 0,
    ) -> None:
        """Add an envelope."""
        detail = {
            "spec": "aotp/0.1",
            "kind": kind,
            "ts": at(when),
            "producer": f"p_{pid:016x}",
            "seq": seq,
            "ids": {
                "session_id": "sess_chat-7",
                "run_id": "run_a3ce929d0e0e4736",
                "step_id": f"step_{span_id[3:]}" if span_id else "",
                "trace_id": TRACE if span_id else "",
                "span_id": span_id,
                "parent_span_id": inside,
            },
            "subject": {"agent_id": agent, "agent_role": "", "framework": "aotel", "framework_version": "0.1.0"},
            "capture": {"mode": "none", "content": "redacted"},
            "payload": payload,
            "envpod": {"pod_id": "local", "pid": pid, "claim_kind": "claimed", "agent_claim_id": "claim_1"},
        }
        self.entries.append((actions.AGENT_COAT, detail, True, agent or None))

    def emit(self, when: float, tag: str, data: Any, inside: str = "") -> None:
        """Add an event, inside an operation or outside any."""
        self.envelope("coat.emit", when, inside, {"tag": tag, "data": data})

    def machine(
        self,
        action: str,
        when: float,
        detail: dict[str, Any] | None = None,
        *,
        inside: str = "",
        pid: int = 4242,
        success: bool = True,
        **more: Any,
    ) -> None:
        """Add something that the machine did."""
        ids = {"trace_id": TRACE, "span_id": inside} if inside else {}
        self.entries.append((action, {"ts": at(when), "pid": pid, **ids, **(detail or {}), **more}, success, None))

    def write(self, directory: Path, *, key: bytes | None = None, rotate_bytes: int = 256 << 20) -> Path:
        """Write the audit log and the description of the run, and return their directory."""
        directory.mkdir(parents=True, exist_ok=True)
        log = AuditLog(directory, pod_id="local", key=key, rotate_bytes=rotate_bytes)
        for number, (action, detail, success, agent) in enumerate(self.entries):
            log.append(action, json.dumps(detail), success=success, agent=agent)
            if number % 1000 == 0:
                log.write()
        log.write()
        log.close()
        if self.about is not None:
            (directory / "run.json").write_text(json.dumps(self.about), encoding="utf-8")
        return directory


ANSWERS = (
    ("What is lost when a process is killed?", "At most the last second or so, if the destination was up. [1]"),
    ("What does docs/faq.md say about secrets?", "A value is replaced when a word of its name is one of these. [2]"),
)
GAP = (7_000, 10_500)  # of the measurements
LENGTH = 17_000


def docs_run() -> Run:
    """Return a run with something of everything: an agent answers two questions from documents."""
    run = Run(about=about(took=LENGTH))
    run.machine(actions.POD_START, -290, version="0.1.0")
    run.machine(actions.PROCESS_START, -200, ppid=1, command=["python", "agent.py"], source="runner")
    run.machine(actions.CLAIM, -180, agent="docs-agent", uid=1000, ttl_secs=3600)
    session = run.operation("agent.session.start", "docs-demo", 0, 16_500, agent="docs-agent")
    for number, (question, answer) in enumerate(ANSWERS):
        _answer(run, session, question, answer, 200 + number * 8_000, fails=number == 1)
    run.emit(500, "progress", {"name": "indexing", "done": 128, "total": 128, "state": "done"})
    run.emit(9_000, "notify", {"kind": "warning", "message": "the index is two days old"})
    stopped = ("TimeoutError", "nobody answered")
    run.operation(
        "agent.human.request", "DocsAgent.may_keep", 16_300, 90, inside=session, error=stopped, outcome="cancelled"
    )
    run.operation("agent.memory.write", "DocsAgent.keep", 16_400, None, inside=session, agent="docs-agent")
    _measure(run)
    run.machine(actions.LIMIT_WARNING, 15_000, resource="memory", percent=91, state="over", message="memory at 91 %")
    run.machine(actions.PROCESS_START, 3_000, pid=4301, ppid=4242, command=["git", "log", "--oneline"])
    run.machine(actions.FILE_OPEN, 3_040, pid=4301, path=".git/HEAD", mode="read", count=1)
    run.machine(actions.PROCESS_EXIT, 3_100, pid=4301, exit_code=0, duration_ms=100, source="runner")
    run.machine(actions.ARTIFACT, 16_600, path="answers.md", bytes=1834, sha256="ab" * 32, status="collected")
    run.machine(actions.PROCESS_EXIT, 16_700, exit_code=0, duration_ms=16_900, source="runner")
    return run


def _answer(run: Run, session: str, question: str, answer: str, began: float, *, fails: bool) -> None:
    agent = "docs-agent"
    whole = run.operation(
        "agent.run.start",
        "DocsAgent.answer",
        began,
        7_600,
        inside=session,
        agent=agent,
        preview={"args": [repr(question)], "kwargs": {}},
        result_preview=answer,
    )
    plan = run.operation("agent.step.transition", "DocsAgent.plan", began + 20, 1_800, inside=whole, agent=agent)
    asked = run.operation(
        "agent.llm.request",
        "chat gpt-5.1",
        began + 40,
        1_700,
        inside=plan,
        agent=agent,
        preview={"args": [question], "kwargs": {"temperature": "0.2"}},
        result_preview='search({"query": "lost process killed"})',
        llm={
            "provider": "openai",
            "request_model": "gpt-5.1",
            "response_model": "gpt-5.1-2026-03",
            "input_tokens": 1_176,
            "output_tokens": 64,
            "cache_read_tokens": 1_024,
            "finish_reasons": ["tool_calls"],
            "time_to_first_chunk_ms": 412.5,
        },
    )
    run.machine(actions.DNS_QUERY, began + 45, host="api.openai.com", count=1)
    run.machine(actions.NET_CONNECT, began + 60, inside=asked, host="104.18.7.192", port=443, count=1)
    _look_up(run, whole, question, began + 1_850, fails=fails)
    run.operation(
        "agent.llm.request",
        "chat gpt-5.1",
        began + 3_400,
        2_900,
        inside=whole,
        agent=agent,
        result_preview=answer,
        llm={"provider": "openai", "request_model": "gpt-5.1", "input_tokens": 2_719, "output_tokens": 227},
    )
    check = run.operation(
        "agent.subagent.dispatch", "SourceChecker.check", began + 6_400, 1_000, inside=whole, agent="checker"
    )
    for turn in range(3):
        run.operation(
            "agent.step.transition",
            "SourceChecker.stands_in",
            began + 6_420 + turn * 310,
            290,
            inside=check,
            agent="checker",
        )


def _look_up(run: Run, whole: str, question: str, began: float, *, fails: bool) -> None:
    step = run.operation("agent.step.start", "look up", began, 1_500, inside=whole, agent="docs-agent")
    found = {"query": question, "documents": 8}
    search = run.operation(
        "agent.memory.read", "Library.search", began + 50, 300, inside=step, agent="docs-agent", retrieval=found
    )
    for number in range(5):
        run.machine(
            actions.FILE_OPEN,
            began + 60 + number * 40,
            inside=search,
            path=f"docs/page-{number}.md",
            mode="read",
            count=2,
        )
    if not fails:
        return
    read = run.operation(
        "agent.tool.call",
        "Library.read_document",
        began + 600,
        120,
        inside=step,
        agent="docs-agent",
        preview={"args": ["'docs/faq.md'"], "kwargs": {}},
        error=("FileNotFoundError", "there is no document docs/faq.md"),
    )
    run.machine(
        actions.POLICY_VIOLATION,
        began + 610,
        inside=read,
        success=False,
        kind="path",
        value="/etc/passwd",
        decision="would block",
        rule="allow-path docs/**",
    )
    run.emit(began + 740, "passed over", {"tool": "read_document", "why": "FileNotFoundError"}, inside=step)


def _measure(run: Run) -> None:
    for number, when in enumerate(range(0, LENGTH, 500)):
        if not GAP[0] < when < GAP[1]:
            run.machine(
                actions.RESOURCE,
                when,
                processes=2,
                cpu_percent=20.0 + 18 * math.sin(number / 3),
                cpu_cores=4,
                memory_bytes=180_000_000 + number * 4_200_000,
                memory_limit_bytes=512 * 2**20,
                disk_read_bytes=number * 40_000,
                disk_write_bytes=number * 9_000 + (400_000 if number > 20 else 0),
                net_sent_bytes=number * 3_000,
                net_received_bytes=int(number * 60_000 + 50_000 * math.sin(number / 4)),
            )


def large_run(answers: int = 528, events: int = 24) -> Run:
    """Return a run of 19 operations an answer, and about so many events for each call of a tool."""
    run = Run(about=about(took=answers * 1_000))
    chance = random.Random(1)
    for number in range(answers):
        began = number * 1_000
        agent = f"worker-{number % 4}"
        whole = run.operation(
            "agent.run.start",
            "Worker.answer",
            began,
            950,
            agent=agent,
            preview={"args": [f"'question {number}'"], "kwargs": {}},
            result_preview=f"answer {number}: {'word ' * 20}",
        )
        for turn in range(6):
            _turn(run, whole, began + turn * 150 + 5, agent, chance, events)
        run.machine(
            actions.RESOURCE, began, cpu_percent=chance.random() * 90, memory_bytes=int(3e8 + chance.random() * 1e8)
        )
    return run


def _turn(run: Run, whole: str, began: float, agent: str, chance: random.Random, events: int) -> None:
    turn = run.operation("agent.step.start", "turn", began, 140, inside=whole, agent=agent)
    run.operation(
        "agent.llm.request",
        "chat gpt-5.1",
        began + 3,
        90,
        inside=turn,
        agent=agent,
        preview={"args": ["some question " * 14], "kwargs": {}},
        result_preview="some text " * 18,
        llm={"request_model": "gpt-5.1", "input_tokens": 500, "output_tokens": 40},
    )
    fault = ("ToolError", f"no such file: {began:g}") if chance.random() < 0.02 else None
    name = chance.choice(["search", "read_file", "shell"])
    tool = run.operation(
        "agent.tool.call", name, began + 95, 40, inside=turn, agent=agent, error=fault, result_preview="a line " * 25
    )
    for number in range(chance.randint(0, 2 * events)):
        path = f"/srv/data/{began:g}/part-{number}.csv"
        run.machine(actions.FILE_OPEN, began + 96 + number * 0.7, inside=tool, path=path, mode="read", count=1)


def about(status: int = 0, took: float = 24_000, **more: Any) -> dict[str, Any]:
    """Return what a run says of itself."""
    return {
        "format": 1,
        "name": "agent",
        "state": "finished",
        "command": ["python", "agent.py", "--question", "Where do spans go?"],
        "pod_id": "local",
        "started": at(-300),
        "ended": at(took),
        "exit": {"code": status, "status": status},
        **more,
    }


def document(source: Path, **options: Any) -> dict[str, Any]:
    """Return the data that stand in the page about a log."""
    text = "".join(page(source, **options))
    begin = text.index('id="data">') + len('id="data">')
    found: dict[str, Any] = json.loads(text[begin : text.index("</script>", begin)])
    return found
