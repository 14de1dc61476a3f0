"""A run from its beginning to its end: directory, pod and view, packages, the command, the summary."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING

from aotel.backends import PRESETS, missing
from aotel.errors import AotelError, ConfigurationError
from aotel.pod.config import PodConfig
from aotel.pod.embedded import EmbeddedPod
from aotel.pod.options import PodOptions
from aotel.runner import artifacts, environment, overlay
from aotel.runner.audience import Told
from aotel.runner.command import clean_name, find, run_name
from aotel.runner.directory import DEFAULT_RUNS, RunDirectory, RunDirectoryError
from aotel.runner.execute import execute
from aotel.runner.info import Info
from aotel.runner.presenter import Presenter, write_line
from aotel.runner.record import Record
from aotel.runner.signals import Signals, held_back
from aotel.runner.stage import Stage
from aotel.runner.tree import Tree
from aotel.sensor.policy import NO_SANDBOX, Policy
from aotel.settings import load
from aotel.view import Kind, Level, open_view

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import FrameType

    from aotel.runner.options import RunOptions


class _EndedEarlyError(BaseException):
    """A signal that ends us while nothing runs yet; no `Exception`, so that nobody on the way takes it for one."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run(options: RunOptions) -> int:
    """Run a command, and return its exit status, or what stands for it: 124 after a timeout.

    To be called from the main thread: signals that come meanwhile are handed on.

    Args:
        options: what to do.

    Raises:
        CommandError: there is no such command, or it can't be executed.
        ConfigurationError: the options don't go together.
        AotelError: the run could not begin; nothing was run.
    """
    _check(options)
    if not options.packages:  # they may bring it
        find(options.command[0], os.environ)
    with contextlib.ExitStack() as held:
        place = None
        if options.output is not None:
            place = artifacts.hold(options.output)
            held.callback(os.close, place.above)
        stage = _set(options, place)
        held.callback(os.close, stage.artifacts)
        return _go(stage)


def _check(options: RunOptions) -> None:
    known = [agent.id for agent in options.agents]
    if not options.command:
        raise ConfigurationError("a run needs a command")
    if options.agent is not None and known and options.agent not in known:
        raise ConfigurationError(f"the policy has no agent {options.agent!r}; it has {', '.join(known)}")
    if options.enforce and not (options.allow_hosts or options.allow_paths):
        raise ConfigurationError("there is nothing to enforce: --allow-host and --allow-path say what is allowed")
    _policy(options)  # an entry that can't be understood is said before anything begins
    if options.level not in Level.__members__:
        raise ConfigurationError(f"a level is one of {', '.join(Level.__members__)}, got {options.level!r:.80}")
    for name in options.backends:
        if name not in PRESETS:
            raise ConfigurationError(f"there is no backend {name!r:.80}; there are {', '.join(PRESETS)}")
    for sentence in missing(load().with_backend(options.backends, ())).values():
        raise ConfigurationError(sentence)


def _policy(options: RunOptions) -> Policy:
    return Policy(options.allow_hosts, options.allow_paths, options.enforce)


def _set(options: RunOptions, place: artifacts.Place | None) -> Stage:
    """Put the stage up: a directory, and what else is needed, none of it started."""
    name = clean_name(options.name or "") or run_name(options.command)
    directory = RunDirectory.create(options.runs_dir, name)
    info = Info(options, name, directory.path.name)
    directory.write_info(info.content())
    # A file of its own: whoever is stuck in writing to it doesn't hold `sys.stderr` at the end.
    stream = open(2, "w", encoding=sys.stderr.encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115
    view = open_view(options.view, level=Level[options.level], stream=stream, title=name)
    presenter = Presenter(view, write_line)
    pod_options = PodOptions(directory.path, pod_id=info.pod_id, config=PodConfig(agents=options.agents))
    pod = EmbeddedPod(pod_options, on_written=presenter.written)
    record = Record(pod, lambda text: presenter.say(Kind.ERROR, Level.ERROR, text))
    mask = frozenset(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    kept = os.open(directory.artifacts, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return Stage(options, directory, info, pod, presenter, record, Told(record, presenter), mask, place, kept)


def _go(stage: Stage) -> int:
    with held_back():  # the threads that start here leave the signals to us
        stage.presenter.start()
        try:
            stage.pod.start()
        except BaseException as error:
            _close(stage, str(error))
            raise
    stage.directory.point_latest()
    try:
        with _ended_by_signals():
            executable, environ = _prepare(stage)
    except BaseException as error:
        with held_back():
            _close(stage, "ended before the command" if isinstance(error, _EndedEarlyError) else str(error))
        if isinstance(error, _EndedEarlyError):
            return 128 + error.number
        raise
    with Signals() as signals:
        message: str | None = None
        tree = Tree()
        try:
            status = execute(stage, executable, environ, signals, tree)
        except BaseException as error:
            message = str(error)
            raise
        finally:
            _close(stage, message)
            # Behind the pod's end: an orphan that isn't adopted has no descent that the pod could see.
            tree.close()
    return status


def _prepare(stage: Stage) -> tuple[str, dict[str, str]]:
    """Do what comes before the command; return the file it is, and its environment."""
    options = stage.options
    target: Path | None = None
    # Also without an agent: what runs here asks, and somebody outside decides.
    stage.pod.deny_control(os.getpid())
    if options.packages:
        target = stage.directory.overlay
        _install(stage, target)
    if options.agent is not None:
        # For us, while there is no child yet: so it holds for its first word, and for orphans that come back to us.
        stage.pod.claim_for(os.getpid(), options.agent)
        stage.record.agent = options.agent
    if options.enforce:
        stage.presenter.say(Kind.POLICY, Level.WARNING, NO_SANDBOX)
    around = environment.Surroundings(
        pod_id=stage.pod.pod_id,
        socket=str(stage.pod.sockets.queue),
        policy=_policy(options).json() if options.allow_hosts or options.allow_paths else None,
        overlay=target,
        backends=options.backends,
        shown=options.view != "off",
    )
    environ = environment.compose(os.environ, around)
    return find(options.command[0], environ), environ


def _install(stage: Stage, target: Path) -> None:
    packages, told = stage.options.packages, stage.told
    name = stage.options.command[0]
    try:
        executable = find(name, os.environ)
    except AotelError:
        executable = name  # it may come with the packages
    told.installing(packages, "started")
    try:
        python = overlay.python_for(executable, os.environ)
        overlay.install(packages, target, python, os.environ, lambda line: told.installing(packages, "progress", line))
    except overlay.InstallError as error:
        told.installing(packages, "failed", str(error))
        raise
    told.installing(packages, "done")


@contextlib.contextmanager
def _ended_by_signals() -> Generator[None]:
    """Have signals that would end us raise, so that what was made is left in order."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise _EndedEarlyError(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    former = {n: signal.signal(n, end) for n in numbers if signal.getsignal(n) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _close(stage: Stage, message: str | None) -> None:
    """End the record, show the summary, and say where the record is."""
    info = stage.info
    info.message = message
    info.end("finished" if message is None else "failed")
    try:
        stage.pod.stop("the run has ended")
    except Exception as error:  # noqa: BLE001 - the program has run
        write_line(f"the pod did not stop as it should ({error})")
    where = _where(stage)
    if stage.options.view == "json":
        stage.presenter.say(Kind.LIFECYCLE, Level.INFO, where, run=str(stage.directory.path))
    stage.presenter.close()
    try:
        stage.directory.write_info(info.content())
    except RunDirectoryError as error:
        write_line(str(error))
    if not info.left_running:
        shutil.rmtree(stage.directory.overlay, ignore_errors=True)
    if stage.options.view not in {"json", "off"}:
        write_line(where)


def _where(stage: Stage) -> str:
    path = os.path.relpath(stage.directory.path)
    if path.startswith(".."):
        path = str(stage.directory.path)
    argument = "" if stage.options.runs_dir == DEFAULT_RUNS else f" {path}"
    return f"the record is in {path}; to look at it: aotel audit{argument}, or aotel report{argument}"
