"""The local pod: receives envelopes on a socket, says whose they are, and keeps the audit log.

`claim` is for programs that run under a pod and needs nothing more; the pod itself needs the extra `cli`. So each
name is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aotel.pod.client import Claimed, claim
    from aotel.pod.config import PodConfig
    from aotel.pod.embedded import EmbeddedPod
    from aotel.pod.errors import ClaimError, ClaimRefusedError, NoPodError, PodError
    from aotel.pod.options import PodOptions
    from aotel.pod.server import Pod

__all__ = [
    "ClaimError",
    "ClaimRefusedError",
    "Claimed",
    "EmbeddedPod",
    "NoPodError",
    "Pod",
    "PodConfig",
    "PodError",
    "PodOptions",
    "claim",
]

_HOMES = {
    "ClaimError": "errors",
    "ClaimRefusedError": "errors",
    "Claimed": "client",
    "EmbeddedPod": "embedded",
    "NoPodError": "errors",
    "Pod": "server",
    "PodConfig": "config",
    "PodError": "errors",
    "PodOptions": "options",
    "claim": "client",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"aotel.pod.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
