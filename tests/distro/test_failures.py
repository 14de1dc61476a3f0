"""Every way in which a backend fails, over both protocols: none is lost within bounds, and one message tells of it."""

from __future__ import annotations

import logging
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, NamedTuple

import pytest
import trustme
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from aotel import settings
from aotel.distro.backends import add_backend_exporters
from tests.export.records import said
from tests.servers import OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Receiver = OtlpReceiver | OtlpHttpReceiver


class Backend(NamedTuple):
    """A named backend that speaks a protocol, and how that protocol says what is wrong.

    Args:
        name: of the backend.
        title: as messages call it.
        keys: what a message about its key names.
        receiver: makes what stands in its place.
        environment: says where it is.
        unavailable: its status for a server that is down for a moment.
        limited: the status for too many requests.
        denied: the statuses for a key that is none.
    """

    name: str
    title: str
    keys: str
    receiver: type[Receiver]
    environment: Callable[[str], dict[str, str]]
    unavailable: str | int
    limited: str | int
    denied: tuple[str | int, str | int]


def _phoenix(endpoint: str) -> dict[str, str]:
    scheme, _, place = endpoint.partition("://")
    host, _, port = place.rpartition(":")
    return {"PHOENIX_COLLECTOR_ENDPOINT": f"{scheme}://{host}:6006", "PHOENIX_GRPC_PORT": port}


def _arize(endpoint: str) -> dict[str, str]:
    return {"ARIZE_COLLECTOR_ENDPOINT": endpoint, "ARIZE_SPACE_ID": "space", "ARIZE_API_KEY": "key"}


def _langfuse(endpoint: str) -> dict[str, str]:
    return {"LANGFUSE_BASE_URL": endpoint, "LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"}


PHOENIX = Backend(
    "phoenix",
    "Phoenix",
    "PHOENIX_API_KEY",
    OtlpReceiver,
    _phoenix,
    "UNAVAILABLE",
    "RESOURCE_EXHAUSTED",
    ("UNAUTHENTICATED", "PERMISSION_DENIED"),
)
ARIZE = PHOENIX._replace(name="arize", title="Arize", keys="ARIZE_SPACE_ID and ARIZE_API_KEY", environment=_arize)
LANGFUSE = Backend(
    "langfuse",
    "Langfuse",
    "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY",
    OtlpHttpReceiver,
    _langfuse,
    503,
    429,
    (401, 403),
)
either = pytest.mark.parametrize("backend", [PHOENIX, LANGFUSE], ids=["grpc", "http"])


class Program:
    """A provider whose spans go to one backend."""

    def __init__(self, backend: Backend, endpoint: str, resource: dict[str, str]) -> None:
        self._provider = TracerProvider(resource=Resource(resource), shutdown_on_exit=False)
        environment = {"AOTEL_BACKEND": backend.name, **backend.environment(endpoint)}
        add_backend_exporters(self._provider, settings.load(environment), 5.0)
        self._tracer = self._provider.get_tracer("test")
        self.made: list[str] = []

    def work(self, spans: int, content: str = "") -> None:
        """Make spans."""
        for _ in range(spans):
            name = f"span {len(self.made)}"
            self.made.append(name)
            self._tracer.start_span(name, attributes={"input.value": content}).end()

    def flush(self, seconds: float) -> bool:
        """Have everything sent; return whether it was."""
        return self._provider.force_flush(int(seconds * 1000))

    def end(self) -> None:
        """End as programs do."""
        self._provider.shutdown()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Program]]:
    """Start programs that send often, with exporters that give up after half a second."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
    started: list[Program] = []

    def _start(backend: Backend, endpoint: str, **resource: str) -> Program:
        started.append(Program(backend, endpoint, resource))
        return started[-1]

    yield _start
    for program in started:
        program.end()


def names(receiver: Receiver) -> list[str]:
    return [span.name for span in receiver.spans]


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


@either
def test_an_outage_longer_than_all_retries_loses_nothing(
    backend: Backend, start: Callable[..., Program], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="aotel")
    with backend.receiver() as receiver:
        receiver.failing = backend.unavailable
        program = start(backend, receiver.endpoint)
        for attempts in (1, 2, 3):
            program.work(50)
            receiver.wait_for_requests(attempts)
        wait_until(lambda: said(caplog))
        program.work(50)
        receiver.failing = None
        # Nothing new is needed for what waits to be sent.
        receiver.wait_for_spans(200, timeout=30)
        assert names(receiver) == program.made
        wait_until(lambda: len(said(caplog, logging.INFO)) == 2)
    first, second = said(caplog, logging.INFO)
    assert f"{backend.title} (http://127.0.0.1:" in first
    assert "the latest 2048" in first
    assert second.endswith("works again")


@either
def test_what_does_not_fit_is_counted_and_the_latest_is_kept(
    backend: Backend,
    start: Callable[..., Program],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    with backend.receiver() as receiver:
        receiver.failing = backend.unavailable
        program = start(backend, receiver.endpoint)
        program.work(1)
        wait_until(lambda: said(caplog))
        for _ in range(30):
            program.work(10)
            assert not program.flush(0.01)
        receiver.failing = None
        assert program.flush(30)
        assert names(receiver) == program.made[-100:]
        assert max(len(each) for each in _by_request(receiver)) <= 10
        wait_until(lambda: len(said(caplog)) == 2)
    assert said(caplog)[1].endswith("works again; 201 were lost meanwhile")


def _by_request(receiver: Receiver) -> list[list[str]]:
    """Return the names in each request, by the bytes of it; all requests here have as many."""
    each = len(receiver.spans) // max(len(receiver.sizes), 1)
    found = names(receiver)
    return [found[start : start + each] for start in range(0, len(found), max(each, 1))]


@either
@pytest.mark.parametrize("which", [0, 1], ids=["unauthenticated", "forbidden"])
def test_a_key_that_is_none_is_one_message_that_says_which(
    backend: Backend, which: int, start: Callable[..., Program], caplog: pytest.LogCaptureFixture
) -> None:
    with backend.receiver() as receiver:
        receiver.failing = backend.denied[which]
        program = start(backend, receiver.endpoint)
        for attempts in (1, 2):
            program.work(20)
            receiver.wait_for_requests(attempts)
        receiver.failing = None  # somebody let it in
        receiver.wait_for_spans(40, timeout=30)
        assert names(receiver) == program.made
    (message,) = said(caplog)
    assert f"{backend.title} (http://127.0.0.1:" in message
    assert f"it doesn't accept the key: check {backend.keys}; " in message


@either
def test_a_wait_that_is_asked_for_is_kept(
    backend: Backend, start: Callable[..., Program], caplog: pytest.LogCaptureFixture
) -> None:
    """It is longer than the stock exporter's patience and than our own first wait."""
    with backend.receiver(retry_after=3, statuses=[backend.limited]) as receiver:  # type: ignore[list-item]
        program = start(backend, receiver.endpoint)
        program.work(20)
        receiver.wait_for_requests(1)
        program.work(20)
        program.flush(0.5)
        receiver.wait_for_spans(40, timeout=30)
        assert names(receiver) == program.made
        first, second = receiver.times[:2]
        assert second - first > 2.9
    assert len(said(caplog)) == 1


def test_a_wait_until_a_date_is_kept(start: Callable[..., Program]) -> None:
    with OtlpHttpReceiver(statuses=[429]) as receiver:
        until = int(time.time()) + 4
        receiver.retry_after = formatdate(until, usegmt=True)
        program = start(LANGFUSE, receiver.endpoint)
        program.work(20)
        receiver.wait_for_spans(20, timeout=30)
        assert time.time() >= until
        assert names(receiver) == program.made
        assert receiver.requests == 2


def test_a_short_wait_at_the_end_of_a_program_is_kept_too(start: Callable[..., Program]) -> None:
    with OtlpHttpReceiver(statuses=[503], retry_after=1) as receiver:
        program = start(LANGFUSE, receiver.endpoint)
        program.work(20)
        program.end()
        assert names(receiver) == program.made
        first, second = receiver.times
        assert second - first > 0.9


@either
def test_requests_larger_than_the_receiver_takes_are_split(
    backend: Backend, start: Callable[..., Program], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver of 4 MiB, as gRPC's servers are, and a resource that takes a fourth of that in each request."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "10")
    with backend.receiver(limit=4 << 20) as receiver:
        program = start(backend, receiver.endpoint, prompts="p" * 1_000_000)
        program.work(12, "c" * 280_000)  # 3.36 MB, one request by our own bound
        receiver.wait_for_spans(12, timeout=30)
        program.work(1, "huge" * 830_000)
        program.work(5)
        program.work(1, "huge" * 830_000)
        program.work(12, "c" * 280_000)
        assert program.flush(20)
        lost = [program.made[12], program.made[18]]
        assert sorted(names(receiver)) == sorted(set(program.made) - set(lost))
        assert max(receiver.sizes) <= 4 << 20
    (message,) = said(caplog)
    assert f"the span {lost[0]!r} is too large, with 3320" in message
    assert f"{backend.title} (http" in message


@either
def test_a_port_that_nobody_listens_at_is_one_message(
    backend: Backend, start: Callable[..., Program], caplog: pytest.LogCaptureFixture
) -> None:
    program = start(backend, "http://127.0.0.1:9")
    for _ in range(5):
        program.work(50)
        program.flush(1)
    program.end()
    (message,) = said(caplog)
    assert f"{backend.title} (http://127.0.0.1:9" in message


@either
def test_a_name_that_is_nowhere_is_one_message(
    backend: Backend, start: Callable[..., Program], caplog: pytest.LogCaptureFixture
) -> None:
    program = start(backend, "http://nowhere.invalid:4000")
    for _ in range(3):
        program.work(50)
        program.flush(2)
    wait_until(lambda: said(caplog))
    program.end()
    (message,) = said(caplog)
    assert f"{backend.title} (http://nowhere.invalid:4000" in message


@pytest.mark.parametrize("backend", [ARIZE, LANGFUSE], ids=["grpc", "http"])
def test_a_certificate_that_nobody_vouches_for_is_one_message(
    backend: Backend, start: Callable[..., Program], caplog: pytest.LogCaptureFixture
) -> None:
    with backend.receiver(certificate=trustme.CA().issue_cert("127.0.0.1")) as receiver:
        endpoint = f"https://127.0.0.1:{receiver.port}"
        program = start(backend, endpoint)
        for _ in range(3):
            program.work(50)
            program.flush(1)
        wait_until(lambda: said(caplog))
        program.end()
        assert receiver.spans == []
    (message,) = said(caplog)
    assert f"{backend.title} ({endpoint}" in message
    assert "certificate" in message.lower()


@either
def test_a_receiver_that_holds_requests_holds_nobody_up(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is done before the first request is: it waits for none."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    with backend.receiver() as receiver:
        receiver.gate.clear()
        program = Program(backend, receiver.endpoint, {})
        program.work(1)
        receiver.wait_for_requests(1)
        done = threading.Event()

        def run() -> None:
            program.work(1500)
            done.set()

        threading.Thread(target=run, daemon=True).start()
        assert done.wait(30)
        assert (receiver.requests, receiver.spans) == (1, [])
        receiver.gate.set()
        receiver.wait_for_spans(1501, timeout=30)
        assert names(receiver) == program.made
        program.end()
