"""The end of a program: never longer than the flush timeout, whatever answers nothing, and without a word of ours."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.distro.programs import BIN
from tests.lifecycle.processes import WORK, results
from tests.pod.pod_process import PodProcess
from tests.servers import BlackHole, PodServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lifecycle.processes import Launcher
    from tests.servers import OtlpReceiver

METRIC = """
    from opentelemetry import metrics
    metrics.get_meter("app").create_counter("calls").add(1)
"""
ENDS = """
    say(time.monotonic())
"""
SLACK = 2.5  # seconds for the interpreter itself, on a machine that does other things too


def instrumented(launcher: Launcher, program: Path) -> list[str]:
    return [str(BIN / "opentelemetry-instrument"), sys.executable, str(program)]


@pytest.mark.parametrize("own_provider", [False, True])
def test_black_holes_for_every_signal_at_once(launcher: Launcher, tmp_path: Path, own_provider: bool) -> None:
    """Spans to two receivers, envelopes over OTLP and to a pod, metrics: none of them ever answers."""
    made = """
        from opentelemetry.sdk.trace import TracerProvider
        provider = TracerProvider()
        provider.get_tracer("app").start_span("another").end()
    """
    program = launcher.write("program.py", WORK, made if own_provider else "", METRIC, 'work("last")', ENDS)
    with (
        BlackHole() as hole,
        BlackHole() as other,
        PodServer(tmp_path, replies=["silence"] * 100, hello_reply="silence") as pod,
    ):
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": hole.endpoint,
            "AOTEL_BACKEND": "otlp,phoenix",
            "PHOENIX_COLLECTOR_ENDPOINT": f"{other.endpoint}/v1/traces",
            "AOTEL_ENVELOPES": "pod,otlp",
            "ENVPOD_SOCKET": pod.path,
        }
        with launcher.command(instrumented(launcher, program), **variables) as running:
            began = float(running.read())
            assert running.wait() == 0
            took = time.monotonic() - began
        assert took < 5 + SLACK, running.stderr
        assert took > 2, running.stderr  # it has tried
        assert all(line.startswith(("aotel: ", "[coat] ")) for line in running.stderr.splitlines()), running.stderr


def test_a_receiver_that_answers_gets_all_beside_one_that_does_not(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = launcher.write("program.py", WORK, "for number in range(20): work(number)", ENDS)
    with BlackHole() as hole:
        variables = {
            "AOTEL_BACKEND": "phoenix,otlp",
            "PHOENIX_COLLECTOR_ENDPOINT": f"{hole.endpoint}/v1/traces",
            "AOTEL_FLUSH": "off",
        }
        with launcher.command([sys.executable, str(program)], **variables) as running:
            began = float(running.read())
            assert running.wait() == 0
            assert time.monotonic() - began < 5 + SLACK
    assert len(results(receiver.spans)) == 20


def test_without_a_thread_of_its_own_too(launcher: Launcher) -> None:
    """What a receiver has let wait in a call is not waited for again for as long at the end."""
    program = 'aotel.configure(inline=True, flush_timeout=2); work("last")'
    with BlackHole() as hole:
        variables = {
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": hole.endpoint,
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "9",  # seconds, of each attempt
            "AOTEL_ENVELOPES": "otlp",
            "OTEL_TRACES_EXPORTER": "none",
        }
        with launcher.python(WORK, program, ENDS, **variables) as running:
            began = float(running.read())
            assert running.wait() == 0
            assert time.monotonic() - began < 2 + SLACK, running.stderr


@pytest.mark.skipif(os.name != "posix", reason="this system has no such signal")
def test_ctrl_c_flushes_and_a_second_one_ends_it(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = 'aotel.configure(flush_timeout=25); work("last"); say("ready"); time.sleep(60)'
    with launcher.python(WORK, program, AOTEL_FLUSH="off") as running:
        assert running.read() == "ready"
        running.send(signal.SIGINT)
        assert running.wait() == -signal.SIGINT, running.stderr
        assert running.stderr.count("Traceback") == 1  # the program's own
    assert results(receiver.spans) == ["last"]
    with BlackHole() as hole:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": hole.endpoint, "AOTEL_FLUSH": "off", "AOTEL_ENVELOPES": "otlp"}
        with launcher.python(WORK, program, **variables) as running:
            assert running.read() == "ready"
            running.send(signal.SIGINT)
            time.sleep(1)
            assert running.process.poll() is None  # it tries to send
            begin = time.monotonic()
            running.send(signal.SIGINT)
            assert running.wait() == -signal.SIGINT
            assert time.monotonic() - begin < 5
            assert running.stderr.count("Traceback") == 1, running.stderr


@pytest.mark.skipif(os.name != "posix", reason="this system has no such signal")
def test_sigterm_during_the_flush_at_exit_lets_it_finish(launcher: Launcher) -> None:
    with BlackHole() as hole:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": hole.endpoint, "AOTEL_FLUSH": "off"}
        program = 'aotel.configure(flush_timeout=8); work("last"); say("ready")'
        with launcher.python(WORK, program, **variables) as running:
            assert running.read() == "ready"
            time.sleep(0.7)
            begin = time.monotonic()
            running.send(signal.SIGTERM)
            assert running.wait() == -signal.SIGTERM
            assert 0.3 < time.monotonic() - begin < 8 + SLACK


def test_threads_that_work_while_the_interpreter_ends(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = """
        import atexit

        def busy():
            while True:
                work("busy")
                time.sleep(0.002)

        atexit.register(lambda: work("at exit, registered first and run last"))
        aotel.configure()
        atexit.register(lambda: work("at exit"))
        for _ in range(3):
            threading.Thread(target=busy, daemon=True).start()
        time.sleep(0.3)
        work("last")
    """
    with launcher.python(WORK, program, AOTEL_ENVELOPES="file:envelopes.jsonl") as running:
        assert running.wait() == 0
        assert running.stderr == ""
    assert {"busy", "last", "at exit"} <= set(results(receiver.spans))


@pytest.mark.parametrize("flush", ["background", "wait", "off"])
def test_development_mode_has_nothing_to_say(launcher: Launcher, receiver: OtlpReceiver, flush: str) -> None:
    program = """
        import asyncio
        import multiprocessing

        async def main():
            asyncio.get_running_loop().slow_callback_duration = 20
            with aotel.session("s-1"):
                await asyncio.gather(*(asyncio.to_thread(work, f"thread {number}") for number in range(3)))
                work("in the loop")

        if __name__ == "__main__":
            asyncio.run(main(), debug=True)
            process = multiprocessing.get_context("spawn").Process(target=work, args=("child",))
            process.start()
            process.join()
            say(process.exitcode)
    """
    with PodProcess() as pod:
        variables = {"AOTEL_ENVELOPES": "pod", "ENVPOD_SOCKET": pod.queue, "AOTEL_FLUSH": flush}
        with launcher.python(
            WORK, program, options=["-X", "dev", "-W", "error"], **variables, PYTHONWARNINGS="error"
        ) as running:
            assert running.read() == "0"
            assert running.wait() == 0
            assert running.stderr == ""
        assert results(receiver.spans) == ["child", "in the loop", "thread 0", "thread 1", "thread 2"]
        assert len(pod.envelopes()) == 12


def test_a_subinterpreter_is_no_place_for_handlers(launcher: Launcher) -> None:
    program = """
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            interpreters = None
        if interpreters is None:
            say("absent")
            sys.exit(0)
        code = '''
        import signal
        try:
            from aotel.distro.termination import watch_sigterm
        except ImportError:  # an extension module that refuses to be there
            watch_sigterm = None
        if watch_sigterm is not None:
            watch_sigterm(wanted=True)
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        '''
        import textwrap
        interpreters.run_string(interpreters.create(isolated=False), textwrap.dedent(code))
        say("went on")
        os._exit(0)
    """
    with launcher.python(WORK, program) as running:
        said = running.read()
        if said == "absent":
            pytest.skip("this Python has no subinterpreters")
        assert said == "went on"
        assert running.wait() == 0
