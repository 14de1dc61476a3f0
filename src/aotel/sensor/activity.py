"""The audit hook: sees what Python itself opens, connects to and starts, in any thread, and is never in the way."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from aotel.content import active
from aotel.sensor.policy import pythons
from aotel.sensor.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import TypeAlias

    from aotel.sensor.policy import Policy

    _Handler: TypeAlias = Callable[[tuple[Any, ...]], None]

_ARGUMENTS: Final = 20  # of a command
_LONGEST: Final = 1000  # characters of a path or an argument
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_INTERNET: Final = 2  # parts that an address has at least: host and port

_own = threading.local()


class _Sensor:
    """What is seen in this process; the hook stays for good, so it asks this each time."""

    def __init__(self) -> None:
        self.handlers: dict[str, _Handler] = {}
        self.telling: Telling | None = None
        self.policy: Policy | None = None
        self.passed_over: tuple[str, ...] = ()
        self.hooked = False


_SENSOR = _Sensor()


def start(what: Collection[str], socket_path: str, *, policy: Policy | None = None) -> None:
    """Tell the pod, from now on, what this process does; a second call changes what and how.

    Args:
        what: some of "files", "network", "processes".
        socket_path: the pod's queue socket.
        policy: what is allowed; what is not is told of, and blocked if it says so.
    """
    kinds: dict[str, dict[str, _Handler]] = {
        "files": {"open": _opened},
        "network": {"socket.connect": _connected, "socket.getaddrinfo": _looked_up},
        "processes": {"subprocess.Popen": _started},
    }
    handlers: dict[str, _Handler] = {name: handler for kind in what for name, handler in kinds.get(kind, {}).items()}
    _SENSOR.policy = policy
    _SENSOR.passed_over = (*pythons(), os.path.realpath(f"{__file__}/../.."), os.path.realpath(f"{socket_path}/.."))
    if _SENSOR.telling is None:
        _SENSOR.telling = Telling(socket_path, _own)
    _SENSOR.handlers = handlers
    if not _SENSOR.hooked:
        _SENSOR.hooked = True
        sys.addaudithook(_hook)


def stop() -> None:
    """Tell nothing any more; what was seen is delivered."""
    _SENSOR.handlers = {}
    telling, _SENSOR.telling = _SENSOR.telling, None
    if telling is not None:
        telling.close()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    handler = _SENSOR.handlers.get(event)
    if handler is None or getattr(_own, "busy", False):
        return
    _own.busy = True
    try:
        handler(arguments)
    except PermissionError:
        raise  # ours: what the policy blocks
    except BaseException:  # noqa: BLE001 - what is watched goes on, whatever becomes of the watching
        return
    finally:
        _own.busy = False


def _opened(arguments: tuple[Any, ...]) -> None:
    path, mode, flags = arguments
    if type(path) is bytes:
        path = os.fsdecode(path)
    if type(path) is not str:
        return  # a descriptor, or something whose code we don't run
    writes = any(letter in mode for letter in "wxa+") if type(mode) is str else bool(flags and flags & _WRITING)
    full = os.path.abspath(path)  # noqa: PTH100 - links are followed where it matters
    policy = _SENSOR.policy
    allowed = policy is None or policy.allows_path(full, writes=writes)
    if allowed and full.startswith(_SENSOR.passed_over):
        return
    _tell("file_open", path=_shown(full), mode="write" if writes else "read")
    if not allowed:
        _violated("path", full)


def _connected(arguments: tuple[Any, ...]) -> None:
    address = arguments[1]
    if type(address) is not tuple or len(address) < _INTERNET or type(address[0]) is not str:
        return  # no address of the internet
    host, port = address[0], address[1]
    _tell("net_connect", host=_shown(host), port=port)
    if _SENSOR.policy is not None and not _SENSOR.policy.allows_host(host, port):
        _violated("host", f"{host}:{port}")


def _looked_up(arguments: tuple[Any, ...]) -> None:
    host, port = arguments[0], arguments[1]
    if type(host) is bytes:
        host = host.decode("ascii", "replace")
    if type(host) is not str:
        return
    _tell("dns_query", host=_shown(host))
    if _SENSOR.policy is not None and not _SENSOR.policy.allows_host(host, port if type(port) is int else None):
        _violated("host", host)


def _started(arguments: tuple[Any, ...]) -> None:
    executable, command = arguments[0], arguments[1]
    given = command if isinstance(command, (list, tuple)) else [command]
    words = [os.fsdecode(each) for each in (given or [executable])[:_ARGUMENTS] if isinstance(each, (str, bytes))]
    _tell("process_start", command=[_shown(word) for word in words], ppid=os.getpid())


def _violated(kind: str, value: str) -> None:
    enforce = _SENSOR.policy is not None and _SENSOR.policy.enforce
    decision = "blocked" if enforce else "would block"
    _tell("policy_violation", kind=kind, value=_shown(value), decision=decision, rule=f"allow_{kind}s")
    if enforce:
        option = "--allow-host" if kind == "host" else "--allow-path"
        raise PermissionError(f"aotel: the policy of this run does not allow the {kind} {value!r} ({option} would)")


def _shown(text: str) -> str:
    """Return a text as it may leave the process."""
    return active().redactor.text(text[:_LONGEST])


def _tell(action: str, **facts: object) -> None:
    telling = _SENSOR.telling
    if telling is None:
        return
    context = trace.get_current_span().get_span_context()
    ids: dict[str, str] = {}
    if context.is_valid:
        ids = {"trace_id": f"tr_{context.trace_id:032x}", "span_id": f"sp_{context.span_id:016x}"}
    telling.put({"action": action, "pid": os.getpid(), **ids, **facts}, time.time_ns())
