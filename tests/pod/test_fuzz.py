"""Whatever comes in over the sockets, the others are served meanwhile, and the pod's memory stays within bounds."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pod.pod_process import Client, PodProcess, ask, batch, envelope

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
HELLO = {"type": "hello"}
LINE = 1 * MIB  # bytes of the longest line

AGENTS = """
[[agents]]
id = "reviewer"

[[actions]]
name = "send_mail"
params = [{ name = "to", required = true }]
"""


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodProcess]:
    config = tmp_path_factory.mktemp("config") / "pod.toml"
    config.write_text(AGENTS)
    with PodProcess(None, "--config", str(config)) as made:
        yield made
        assert made.stop() == 0, made.said()
        assert "Traceback" not in made.said()


class Others:
    """A client that goes on all the time beside the test, and how long it had to wait for its answers."""

    def __init__(self, pod: PodProcess, *, longest: float = 5.0) -> None:
        self._pod = pod
        self._longest = longest
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.waits: list[float] = []
        self.failure: Exception | None = None

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self._over.set()
        self._thread.join(20)
        if kind is None:
            assert self.failure is None, self.failure
            assert self.waits, "nobody else was served"
            assert max(self.waits) < self._longest

    def _run(self) -> None:
        number = 0
        producer = f"p_{uuid.uuid4().hex[:16]}"
        try:
            while not self._over.is_set():
                began = time.monotonic()
                (reply,) = ask(self._pod.queue, batch([envelope(producer, number)]))
                self.waits.append(time.monotonic() - began)
                assert reply["accepted"] == 1, reply
                number += 1
                self._over.wait(0.01)
        except Exception as error:  # noqa: BLE001 - it is raised in the test's thread
            self.failure = error


def is_served(client: Client) -> bool:
    """Say whether the next reply of a connection is the one to its next request."""
    return client.ask(HELLO)["status"] == "ok"


@contextlib.contextmanager
def bounded(pod: PodProcess, mebibytes: int) -> Iterator[None]:
    """Assert that the pod's memory never grows by more than this in between."""
    before = pod.memory()
    highest = before
    over = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not over.wait(0.01):
            highest = max(highest, pod.memory())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    grown = (highest - before) / MIB
    assert grown < mebibytes, f"{grown:.0f} MiB more"


SOCKETS = ("queue", "identity", "control")
NESTED = b"[" * 100_000
GARBAGE = {
    "nothing": b"",
    "space": b"   \t ",
    "no JSON": b"GET / HTTP/1.1",
    "bytes": bytes(range(1, 10)) + bytes(range(11, 256)),
    "zeros": b"\0" * 1000,
    "no object": b'["hello"]',
    "no type": b'{"a":1}',
    "type of a wrong type": b'{"type":7}',
    "unknown type": b'{"type":"shutdown"}',
    "two types": b'{"type":"shutdown","type":"halt"}',
    "half": b'{"type":"hel',
    "two in a line": b'{"type":"shutdown"}{"type":"halt"}',
    "no envelope": b'{"type":"agent_coat"}',
    "an envelope that is none": b'{"type":"agent_coat","envelope":[1,2]}',
    "null for an envelope": b'{"type":"agent_coat","envelope":null}',
    "no list": b'{"type":"agent_coat_batch","envelopes":{}}',
    "nested": NESTED,
    "nested in an envelope": b'{"type":"agent_coat","envelope":{"a":' + NESTED + b"]" * 100_000 + b"}}",
    "nested objects": b'{"type":"call","action":"send_mail","params":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_002,
    "nested to no end": b'{"type":"activity","events":' + NESTED,
    "invalid UTF-8": b'{"type":"submit","description":"\xff\xfe"}',
    "half a character": b'{"type":"submit","description":"\xc3"}',
    "invalid UTF-8 in an envelope": b'{"type":"agent_coat","envelope":{"kind":"\xed\xa0\x80"}}',
    "a huge number": b'{"type":"claim","agent":"reviewer","ttl_secs":1' + b"0" * 5000 + b"}",
    "no number": b'{"type":"claim","agent":"reviewer","ttl_secs":NaN}',
    "no such agent": b'{"type":"claim","agent":"' + b"x" * 1000 + b'"}',
    "no such claim": b'{"type":"release","claim_id":"claim_0123456789abcdef"}',
    "no such action": b'{"type":"call","action":"format_disk"}',
    "wrong parameters": b'{"type":"call","action":"send_mail","params":{"to":1}}',
    "no such id": b'{"type":"poll","id":"00000000-0000-0000-0000-000000000000"}',
    "an event of a wrong kind": b'{"type":"activity","events":[{"action":"claim"}]}',
}


@pytest.mark.parametrize("where", SOCKETS)
@pytest.mark.parametrize("what", GARBAGE)
def test_a_bad_line_gets_exactly_one_error(pod: PodProcess, where: str, what: str) -> None:
    with Client(getattr(pod, where)) as client:
        client.send(GARBAGE[what] + b"\n")
        reply = client.receive()
        assert reply["status"] in ({"error", "rate_limited"} if b'"call"' in GARBAGE[what] else {"error"})
        assert reply["message"]
        assert len(json.dumps(reply)) < 4096
        assert client.is_quiet(0.05)
        if where != "control":
            assert client.ask(HELLO if where == "queue" else {"type": "whoami"})["status"] == "ok"


def test_many_bad_lines_get_as_many_errors_in_order(pod: PodProcess) -> None:
    lines = [line for line in GARBAGE.values() if len(line) < 10_000 and b'"call"' not in line] * 20
    with Others(pod), Client(pod.queue) as client:
        for line in lines:
            client.send(line + b"\n")
            client.send(b'{"type":"poll","id":"%d"}\n' % len(line))
        for line in lines:
            assert client.receive()["status"] == "error"
            assert repr(str(len(line))) in str(client.receive()["message"])
        assert is_served(client)


def test_bad_lines_are_in_the_log_and_do_not_flood_it() -> None:
    with PodProcess() as pod:
        with Client(pod.queue) as client:
            for _ in range(30):
                client.send(b"bad\n" * 100)
                for _ in range(100):
                    assert client.receive()["status"] == "error"
        assert pod.stop() == 0
        entries = [json.loads(str(entry["detail"])) for entry in pod.entries("bad_request")]
    assert sum(int(entry.get("count", 1)) for entry in entries) == 3000
    assert len(entries) < 20
    assert {entry["pid"] for entry in entries} == {os.getpid()}


def test_random_bytes(pod: PodProcess) -> None:
    data = os.urandom(5 * MIB)
    replies = data.count(b"\n") + (not data.endswith(b"\n"))
    with Others(pod), Client(pod.queue) as client:
        sender = threading.Thread(target=_send_all, args=(client, data), daemon=True)
        sender.start()
        found = 0
        with contextlib.suppress(ConnectionResetError):
            while True:
                assert client.receive()["status"] == "error"
                found += 1
        sender.join()
    assert found == replies


def _send_all(client: Client, data: bytes) -> None:
    client.send(data)
    client.socket.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("where", SOCKETS)
def test_a_line_of_100_megabytes_gets_one_error_and_costs_no_memory(pod: PodProcess, where: str) -> None:
    chunk = b"x" * MIB
    with bounded(pod, 24), Others(pod), Client(getattr(pod, where)) as client:
        client.send(b'{"type":"agent_coat","envelope":{"a":"')
        for _ in range(100):
            client.send(chunk)
        client.send(b'"}}\n')
        reply = client.receive()
        assert reply["status"] == "error"
        assert f"longer than {LINE} bytes" in str(reply["message"])
        assert client.is_quiet(0.1)
        client.send(b"{}\n")
        assert "longer" not in str(client.receive()["message"])


def test_the_longest_line_is_taken(pod: PodProcess) -> None:
    def line(size: int, number: int) -> bytes:
        start = json.dumps({"type": "agent_coat", "envelope": envelope("p_longest", number, x="")})[:-3].encode()
        return start + b"x" * (size - len(start) - 4) + b'"}}\n'

    with Client(pod.queue) as client:
        client.send(line(LINE, 0))
        assert client.receive()["status"] == "ok"
        client.send(line(LINE + 1, 1))
        assert client.receive()["status"] == "error"
        client.send(line(LINE, 2))
        assert client.receive()["status"] == "ok"


@pytest.mark.parametrize("half", [b"{", b'{"type":"hello"', b"\xc3", b"x" * 1000])
def test_half_a_line_at_the_end_gets_its_error(pod: PodProcess, half: bytes) -> None:
    with Client(pod.queue) as client:
        client.send(half)
        client.socket.shutdown(socket.SHUT_WR)
        assert client.receive()["status"] == "error"
        with pytest.raises(ConnectionResetError):
            client.receive()


def test_a_line_in_single_bytes_is_understood_and_holds_up_nobody(pod: PodProcess) -> None:
    line = json.dumps({"type": "agent_coat", "envelope": envelope("p_slow", 0)}).encode() + b"\n"
    with Others(pod, longest=2.0), Client(pod.queue) as client:
        for byte in line:
            client.send(bytes([byte]))
            time.sleep(0.001)
        assert client.receive()["status"] == "ok"


def test_lines_that_never_end_are_bounded_all_together(pod: PodProcess) -> None:
    part = b"x" * (900 * 1024)
    with bounded(pod, 120), Others(pod), contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(pod.queue)) for _ in range(200)]
        for client in clients:
            client.send(part)
        given_up = [client for client in clients if not client.is_quiet(0.0)]
        assert len(given_up) > 100
        for client in given_up:
            assert client.receive()["status"] == "rate_limited"
            client.send(b"\n")
            assert is_served(client)


def test_long_names_are_not_kept(pod: PodProcess) -> None:
    """What tells an envelope from others may be as long as a line, and many are remembered."""
    with bounded(pod, 48), Others(pod), Client(pod.queue) as client:
        for number in range(300):
            producer = f"p_{number}_" + "x" * (900 * 1024)
            assert client.ask(batch([envelope(producer, 0)]))["accepted"] == 1
            assert client.ask(batch([envelope(producer, 0)]))["duplicates"] == 1


def test_long_subjects_are_not_kept(pod: PodProcess) -> None:
    with bounded(pod, 48), Others(pod), Client(pod.queue) as client:
        for number in range(200):
            subject = {"framework": f"{number}" + "x" * (900 * 1024)}
            assert client.ask(batch([envelope("p_subjects", number, subject=subject)]))["accepted"] == 1


def test_a_restart_over_a_large_log_takes_no_more_memory() -> None:
    with PodProcess() as pod:
        before = pod.memory()
        with Client(pod.queue) as client:
            for start in range(0, 12_000, 40):
                client.ask(batch(envelope("p_large", start + number, pad="x" * 20_000) for number in range(40)))
        pod.kill()
        pod.start()
        assert pod.peak() - before < 100 * MIB
        assert ask(pod.queue, batch([envelope("p_large", 0), envelope("p_large", 11_999)]))[0]["duplicates"] == 2


def test_who_does_not_read_its_replies_is_not_read_either(pod: PodProcess) -> None:
    lines = b"no request\n" * 2_000_000
    with bounded(pod, 24), Others(pod), Client(pod.queue, timeout=1.0) as client:
        with pytest.raises(TimeoutError):
            client.send(lines)
        client.socket.settimeout(20)
        for _ in range(1000):
            assert client.receive()["status"] == "error"


def test_a_thousand_idle_connections(pod: PodProcess) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 1200
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip("this system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    try:
        with bounded(pod, 24), Others(pod), contextlib.ExitStack() as stack:
            idle = [stack.enter_context(Client(pod.queue)) for _ in range(1000)]
            assert is_served(idle[0])
            assert is_served(idle[999])
            (status,) = ask(pod.control, {"type": "status"})
            assert int(str(status["open_connections"])) > 1000
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    deadline = time.monotonic() + 10
    while int(str(ask(pod.control, {"type": "status"})[0]["open_connections"])) > 10:
        assert time.monotonic() < deadline, "connections are left behind"
        time.sleep(0.05)


def test_connections_that_come_and_go(pod: PodProcess) -> None:
    with bounded(pod, 24), Others(pod):
        for number in range(2000):
            with Client(pod.queue) as client:
                if number % 3:
                    client.send(b'{"type":"hello"}\n'[: number % 20])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_TYPES = st.sampled_from(
    [
        *("hello", "agent_coat", "agent_coat_batch", "activity", "list_actions", "call", "submit", "poll"),
        *("claim", "release", "whoami", "queue_list", "queue_decide", "status"),
    ]
)
_FIELDS = st.sampled_from(
    [
        *("envelope", "envelopes", "events", "action", "params", "description", "tier", "id"),
        *("agent", "ttl_secs", "claim_id", "decision"),
    ]
)
_EVENT = st.dictionaries(
    st.sampled_from(["action", "ts", "pid", "trace_id", "path", "host", "port", "count", "source", "peer"]), _JSON
)
_ENVELOPE = st.dictionaries(
    st.sampled_from(["producer", "seq", "ids", "subject", "envpod", "kind", "payload", "\ud800"]), _JSON, max_size=6
)
_VALUES = _JSON | _ENVELOPE | st.lists(_ENVELOPE, max_size=3) | st.lists(_EVENT, max_size=3)
_REQUESTS = st.builds(
    lambda kind, fields: {**fields, "type": kind}, _TYPES, st.dictionaries(_FIELDS, _VALUES, max_size=4)
)


@pytest.mark.parametrize("where", SOCKETS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(_REQUESTS | _JSON, min_size=1, max_size=8), ascii_only=st.booleans())
def test_any_request_gets_exactly_one_reply(
    pod: PodProcess, where: str, requests: list[object], ascii_only: bool
) -> None:
    lines = [
        json.dumps(request, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass").replace(b"\n", b"")
        for request in requests
    ]
    with Client(getattr(pod, where)) as client:
        client.send(b"\n".join(lines) + b"\n" + b'{"type":"poll","id":"last"}\n')
        for _ in lines:
            assert client.receive()["status"] in {
                *("ok", "error", "rate_limited"),
                *("queued", "approved", "executed", "cancelled", "blocked"),
            }
        assert client.receive()["status"] == "error"
        assert client.is_quiet(0.0)


def test_what_came_in_is_a_log_that_verifies(pod: PodProcess) -> None:
    from aotel.audit import verify

    (reply,) = ask(pod.queue, batch([envelope("p_last", 0)]))
    assert reply["accepted"] == 1
    assert verify(pod.directory).ok
