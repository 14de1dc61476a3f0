from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sensor.conftest import Watched
    from tests.sensor.receiver import Receiver

SERVER = """
import asyncio, socket, threading
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
print(port)
"""


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_a_connection_is_told_with_host_port_and_span(watched: Watched, pod: Receiver) -> None:
    port = watched(
        SERVER
        + """
with tracer.start_as_current_span("operation") as span:
    for host in ("127.0.0.1", b"127.0.0.1", bytearray(b"127.0.0.1")):
        client = socket.socket()
        client.connect((host, port))
        client.close()
    client = socket.socket()
    client.connect_ex(("127.0.0.1", port))
    client.close()
print(format(span.get_span_context().span_id, "016x"))
server.close()
""",
        spans=True,
    ).stdout.split()
    (event,) = pod.of("net_connect")
    assert (event["host"], event["port"], event["count"]) == ("127.0.0.1", int(port[0]), 4)
    assert event["span_id"] == f"sp_{port[1]}"
    assert not pod.of("dns_query")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6_is_a_connection_too(watched: Watched, pod: Receiver) -> None:
    watched("""
        import socket
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
        client = socket.create_connection(("::1", server.getsockname()[1]))
        client.close()
        server.close()
    """)
    (event,) = pod.of("net_connect")
    assert event["host"] == "::1"


def test_unix_sockets_are_left_out_and_datagrams_are_not(watched: Watched, pod: Receiver) -> None:
    watched("""
        import os, socket
        server = socket.socket(socket.AF_UNIX)
        server.bind("local.sock")
        server.listen()
        client = socket.socket(socket.AF_UNIX)
        client.connect("local.sock")
        client.close()
        server.close()
        a, b = socket.socketpair()
        a.close(), b.close()
        udp = socket.socket(type=socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        udp.sendto(b"x", ("127.0.0.1", udp.getsockname()[1]))
        udp.sendmsg([b"x"], [], 0, ("127.0.0.1", udp.getsockname()[1]))
        udp.connect(("127.0.0.1", udp.getsockname()[1]))
        udp.sendmsg([b"x"])
        udp.close()
    """)
    (event,) = pod.events
    assert (event["action"], event["host"], event["count"]) == ("net_connect", "127.0.0.1", 3)


def test_a_look_up_is_told_and_names_the_address_that_it_led_to(watched: Watched, pod: Receiver) -> None:
    watched(
        SERVER
        + """
socket.create_connection(("localhost", port)).close()
socket.gethostbyname("localhost")
socket.getaddrinfo("127.0.0.1", port)
socket.gethostbyname("127.0.0.1")
socket.getaddrinfo(None, port)
server.close()
"""
    )
    (query,) = pod.of("dns_query")
    assert (query["host"], query["count"]) == ("localhost", 2)
    (event,) = pod.of("net_connect", address="127.0.0.1")
    assert event["host"] == "localhost"


def test_an_address_that_several_names_led_to_has_none(watched: Watched, pod: Receiver) -> None:
    watched(
        SERVER
        + """
from aotel.sensor import _current
import pickle
_current.watch._lookups.note("one.example", [(2, 1, 6, "", ("127.0.0.1", port))])
_current.watch._lookups.note("two.example", ("two.example", [], ["127.0.0.1"]))
socket.create_connection(("127.0.0.1", port)).close()
assert pickle.loads(pickle.dumps(socket.gethostbyname)) is socket.gethostbyname
sensor.stop()
assert "built-in" in repr(socket.gethostbyname)
server.close()
"""
    )
    (event,) = pod.of("net_connect")
    assert event["host"] == "127.0.0.1"
    assert "address" not in event


LOOK_UP = """
import asyncio, socket
async def main():
    with tracer.start_as_current_span("operation"):
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
        await reader.read()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
asyncio.run(main())
"""


def test_a_look_up_of_asyncio_has_no_span_and_the_connection_has(watched: Watched, pod: Receiver) -> None:
    watched(LOOK_UP, spans=True)
    (query,) = pod.of("dns_query", host="localhost")
    assert "span_id" not in query
    assert all("span_id" in event for event in pod.of("net_connect", address="127.0.0.1"))
    assert pod.of("net_connect", address="127.0.0.1")


def test_a_look_up_of_asyncio_has_a_span_where_threads_keep_their_context(watched: Watched, pod: Receiver) -> None:
    instrument = """
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
ThreadingInstrumentor().instrument()
"""
    watched(instrument + LOOK_UP, spans=True)
    (query,) = pod.of("dns_query", host="localhost")
    assert "span_id" in query
