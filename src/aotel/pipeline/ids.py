"""Trace and span ids from a generator of one's own: a program's `random.seed()` must not repeat them."""

from __future__ import annotations

import os
import random

from opentelemetry.sdk.trace.id_generator import IdGenerator

from aotel.forking import Forking, watch


class PrivateIdGenerator(IdGenerator, Forking):
    """Random ids from a generator seeded by the operating system, and seeded anew in a forked child."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        watch(self)

    def after_fork_in_child(self) -> None:
        """Draw other ids than the parent will."""
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
