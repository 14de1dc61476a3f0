"""Child processes of every kind: what they did arrives, however they end, and their parent goes on undisturbed."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.lifecycle.processes import WORK, kinds, results
from tests.pod.pod_process import PodProcess, wait_until
from tests.servers import BlackHole

if TYPE_CHECKING:
    from tests.lifecycle.processes import Launcher
    from tests.servers import OtlpReceiver

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

UNSENT = {"AOTEL_FLUSH": "off"}
"""Variables: a root span has nothing sent by itself."""
SESSION = {"agent.session.start": 1, "agent.session.end": 1}
MAIN = 'if __name__ == "__main__":'


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_of_an_executor(launcher: Launcher, receiver: OtlpReceiver, method: str) -> None:
    program = f"""
        from concurrent.futures import ProcessPoolExecutor
        import multiprocessing

        {MAIN}
            with aotel.session("s-1"):
                work("before")
                with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context({method!r})) as pool:
                    say(*pool.map(work, ["a", "b", "c", "d"]))
                work("after")
    """
    with PodProcess() as pod:
        variables = {**UNSENT, "AOTEL_ENVELOPES": "pod", "ENVPOD_SOCKET": pod.queue}
        with launcher.python(WORK, program, **variables) as running:
            assert running.read() == "a b c d"
            assert running.wait() == 0
            assert running.stderr == ""
        assert results(receiver.spans) == ["a", "after", "b", "before", "c", "d"]
        found = pod.envelopes()
    # One end of the session, and that is the parent's.
    assert kinds(found) == {**SESSION, "agent.tool.call": 6, "agent.tool.result": 6}
    if method == "fork":  # the others know the session where they are instrumented from their start
        assert {envelope["ids"]["session_id"] for envelope in found} == {"s-1"}  # type: ignore[index]


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_terminated_child_ends_by_the_signal_and_loses_nothing(
    launcher: Launcher, receiver: OtlpReceiver, method: str
) -> None:
    program = f"""
        import multiprocessing

        def child(connection):
            work("child")
            connection.send("ready")
            time.sleep(60)

        {MAIN}
            aotel.configure()
            context = multiprocessing.get_context({method!r})
            here, there = context.Pipe()
            process = context.Process(target=child, args=(there,))
            process.start()
            here.recv()
            process.terminate()
            process.join(30)
            say(process.exitcode)
            work("parent")
    """
    with launcher.python(WORK, program, **UNSENT) as running:
        assert running.read() == str(-signal.SIGTERM)
        assert running.wait() == 0
        assert running.stderr == ""
    assert results(receiver.spans) == ["child", "parent"]


def test_a_pool_that_is_terminated(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = f"""
        import multiprocessing

        {MAIN}
            aotel.configure()
            with multiprocessing.get_context("fork").Pool(2) as pool:  # its end terminates the workers
                say(*pool.map(work, ["a", "b", "c"]))
            work("after")
    """
    with launcher.python(WORK, program, **UNSENT) as running:
        assert running.read() == "a b c"
        assert running.wait() == 0
        assert running.stderr == ""
    assert results(receiver.spans) == ["a", "after", "b", "c"]


def test_a_pool_like_celerys(launcher: Launcher, receiver: OtlpReceiver) -> None:
    """Celery's pool forks workers that leave by `os._exit`, and replaces those that have done their share."""
    program = f"""
        from billiard.pool import Pool

        {MAIN}
            with aotel.session("s-1"):
                work("before")
                pool = Pool(3, maxtasksperchild=2)
                say(*sorted(pool.map(work, "abcdefgh", chunksize=1)))
                pool.close()
                pool.join()
                work("after")
    """
    with PodProcess() as pod:
        variables = {**UNSENT, "AOTEL_ENVELOPES": "pod", "ENVPOD_SOCKET": pod.queue}
        with launcher.python(WORK, program, **variables) as running:
            assert running.read() == "a b c d e f g h"
            assert running.wait() == 0
            assert running.stderr == ""
        assert results(receiver.spans) == sorted([*"abcdefgh", "before", "after"])
        found = pod.envelopes()
    assert kinds(found) == {**SESSION, "agent.tool.call": 10, "agent.tool.result": 10}


def test_a_fork_in_a_thread(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = """
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                with aotel.step("busy"):
                    time.sleep(0.001)

        def fork(number):
            with aotel.step("forking"):
                child = os.fork()
                if child == 0:
                    work(f"child {number}")
                    os._exit(40 + number)
            codes[number] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        codes = {}
        work("before")
        others = [threading.Thread(target=busy) for _ in range(2)]
        forking = [threading.Thread(target=fork, args=(number,)) for number in range(4)]
        for thread in (*others, *forking):
            thread.start()
        for thread in forking:
            thread.join()
        stop.set()
        for thread in others:
            thread.join()
        work("after")
        say(*(codes[number] for number in range(4)))
    """
    with launcher.python(WORK, program) as running:
        assert running.read() == "40 41 42 43"
        assert running.wait() == 0
        assert running.stderr == ""
    tools = [span for span in receiver.spans if span.name == "work"]
    assert results(tools) == ["after", "before", "child 0", "child 1", "child 2", "child 3"]
    assert len([span for span in receiver.spans if span.name == "forking"]) == 4


def test_a_prefork_server_that_is_stopped(launcher: Launcher, receiver: OtlpReceiver) -> None:
    """Workers with handlers of their own, a parent that outlives some of them, all of it written by hand."""
    program = """
        def serve(number):
            def stop(*_):
                raise SystemExit(3)
            signal.signal(signal.SIGTERM, stop)
            work(f"worker {number}")
            try:
                os.write(writer, b".")
                time.sleep(60)
            finally:
                work(f"stopped {number}")

        reader, writer = os.pipe()
        aotel.configure()
        work("master")
        workers = []
        for number in range(3):
            pid = os.fork()
            if pid == 0:
                serve(number)
            workers.append(pid)
        ready = 0
        while ready < 3:
            ready += len(os.read(reader, 3))
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
        say(*(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers))
        work("master again")
    """
    with launcher.python(WORK, program, **UNSENT) as running:
        assert running.read() == "3 3 3"
        assert running.wait() == 0
        assert running.stderr == ""
    expected = [f"{what} {number}" for what in ("stopped", "worker") for number in range(3)]
    assert results(receiver.spans) == sorted([*expected, "master", "master again"])


def test_a_child_that_made_nothing_leaves_at_once(launcher: Launcher) -> None:
    """Between fork and exec there is no time for a flush, and nothing to flush; with a black hole it would be seen."""
    program = """
        work("parent")
        begin = time.monotonic()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        say(time.monotonic() - begin)
        os._exit(0)
    """
    with (
        BlackHole() as hole,
        launcher.python(
            WORK, program, OTEL_EXPORTER_OTLP_ENDPOINT=hole.endpoint, AOTEL_ENVELOPES="otlp", **UNSENT
        ) as running,
    ):
        assert float(running.read()) < 10  # a flush would take a second each


def test_os_exit_of_a_child_waits_for_a_second_at_most(launcher: Launcher) -> None:
    program = """
        aotel.configure(flush_timeout=25)
        child = os.fork()
        if child == 0:
            work("child")
            os._exit(5)
        begin = time.monotonic()
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), time.monotonic() - begin)
        os._exit(0)
    """
    with (
        BlackHole() as hole,
        launcher.python(WORK, program, OTEL_EXPORTER_OTLP_ENDPOINT=hole.endpoint, **UNSENT) as running,
    ):
        code, seconds = running.read().split()
        assert code == "5"
        assert float(seconds) < 10  # and not the flush timeout


@pytest.mark.skipif(sys.platform != "linux", reason="a fork of a program with threads is safe enough on Linux alone")
def test_what_a_child_did_is_sent_while_it_lives(launcher: Launcher, receiver: OtlpReceiver) -> None:
    """A child that is killed has lost nothing of the root spans before: they went when they ended."""
    program = """
        aotel.configure()
        child = os.fork()
        work("child" if child == 0 else "parent")
        say("ready")
        time.sleep(60)
    """
    with launcher.python(WORK, program) as running:
        assert {running.read(), running.read()} == {"ready"}
        wait_until(lambda: len(receiver.spans) == 2)
        time.sleep(0.1)
    assert results(receiver.spans) == ["child", "parent"]
