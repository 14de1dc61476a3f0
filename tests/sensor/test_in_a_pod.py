"""The sensor with the receiver that it is made for: what its events are in the audit log."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from aotel.audit import read
from aotel.pod.embedded import EmbeddedPod
from aotel.pod.options import PodOptions
from aotel.sensor import Policy
from tests.sensor import program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aotel.audit.entry import Entry

    Audited = Callable[..., list[Entry]]


@pytest.fixture
def audited(tmp_path: Path, work: Path) -> Audited:
    def run(code: str, **options: Any) -> list[Entry]:
        pod = EmbeddedPod(PodOptions(directory=tmp_path / "pod", pod_id="p"))
        pod.start()
        try:
            program.run(program.write(work, code, str(pod.sockets.queue), **options))
        finally:
            pod.stop()
        return [entry for entry in read(tmp_path / "pod") if not entry.action.startswith("pod_")]

    return run


def test_every_kind_of_event_is_audited(audited: Audited, work: Path) -> None:
    entries = audited("""
        import os, socket, subprocess
        open("x.txt", "w").close()
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(("localhost", server.getsockname()[1])).close()
        server.close()
        subprocess.run(["true"], check=True)
        child = os.fork()
        if child:
            os.waitpid(child, 0)
    """)
    assert {entry.action for entry in entries} == {"file_open", "net_connect", "dns_query", "process_start"}
    for entry in entries:
        detail = json.loads(entry.detail)
        assert entry.success
        assert detail["source"] == "audit_hook"
        assert detail["peer"] == {"pid": detail["pid"], "uid": os.getuid()}
    (opened,) = [json.loads(entry.detail) for entry in entries if entry.action == "file_open"]
    assert (opened["path"], opened["mode"], opened["count"]) == (str(work / "x.txt"), "write", 1)


def test_what_is_not_allowed_is_no_success(audited: Audited, work: Path) -> None:
    entries = audited('open("/etc/passwd").close()', policy=Policy((), (str(work),)))
    violation, opened = sorted(entries, key=lambda entry: entry.success)
    assert (violation.action, violation.success) == ("policy_violation", False)
    assert json.loads(violation.detail)["value"] == "/etc/passwd"
    assert (opened.action, opened.success) == ("file_open", True)
