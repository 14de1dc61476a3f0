"""Who produces envelopes: one random id, session and pid a process, renewed in a forked child."""

from __future__ import annotations

import os
import secrets

from aotel.forking import Forking, watch


class Producer(Forking):
    """This process as a producer of envelopes.

    `id` and a span's id and sequence number are what receivers deduplicate on; ids come from the operating system's
    random source, so that a seeded `random` never repeats them.
    """

    __slots__ = ("id", "pid", "session_id")

    def __init__(self) -> None:
        self.after_fork_in_child()
        watch(self)

    def after_fork_in_child(self) -> None:
        """Become another producer, as a forked child must: it ends the same spans that its parent ends."""
        self.id = f"p_{secrets.token_hex(8)}"
        self.session_id = f"sess_{secrets.token_hex(8)}"
        self.pid = os.getpid()


PRODUCER = Producer()
