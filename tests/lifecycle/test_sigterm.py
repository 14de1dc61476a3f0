"""SIGTERM: what waits is sent where the system's default ends the program; a program's own handler is its own."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.lifecycle.processes import WORK, results
from tests.pod.pod_process import PodProcess, wait_until
from tests.servers import BlackHole

if TYPE_CHECKING:
    from tests.lifecycle.processes import Launcher
    from tests.servers import OtlpReceiver

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no such signals")

UNSENT = {"AOTEL_FLUSH": "off"}
"""Variables: a root span has nothing sent by itself."""
WAIT = """
    work("last")
    say("ready")
    time.sleep(60)
"""


def test_default_action_keeps_its_exit_status_and_loses_nothing(launcher: Launcher, receiver: OtlpReceiver) -> None:
    with PodProcess() as pod:
        variables = {**UNSENT, "AOTEL_ENVELOPES": "pod", "ENVPOD_SOCKET": pod.queue}
        with launcher.python(WORK, WAIT, **variables) as running:
            assert running.read() == "ready"
            running.send(signal.SIGTERM)
            assert running.wait() == -signal.SIGTERM
            assert running.stderr == ""
        assert results(receiver.spans) == ["last"]
        assert len(pod.envelopes()) == 2


def test_it_can_be_switched_off(launcher: Launcher, receiver: OtlpReceiver) -> None:
    with launcher.python(WORK, WAIT, AOTEL_SIGTERM="off", **UNSENT) as running:
        assert running.read() == "ready"
        running.send(signal.SIGTERM)
        assert running.wait() == -signal.SIGTERM
    assert not receiver.spans


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_programs_own_handler_runs_once_and_decides(launcher: Launcher, receiver: OtlpReceiver, when: str) -> None:
    own = """
        seen = []
        def own(number, frame):
            seen.append(number)
        def install():
            former = signal.signal(signal.SIGTERM, own)
            assert former == signal.SIG_DFL, former
    """
    order = 'install(); work("last")' if when == "before" else 'work("last"); install()'
    ending = """
        say("ready")
        deadline = time.monotonic() + 20
        while not seen and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)
        say(len(seen), signal.getsignal(signal.SIGTERM) is own)
        sys.exit(7)
    """
    with launcher.python(WORK, own, order, ending, **UNSENT) as running:
        assert running.read() == "ready"
        running.send(signal.SIGTERM)
        assert running.read() == "1 True"
        assert running.wait() == 7
        assert running.stderr == ""
    assert results(receiver.spans) == ["last"]


def test_nobody_sees_the_handler(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = """
        work("last")
        seen = [signal.getsignal(signal.SIGTERM)]
        seen.append(signal.signal(signal.SIGTERM, lambda *_: None))
        seen.append(callable(signal.signal(signal.SIGTERM, signal.SIG_IGN)))
        seen.append(signal.signal(signal.SIGTERM, signal.SIG_DFL))
        seen.append(signal.getsignal(signal.SIGTERM))
        say(*map(repr, seen))
        say("ready")
        time.sleep(60)
    """
    default, ignored = repr(signal.SIG_DFL), repr(signal.SIG_IGN)
    with launcher.python(WORK, program, **UNSENT) as running:
        assert running.read() == f"{default} {default} True {ignored} {default}"
        assert running.read() == "ready"
        running.send(signal.SIGTERM)
        assert running.wait() == -signal.SIGTERM
    assert results(receiver.spans) == ["last"]  # the default was put back, and stood in for again


def test_ignored_stays_ignored(launcher: Launcher, receiver: OtlpReceiver) -> None:
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    program = (
        'work("last"); os.kill(os.getpid(), signal.SIGTERM); say(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)'
    )
    with launcher.python(ignore, WORK, program) as running:
        assert running.read() == "True"
        assert running.wait() == 0
    assert results(receiver.spans) == ["last"]


def test_a_handler_that_was_set_past_us_may_call_the_former_one(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = """
        import _signal
        work("last")
        def own(number, frame):
            former(number, frame)
            say("decided")
        former = _signal.signal(signal.SIGTERM, own)
        os.kill(os.getpid(), signal.SIGTERM)
        say("went on")
    """
    with launcher.python(WORK, program) as running:
        assert [running.read(), running.read()] == ["decided", "went on"]
        assert running.wait() == 0
    assert results(receiver.spans) == ["last"]


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(launcher: Launcher, second: signal.Signals) -> None:
    with BlackHole() as hole:
        variables = {**UNSENT, "OTEL_EXPORTER_OTLP_ENDPOINT": hole.endpoint}
        program = 'aotel.configure(flush_timeout=25); work("last"); say("ready"); time.sleep(60)'
        with launcher.python(WORK, program, **variables) as running:
            assert running.read() == "ready"
            running.send(signal.SIGTERM)
            time.sleep(1)
            assert running.process.poll() is None  # it tries to send
            begin = time.monotonic()
            running.send(second)
            assert running.wait() == -signal.SIGTERM
            assert time.monotonic() - begin < 5
            assert "Traceback" not in running.stderr


def test_nothing_takes_longer_than_the_flush_timeout(launcher: Launcher) -> None:
    with BlackHole() as hole:
        variables = {**UNSENT, "OTEL_EXPORTER_OTLP_ENDPOINT": hole.endpoint, "AOTEL_ENVELOPES": "otlp"}
        program = 'aotel.configure(flush_timeout=1.5); work("last"); say("ready"); time.sleep(60)'
        with launcher.python(WORK, program, **variables) as running:
            assert running.read() == "ready"
            begin = time.monotonic()
            running.send(signal.SIGTERM)
            assert running.wait() == -signal.SIGTERM
            assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "held",
    [
        "logging.getLogger().handlers[0].lock",
        "logging._lock",
        "threading._active_limbo_lock",
        "provider._active_span_processor._span_processors[-1]._batch_processor._export_lock",
    ],
)
def test_locks_that_the_interrupted_code_holds_cost_the_flush_timeout_at_most(launcher: Launcher, held: str) -> None:
    program = f"""
        import logging
        logging.basicConfig()
        provider = aotel.configure(flush_timeout=1.5).provider
        work("last")
        lock = {held}
        with lock:
            say("ready")
            deadline = time.monotonic() + 40
            while time.monotonic() < deadline:
                sum(range(100))
    """
    with launcher.python(WORK, program, AOTEL_ENVELOPES="file:envelopes.jsonl", **UNSENT) as running:
        assert running.read() == "ready"
        begin = time.monotonic()
        running.send(signal.SIGTERM)
        assert running.wait() == -signal.SIGTERM
        assert time.monotonic() - begin < 10


def test_interrupted_in_the_middle_of_anything(launcher: Launcher, receiver: OtlpReceiver) -> None:
    """A program that does nothing but make spans ends by the signal, wherever that finds it."""
    program = 'work("first"); say("ready")\nwhile True:\n    work("next")'
    for _ in range(3):
        with launcher.python(WORK, program, AOTEL_ENVELOPES="file:envelopes.jsonl") as running:
            assert running.read() == "ready"
            time.sleep(0.3)
            running.send(signal.SIGTERM)
            assert running.wait() == -signal.SIGTERM
            assert "Traceback" not in running.stderr
    lines = (launcher.directory / "envelopes.jsonl").read_text().splitlines()
    assert all(json.loads(line)["kind"].startswith("agent.") for line in lines)
    assert receiver.spans


def test_a_loop_of_asyncio_has_its_own_handlers(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = """
        import asyncio

        async def main():
            loop = asyncio.get_running_loop()
            loop.slow_callback_duration = 20  # how long the first call takes to configure is not the point
            ended = asyncio.Event()
            loop.add_signal_handler(signal.SIGTERM, ended.set)
            work("in the loop")
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(ended.wait(), 20)
            loop.remove_signal_handler(signal.SIGTERM)
            say("ready")
            await asyncio.sleep(60)

        asyncio.run(main(), debug=True)
    """
    with launcher.python(WORK, program, options=["-X", "dev", "-W", "error"], **UNSENT) as running:
        assert running.read() == "ready"
        running.send(signal.SIGTERM)
        assert running.wait() == -signal.SIGTERM
        assert running.stderr == ""
    assert results(receiver.spans) == ["in the loop"]


def test_configured_in_another_thread_it_is_left_alone(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = """
        thread = threading.Thread(target=work, args=("in a thread",))
        thread.start()
        thread.join()
        say("ready")
        time.sleep(60)
    """
    with launcher.python(WORK, program) as running:
        assert running.read() == "ready"
        wait_until(lambda: bool(receiver.spans))
        running.send(signal.SIGTERM)
        assert running.wait() == -signal.SIGTERM
        assert running.stderr == ""
