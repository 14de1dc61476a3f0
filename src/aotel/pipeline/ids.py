"""Trace and span ids from a generator of one's own: a program's `random.seed()` must not repeat them."""

from __future__ import annotations

import os
import random
import weakref

from opentelemetry.sdk.trace.id_generator import IdGenerator


class PrivateIdGenerator(IdGenerator):
    """Random ids from a generator seeded by the operating system, and seeded anew in a forked child."""

    def __init__(self) -> None:
        self._seed()
        if hasattr(os, "register_at_fork"):
            seed = weakref.WeakMethod(self._seed)
            os.register_at_fork(after_in_child=lambda: (found := seed()) and found())

    def _seed(self) -> None:
        self._bits = random.Random(os.urandom(32)).getrandbits  # noqa: S311 - ids are unique, not secret

    def generate_span_id(self) -> int:
        """Return 64 random bits, never zero."""
        while not (found := self._bits(64)):
            pass
        return found

    def generate_trace_id(self) -> int:
        """Return 128 random bits, never zero."""
        while not (found := self._bits(128)):
            pass
        return found

    def is_trace_id_random(self) -> bool:
        """Say that the last 56 bits of trace ids are random (W3C Trace Context, level 2)."""
        return True
