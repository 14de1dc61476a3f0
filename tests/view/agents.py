"""What agents and machines record, for tests: envelopes and entries as the pod writes them."""

from __future__ import annotations

import itertools
import json
from typing import Any

from aotel.audit.entry import Entry
from aotel.view import EntryReader, Event
from aotel.view.wording import moment

START = 1_764_000_000.0
"""When everything begins, in seconds since the epoch."""

_KINDS = {
    "agent": ("agent.run.start", "agent.run.end"),
    "session": ("agent.session.start", "agent.session.end"),
    "llm": ("agent.llm.request", "agent.llm.response"),
    "tool": ("agent.tool.call", "agent.tool.result"),
    "step": ("agent.step.start", "agent.step.end"),
    "delegation": ("agent.subagent.dispatch", "agent.subagent.return"),
    "retrieval": ("agent.memory.read", "agent.memory.read"),
    "memory": ("agent.memory.write", "agent.memory.write"),
    "human": ("agent.human.request", "agent.human.request"),
    "decision": ("agent.step.transition", "agent.step.transition"),
}


def entry(action: str, /, *, success: bool = True, at: float = 0.0, start: float = START, **detail: object) -> Entry:
    """Return a line of a log, `at` seconds after the start."""
    when = moment(start + at)
    return Entry(when, "pod", action, json.dumps({"ts": when, **detail}), success)


class Agent:
    """Makes the envelopes of operations, and the events that become of them."""

    def __init__(
        self, reader: EntryReader | None = None, trace: str = "tr_1", pid: int = 42, begin: float = START
    ) -> None:
        self.begin = begin
        self.reader = reader or EntryReader()
        self.trace = trace
        self.pid = pid
        self._numbers = itertools.count(1)
        self._open: dict[str, tuple[str, str, float]] = {}

    def envelope(self, kind: str, span: str, parent: str, at: float, payload: dict[str, Any]) -> dict[str, Any]:
        ids = {"session_id": "sess_1", "run_id": "run_1", "step_id": "", "trace_id": self.trace}
        return {
            "spec": "aotp/0.1",
            "kind": kind,
            "ts": moment(self.begin + at),
            "producer": f"p_{self.pid}",
            "seq": 0,
            "ids": {**ids, "span_id": span, "parent_span_id": parent},
            "subject": {"agent_id": "", "agent_role": "", "framework": "aotel", "framework_version": "1"},
            "capture": {"mode": "none", "content": "redacted"},
            "payload": payload,
            "envpod": {"pod_id": "pod", "pid": self.pid},
        }

    def feed(self, envelope: dict[str, Any], at: float = 0.0) -> list[Event]:
        return self.reader.feed(Entry(moment(self.begin + at), "pod", "agent_coat", json.dumps(envelope), success=True))

    def start(
        self, family: str, name: str, parent: str = "", at: float = 0.0, args: tuple[str, ...] = ()
    ) -> tuple[str, list[Event]]:
        """Begin an operation; return its span and the events."""
        span = f"sp_{self.trace}_{next(self._numbers):x}"
        self._open[span] = (family, name, at)
        payload = {"fn": name, "preview": {"args": list(args), "kwargs": {}}}
        return span, self.feed(self.envelope(_KINDS[family][0], span, parent, at, payload), at)

    def end(self, span: str, parent: str = "", at: float = 1.0, **more: object) -> list[Event]:
        family, name, begun = self._open.pop(span)
        took = round((at - begun) * 1000, 3)
        payload = {"fn": name, "result_preview": "'done'", "captured": {}, "duration_ms": took, "ok": True}
        return self.feed(self.envelope(_KINDS[family][1], span, parent, at, {**payload, **more}), at)

    def fail(
        self,
        span: str,
        parent: str = "",
        at: float = 1.0,
        error: tuple[str, str] = ("ValueError", "no"),
        **more: object,
    ) -> list[Event]:
        _, name, begun = self._open.pop(span)
        took = round((at - begun) * 1000, 3)
        payload = {"fn": name, "error_type": error[0], "message": error[1], "duration_ms": took, "ok": False}
        return self.feed(self.envelope("coat.error", span, parent, at, {**payload, **more}), at)

    def emit(self, span: str, tag: str, data: object, at: float = 0.5) -> list[Event]:
        return self.feed(self.envelope("coat.emit", span, "", at, {"tag": tag, "data": data}), at)


def one_of_each(reader: EntryReader | None = None) -> list[Event]:
    """Return events of every kind and level."""
    made = Agent(reader)
    run, events = made.start("agent", "research", args=("'ships'",))
    model, more = made.start("llm", "chat gpt-x", run, 0.1)
    events += more
    llm = {"request_model": "gpt-x", "provider": "openai", "input_tokens": 1204, "output_tokens": 87, "cost_usd": 0.01}
    events += made.end(model, run, 0.9, llm=llm)
    tool, more = made.start("tool", "search", run, 1.0, args=("'cutty sark'",))
    events += more + made.fail(tool, run, 1.5)
    look, more = made.start("retrieval", "look_up", run, 1.5)
    found = {"retrieval": {"query": "tea", "documents": 3}, "tool": {"name": "t", "call_id": "c"}}
    events += more + made.end(look, run, 1.6, **found)
    step, more = made.start("step", "wait", run, 1.6)
    events += more + made.fail(step, run, 1.7, ("CancelledError", ""), outcome="cancelled")
    events += made.emit(run, "thought", {"n": [1, None]})
    for kind in ("lifecycle", "metrics", "activity", "warning", "error", "success"):
        events += made.emit(run, "notify", {"kind": kind, "message": f"a {kind}", "left": 2})
    for state in ("started", "advanced", "done", "failed"):
        events += made.emit(run, "progress", {"name": "index", "done": 3, "total": 9, "state": state})
    for each in machine_entries(run):
        events += made.reader.feed(each)
    return events + made.end(run, "", 3.0)


def machine_entries(span: str = "") -> list[Entry]:
    """Return an entry of every action, and of every way that it can go."""
    where: dict[str, Any] = {"pid": 42, "trace_id": "tr_1", "span_id": span, "source": "audit_hook"}
    resource: dict[str, Any] = {
        "processes": 2,
        "cpu_percent": 48.5,
        "cpu_cores": 2,
        "memory_bytes": 212_000_000,
        "memory_limit_bytes": 1_000_000_000,
        "disk_read_bytes": 1_000,
        "disk_write_bytes": 2_000,
        "net_sent_bytes": 3_000,
        "net_received_bytes": 4_000,
        "disk_used_percent": 43.0,
    }
    packages = ["rich", "click"]
    host: dict[str, Any] = {"kind": "host", "value": "evil.example", "rule": "a"}
    path: dict[str, Any] = {"kind": "path", "value": "/etc/shadow", "rule": "b"}
    return [
        entry("process_start", **where, ppid=1, command=["python", "agent.py"]),
        entry("process_exit", **where, exit_code=0, duration_ms=1200.0),
        entry("process_exit", **where, exit_code=3),
        entry("process_exit", **where, signal="SIGKILL", reason="out of memory"),
        entry("file_open", **where, path="/tmp/data.csv", mode="read", count=3),
        entry("file_open", **where, path="/tmp/out.md", mode="write", count=1),
        entry("net_connect", **where, host="api.example.com", port=443, count=2),
        entry("dns_query", **where, host="api.example.com", count=1),
        entry("resource", **resource),
        entry("resource", processes=1),
        entry("policy_violation", success=False, decision="would block", **host),
        entry("policy_violation", success=False, decision="blocked", **path),
        entry("limit_warning", resource="memory", percent=91, limit=1e9, state="over", message="memory at 91 %"),
        entry("limit_warning", resource="memory", percent=60, state="recovered", message=""),
        entry("artifact", path="out/a.md", bytes=12_345, sha256="ab", status="collected"),
        entry("artifact", success=False, path="../b", status="refused", message="it is outside"),
        entry("install", packages=packages, state="started"),
        entry("install", packages=packages, state="progress", done=1, total=2, message="downloading"),
        entry("install", packages=packages, state="done"),
        entry("install", success=False, packages=["nope"], state="failed", message="there is none"),
        entry("claim", agent="researcher", claim_id="c1", pid=42, uid=1000, ttl_secs=3600, expires_at="2026-01-01"),
        entry("claim", success=False, agent="root", pid=42, uid=1000, message="may not"),
        entry("release", agent="researcher", claim_id="c1", pid=42, uid=1000),
        entry("gate", id="g1", action="deploy", description="to prod", tier="staged", status="queued"),
        entry("gate", id="g1", action="deploy", tier="staged", status="approved", by={"pid": 1, "uid": 0}),
        entry("pod_start", version="1.0", pid=7),
        entry("pod_stop", reason="done"),
        entry("torn_line", bytes=17, file="audit.jsonl.torn-1"),
        entry("bad_request", message="no JSON", bytes=9, pid=3, uid=0, count=2),
        entry("something_new", what="it is"),
    ]
