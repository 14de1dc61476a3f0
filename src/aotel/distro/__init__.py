"""The composition root: wires the rooms together by settings, in code or under `opentelemetry-instrument`."""

from aotel.distro.configuration import autostart, configure, recording_to
from aotel.distro.handle import Handle
from aotel.distro.hooks import pre_instrument
from aotel.distro.report import Status, flush, shutdown, status

__all__ = [
    "Handle",
    "Status",
    "autostart",
    "configure",
    "flush",
    "pre_instrument",
    "recording_to",
    "shutdown",
    "status",
]
