"""Servers as people run them: gunicorn with preload and four workers, uvicorn that reloads."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.lifecycle.processes import WORK, results
from tests.pod.pod_process import PodProcess, wait_until

if TYPE_CHECKING:
    from tests.lifecycle.processes import Launcher, Running
    from tests.servers import OtlpReceiver

pytestmark = pytest.mark.skipif(os.name != "posix", reason="gunicorn needs Unix")

WSGI = """
    aotel.configure()
    work("preloaded")

    def app(environ, start_response):
        name = environ["PATH_INFO"].strip("/")
        with aotel.step("request"):
            found = work(name)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{os.getpid()} {found}".encode()]
"""
ASGI = """
    VERSION = {version}

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                if message["type"] == "lifespan.shutdown":
                    work(f"stopped {{VERSION}}")
                await send({{"type": message["type"] + ".complete"}})
                if message["type"] == "lifespan.shutdown":
                    return
        found = work(f"{{VERSION}}{{scope['path']}}")
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": found.encode()}})
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def get(port: int, path: str) -> str | None:
    """Return what a server answers; nothing if it isn't there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text
    except OSError:
        return None


def test_every_worker_of_a_preloaded_gunicorn(launcher: Launcher, receiver: OtlpReceiver) -> None:
    port = free_port()
    launcher.write("served.py", WORK, WSGI)
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "4", "--bind", f"127.0.0.1:{port}"]
    with PodProcess() as pod:
        variables = {"AOTEL_ENVELOPES": "pod", "ENVPOD_SOCKET": pod.queue, "AOTEL_FLUSH": "off"}
        with launcher.command([*command, "--no-control-socket", "served:app"], **variables) as running:
            wait_until(lambda: get(port, "first") is not None)
            answered = [get(port, f"r{number}") for number in range(40)]
            busy = {answer.split()[0] for answer in answered if answer is not None}
            running.send(signal.SIGTERM)
            assert running.wait() == 0, running.stderr
            assert "aotel" not in running.stderr
            assert "Traceback" not in running.stderr
        assert None not in answered
        assert results(receiver.spans) == sorted(["preloaded", "first", *(f"r{number}" for number in range(40))])
        found = pod.envelopes()
    made = Counter(str(envelope["envpod"]["pid"]) for envelope in found if envelope["kind"] == "agent.tool.result")  # type: ignore[index]
    assert busy <= set(made)
    assert sum(made.values()) == 42
    assert len({envelope["producer"] for envelope in found}) == len(made)


def test_a_worker_that_gunicorn_aborts_has_sent_its_requests(launcher: Launcher, receiver: OtlpReceiver) -> None:
    port = free_port()
    launcher.write("served.py", WORK, WSGI)
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "1", "--bind", f"127.0.0.1:{port}"]
    with launcher.command([*command, "--no-control-socket", "served:app"]) as running:
        wait_until(lambda: get(port, "first") is not None)
        worker = int(str(get(port, "second")).split()[0])
        wait_until(lambda: "second" in results(receiver.spans))  # with an interval of a minute
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: (get(port, "third") or f"{worker} ").split()[0] != str(worker))
        wait_until(lambda: "third" in results(receiver.spans))
        running.send(signal.SIGTERM)
        assert running.wait() == 0, running.stderr


def test_uvicorn_that_reloads(launcher: Launcher, receiver: OtlpReceiver) -> None:
    port = free_port()
    launcher.write("served.py", WORK, ASGI.format(version=1))
    command = [sys.executable, "-m", "uvicorn", "--reload", "--port", str(port), "served:app"]
    with PodProcess() as pod:
        variables = {"AOTEL_ENVELOPES": "pod", "ENVPOD_SOCKET": pod.queue, "AOTEL_FLUSH": "off"}
        with launcher.command(command, **variables) as running:
            wait_until(lambda: get(port, "a") == "1/a")
            reload(launcher, running, port)
            running.send(signal.SIGTERM)
            assert running.wait() in {0, -signal.SIGTERM}, running.stderr
            assert "aotel" not in running.stderr.replace(str(launcher.directory), "")
        found = results(receiver.spans)
        assert set(found) == {"1/a", "2/a", "stopped 1", "stopped 2"}
        assert [found.count("stopped 1"), found.count("stopped 2")] == [1, 1]
        assert len(pod.envelopes()) == 2 * len(found)


def reload(launcher: Launcher, running: Running, port: int) -> None:
    """Change the program; return when the changed one serves."""
    time.sleep(1.1)  # what reloads looks at times of files, which may be whole seconds
    launcher.write("served.py", WORK, ASGI.format(version=2))
    wait_until(lambda: get(port, "a") == "2/a", timeout=30, what=f"reload\n{running.stderr}")
