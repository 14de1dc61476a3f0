"""From the lines of a log that are no envelopes to events: what the machine did, what pod and runner say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.audit import actions
from aotel.view import wording
from aotel.view.events import Event, Kind, Level
from aotel.view.facts import LENGTH, Object, number, part, plain, some, text, whole

if TYPE_CHECKING:
    from collections.abc import Callable

Said = tuple[Kind, Level, str, dict[str, object]]

_COUNTS: Final = (
    "processes",
    "cpu_cores",
    "cpu_percent",
    "memory_bytes",
    "memory_limit_bytes",
    "disk_read_bytes",
    "disk_write_bytes",
    "disk_used_percent",
    "net_sent_bytes",
    "net_received_bytes",
)
_VERBS: Final = {"read": "read", "write": "wrote"}
_PACKAGES: Final = 5  # of those that are installed, named on a line


def machine_event(action: str, detail: Object, *, success: bool, agent: str, when: float) -> Event:
    """Return the event of an entry.

    Args:
        action: what happened, by `aotel.audit.actions`; others are shown too.
        detail: what there is to say of it.
        success: whether it went well.
        agent: who did it, by the log.
        when: seconds since the epoch.
    """
    read = _READERS.get(action)
    kind, level, words, fields = _other(action, detail) if read is None else read({**detail, "success": success})
    where = some(
        trace_id=text(detail, "trace_id"),
        span_id=text(detail, "span_id"),
        pid=whole(detail, "pid"),
        agent=text(detail, "agent") or agent,
        source=text(detail, "source"),
    )
    return Event(kind, level, when, words, {**where, **fields})


def _process_start(detail: Object) -> Said:
    command = detail.get("command")
    words = [str(part) for part in command[:50]] if isinstance(command, list) else [text(detail, "command")]
    line = " ".join(words)[:LENGTH]
    said = f"started {line}" if line else "a process started"
    fields = {"event": "process_started", **some(parent_pid=whole(detail, "ppid"), command=plain(command))}
    return Kind.LIFECYCLE, Level.INFO, said, fields


def _process_exit(detail: Object) -> Said:
    status, signal, reason = whole(detail, "exit_code"), text(detail, "signal"), text(detail, "reason")
    milliseconds = number(detail, "duration_ms")
    pid = whole(detail, "pid")
    said = "a process ended" if pid is None else f"process {pid} ended"
    if signal:
        said += f" by {signal}"
    elif status is not None:
        said += f" with status {status}"
    if reason:
        said += f" ({reason})"
    if milliseconds is not None:
        said += f" after {wording.duration(milliseconds / 1000)}"
    level = Level.ERROR if reason and reason != "interrupted" else Level.WARNING if signal or status else Level.INFO
    fields = some(exit_code=status, signal=signal, reason=reason, duration_ms=milliseconds)
    return Kind.LIFECYCLE, level, said, {"event": "process_exited", **fields}


def _file_open(detail: Object) -> Said:
    mode, path, count = text(detail, "mode"), text(detail, "path"), whole(detail, "count")
    said = f"{_VERBS.get(mode, 'opened')} {path}{_times(count)}"
    return Kind.FILE, Level.INFO, said, {"event": "opened", **some(path=path, mode=mode, count=count)}


def _net_connect(detail: Object) -> Said:
    host, port, count = text(detail, "host"), whole(detail, "port"), whole(detail, "count")
    address = f"[{host}]" if ":" in host and port is not None else host
    said = f"connected to {address}{'' if port is None else f':{port}'}{_times(count)}"
    return Kind.NETWORK, Level.INFO, said, {"event": "connected", **some(host=host, port=port, count=count)}


def _dns_query(detail: Object) -> Said:
    host, count = text(detail, "host"), whole(detail, "count")
    return (
        Kind.NETWORK,
        Level.INFO,
        f"looked up {host}{_times(count)}",
        {"event": "resolved", **some(host=host, count=count)},
    )


def _resource(detail: Object) -> Said:
    known = {name: number(detail, name) for name in _COUNTS}
    processor, memory, limit = known["cpu_percent"], known["memory_bytes"], known["memory_limit_bytes"]
    said: list[str] = []
    if processor is not None:
        said.append(f"cpu {processor:.0f} %")
    if memory is not None:
        said.append(f"memory {wording.size(memory)}" + (f" of {wording.size(limit)}" if limit else ""))
    for label, one, other in (
        ("disk", "disk_read_bytes", "disk_write_bytes"),
        ("net", "net_received_bytes", "net_sent_bytes"),
    ):
        came, went = known[one], known[other]
        if came is not None or went is not None:
            verbs = ("read", "written") if label == "disk" else ("in", "out")
            parts = [f"{wording.size(n)} {verb}" for n, verb in ((came, verbs[0]), (went, verbs[1])) if n is not None]
            said.append(f"{label} {' '.join(parts)}")
    processes = whole(detail, "processes")
    if processes is not None:
        said.append(wording.several(processes, "process", "processes"))
    return (
        Kind.METRICS,
        Level.INFO,
        ", ".join(said) or "nothing could be measured",
        {"event": "sampled", **some(**known)},
    )


def _policy_violation(detail: Object) -> Said:
    what, value, decision = text(detail, "kind"), text(detail, "value"), text(detail, "decision")
    blocked = decision == "blocked"
    said = f"{'blocked' if blocked else 'not allowed (would block)'}: {what} {value}".rstrip()
    fields = some(subject=what, value=value, decision=decision, rule=plain(detail.get("rule")))
    return Kind.POLICY, Level.ERROR if blocked else Level.WARNING, said, {"event": "violated", **fields}


def _limit_warning(detail: Object) -> Said:
    what, percent = text(detail, "resource"), number(detail, "percent")
    recovered = text(detail, "state") == "recovered"
    default = f"{what} at {percent:.0f} % of its limit" if percent is not None else f"{what} near its limit"
    said = text(detail, "message") or default
    fields = some(resource=what, percent=percent, limit=number(detail, "limit"), message=text(detail, "message"))
    if recovered:
        return Kind.SUCCESS, Level.INFO, said, {"event": "limit_recovered", **fields}
    return Kind.WARNING, Level.WARNING, said, {"event": "limit_near", **fields}


def _artifact(detail: Object) -> Said:
    success = detail["success"]
    path, count, message = text(detail, "path"), whole(detail, "bytes"), text(detail, "message")
    refused = text(detail, "status") == "refused" or not success
    said = f"{'refused' if refused else 'collected'} {path}"
    if count is not None and not refused:
        said += f", {wording.size(count)}"
    if message:
        said += f": {message}"
    fields = some(path=path, bytes=count, sha256=text(detail, "sha256"), message=message)
    event = {"event": "refused" if refused else "collected", **fields}
    return Kind.OUTPUT, Level.WARNING if refused else Level.INFO, said, event


def _install(detail: Object) -> Said:
    success = detail["success"]
    asked = detail.get("packages")
    packages = [str(name)[:200] for name in asked] if isinstance(asked, list) else []
    state = text(detail, "state") or ("done" if success else "failed")
    message, done, total = text(detail, "message"), number(detail, "done"), number(detail, "total")
    named = ", ".join(packages[:_PACKAGES]) + (" …" if len(packages) > _PACKAGES else "")
    verbs = {"started": "installing", "progress": "installing", "done": "installed", "failed": "could not install"}
    said = f"{verbs.get(state, state)} {named or 'packages'}"
    if done is not None:
        said += f", {wording.amount(done)}" + ("" if total is None else f" of {wording.amount(total)}")
    if message:
        said += f": {message}"
    level = Level.ERROR if state == "failed" else Level.DEBUG if state == "progress" else Level.INFO
    fields = some(packages=packages, state=state, done=done, total=total, message=message)
    return Kind.INSTALL, level, said, {"event": "install", **fields}


def _claim(detail: Object) -> Said:
    success = detail["success"]
    who, message, pid = text(detail, "agent"), text(detail, "message"), whole(detail, "pid")
    said = f"{'claimed' if success else 'refused a claim to'} the identity {who}".rstrip()
    said += "" if pid is None else f" for process {pid}"
    said += f": {message}" if message else ""
    fields = some(
        claim_id=text(detail, "claim_id"),
        uid=whole(detail, "uid"),
        ttl_secs=number(detail, "ttl_secs"),
        expires_at=plain(detail.get("expires_at")),
        message=message,
    )
    event = {"event": "claimed" if success else "claim_refused", **fields}
    return Kind.LIFECYCLE, Level.INFO if success else Level.WARNING, said, event


def _release(detail: Object) -> Said:
    success = detail["success"]
    who, message = text(detail, "agent"), text(detail, "message")
    said = f"{'released' if success else 'refused to release'} the identity {who}".rstrip()
    said += f": {message}" if message else ""
    fields = some(claim_id=text(detail, "claim_id"), uid=whole(detail, "uid"), message=message)
    return Kind.LIFECYCLE, Level.INFO if success else Level.WARNING, said, {"event": "released", **fields}


def _gate(detail: Object) -> Said:
    success = detail["success"]
    status, number_ = text(detail, "status"), text(detail, "id")
    what = text(detail, "action") or text(detail, "description") or number_
    waits = "waits for approval: " if status == "queued" else f"{status or 'asked for'}: "
    fields = some(
        id=number_,
        action=text(detail, "action"),
        description=text(detail, "description"),
        tier=text(detail, "tier"),
        status=status,
        by=plain(part(detail, "by") or None),
    )
    words = waits + what + (f" ({number_})" if number_ and number_ != what else "")
    return Kind.LIFECYCLE, Level.INFO if success else Level.WARNING, words, {"event": "gate", **fields}


def _pod_start(detail: Object) -> Said:
    version = text(detail, "version")
    words = f"the pod started{f' (aotel {version})' if version else ''}"
    return Kind.LIFECYCLE, Level.INFO, words, {"event": "pod_started", **some(version=version)}


def _pod_stop(detail: Object) -> Said:
    reason = text(detail, "reason")
    words = f"the pod stopped{f': {reason}' if reason else ''}"
    return Kind.LIFECYCLE, Level.INFO, words, {"event": "pod_stopped", **some(reason=reason)}


def _torn_line(detail: Object) -> Said:
    count, file = whole(detail, "bytes"), text(detail, "file")
    words = "the log ended in half a line, which was put aside" + (f" in {file}" if file else "")
    return Kind.WARNING, Level.WARNING, words, {"event": "torn_line", **some(bytes=count, file=file)}


def _bad_request(detail: Object) -> Said:
    message, count = text(detail, "message"), whole(detail, "count")
    words = f"the pod got a request that it can't read{f': {message}' if message else ''}{_times(count)}"
    fields = some(message=message, bytes=whole(detail, "bytes"), uid=whole(detail, "uid"), count=count)
    return Kind.WARNING, Level.WARNING, words, {"event": "bad_request", **fields}


def _other(action: str, detail: Object) -> Said:
    words = action or "an entry without an action"
    return (
        Kind.LIFECYCLE,
        Level.DEBUG,
        words,
        {"event": "other", "action": action, **some(detail=plain(detail) or None)},
    )


def _times(count: int | None) -> str:
    return f", {count:,} times" if count is not None and count > 1 else ""


_READERS: Final[dict[str, Callable[[Object], Said]]] = {
    actions.PROCESS_START: _process_start,
    actions.PROCESS_EXIT: _process_exit,
    actions.FILE_OPEN: _file_open,
    actions.NET_CONNECT: _net_connect,
    actions.DNS_QUERY: _dns_query,
    actions.RESOURCE: _resource,
    actions.POLICY_VIOLATION: _policy_violation,
    actions.LIMIT_WARNING: _limit_warning,
    actions.ARTIFACT: _artifact,
    actions.INSTALL: _install,
    actions.CLAIM: _claim,
    actions.RELEASE: _release,
    actions.GATE: _gate,
    actions.POD_START: _pod_start,
    actions.POD_STOP: _pod_stop,
    actions.TORN_LINE: _torn_line,
    actions.BAD_REQUEST: _bad_request,
}
