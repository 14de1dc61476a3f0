"""envpod-coat 0.1: its decorator with a transport that drops, and on the pod socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import envpod_coat
from envpod_coat import core
from workload import lookup, main

if TYPE_CHECKING:
    from collections.abc import Callable


class NullTransport:
    """Takes envelopes and does nothing with them."""

    def send(self, envelope: dict[str, Any]) -> None:
        """Drop an envelope."""


def dropped() -> tuple[Callable[..., Any], Callable[[], Any]]:
    """Set up with a transport that does nothing."""
    core._transport = NullTransport()  # noqa: SLF001 - it has no public way
    return envpod_coat.coat("tool", lookup), lambda: None


def socket() -> tuple[Callable[..., Any], Callable[[], Any]]:
    """Set up delivery to the pod socket that the environment names."""
    return envpod_coat.coat("tool", lookup), lambda: None


if __name__ == "__main__":
    main({"envpod-coat, null": dropped, "envpod-coat, pod socket": socket})
