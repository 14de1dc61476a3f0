"""The command itself: started, watched, ended where it has to be, and what it leaves behind collected."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from aotel.audit import actions
from aotel.runner.artifacts import Collector
from aotel.runner.cgroup import Cgroup
from aotel.runner.child import Child, Exit
from aotel.runner.ending import INTERRUPTED, MEMORY_LIMIT, OUT_OF_MEMORY, TIMEOUT, Ending
from aotel.runner.info import presentable
from aotel.runner.supervise import Supervisor
from aotel.runner.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aotel.runner.signals import Signals
    from aotel.runner.stage import Stage
    from aotel.runner.tree import Tree

TIMED_OUT: Final = 124
KILLED: Final = 128 + signal.SIGKILL

_LINGER: Final = 1.0  # seconds that those who outlive the command are waited for
_END_US = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})


def execute(stage: Stage, executable: str, environ: Mapping[str, str], signals: Signals, tree: Tree) -> int:
    """Run the command to its end; return the exit status of the whole.

    Args:
        stage: the run's parts; its `info` is completed.
        executable: the file that the command is.
        environ: its environment.
        signals: those that reach us.
        tree: what the command will bring about.

    Raises:
        CommandError: the system doesn't start it.
    """
    limit = stage.options.memory_limit
    cgroup = None if limit is None else Cgroup.make(limit)
    try:
        ending = Ending(tree, cgroup)
        child = Child.start(executable, stage.options.command, environ, stage.mask)
        if cgroup is not None:
            stage.info.cgroup = cgroup.add(child.pid)
        _begun(stage, child)
        supervisor = Supervisor(child, tree, ending, signals, stage.told, stage.options.timeout)
        with Watch(stage, tree, ending, child.pid) as watch:
            supervisor.wait()
            reason = _reason(stage, child, ending, watch, interrupted=supervisor.was_interrupted)
            status = _ended(stage, child, reason)
            supervisor.wait_for_others(_LINGER)
        _look_back(stage, tree)
    finally:
        if cgroup is not None:
            cgroup.close()
    _collect(stage, signals)
    return status


def _begun(stage: Stage, child: Child) -> None:
    stage.info.state = "running"
    stage.info.pid = child.pid
    stage.told.started(child.pid, os.getpid(), presentable(stage.options.command))
    stage.save()


def _reason(stage: Stage, child: Child, ending: Ending, watch: Watch, *, interrupted: bool) -> str | None:
    """Return why the command has ended, if that was not its own doing."""
    assert child.exit is not None  # noqa: S101 - that is what was waited for
    if ending.reason is not None:
        return ending.reason
    if child.exit.signal == signal.SIGKILL and watch.ran_out_of_memory():
        return MEMORY_LIMIT if stage.info.cgroup else OUT_OF_MEMORY
    return INTERRUPTED if interrupted and child.exit.status == 128 + signal.SIGINT else None


def _ended(stage: Stage, child: Child, reason: str | None) -> int:
    """Note how the command has ended; return the exit status."""
    found = child.exit or Exit(None, None)
    status = {TIMEOUT: TIMED_OUT, MEMORY_LIMIT: KILLED}.get(reason or "", found.status)
    stage.info.exit, stage.info.status, stage.info.reason = found, status, reason
    stage.record.add(
        actions.PROCESS_EXIT,
        {
            "pid": child.pid,
            "exit_code": found.code,
            "signal": found.signal_name,
            "duration_ms": round((child.ended - child.started) * 1000, 3),
            "reason": reason,
        },
        success=status == 0,
    )
    return status


def _look_back(stage: Stage, tree: Tree) -> None:
    """Say who goes on after the command has ended: it is theirs to, as without us."""
    left = [process.pid for process in tree.processes()]
    if left:
        stage.info.left_running = left
        stage.told.left_running(left)


def _collect(stage: Stage, signals: Signals) -> None:
    place = stage.place
    if place is None:
        return
    limit = stage.options.output_limit
    own = (stage.directory.path, stage.directory.path.parent)
    collector = Collector(
        stage.artifacts,
        limit,
        stage.told.artifact,
        skip=frozenset((found.st_dev, found.st_ino) for found in (path.stat() for path in own)),
        interrupted=lambda: any(received.number in _END_US for received in signals.wait(0)),
    )
    collector.collect(place)
    stage.told.output_is_large(collector.bytes, limit)
    stage.info.artifacts = {
        "collected": collector.collected,
        "refused": collector.refused,
        "bytes": collector.bytes,
    }
