"""How much of a run a report holds: what goes beyond is counted, and said."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a report, and so of the memory that it takes to write and to look at it.

    Attributes:
        operations: operations in the waterfall; the first ones are kept.
        events: events of the machine; the first ones are kept, and of violations and warnings as many again.
        samples: measurements of the machine; of more, only every second, fourth, … is kept.
        text: characters of one text: an argument, a result, a message.
        texts: characters of all texts together; those beyond keep `short` characters each.
        short: see `texts`.
        agents: agents that are told apart.
        parts: arguments of a call, captured locals of it, and events inside it.
    """

    operations: int = 20_000
    events: int = 100_000
    samples: int = 10_000
    text: int = 4_000
    texts: int = 32_000_000
    short: int = 120
    agents: int = 1_000
    parts: int = 100


class Texts:
    """Cuts texts, each and all together.

    Args:
        limits: how many characters.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.texts
        self.cut = 0

    def __call__(self, value: str) -> str:
        """Return a text, cut if it is too long."""
        limit = self._limits.text if self._left > 0 else self._limits.short
        if len(value) > limit:
            self.cut += 1
            value = f"{value[:limit]} … ({len(value) - limit:,} more characters)"
        self._left -= len(value)
        return value
