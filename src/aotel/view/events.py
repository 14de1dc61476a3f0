"""What a person is shown of a run: one model of events for every form of the view."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(str, Enum):
    """What an event is about; the values are part of the documented JSON form."""

    LIFECYCLE = "lifecycle"
    OPERATION = "operation"
    METRICS = "metrics"
    FILE = "file"
    NETWORK = "network"
    POLICY = "policy"
    INSTALL = "install"
    OUTPUT = "output"
    WARNING = "warning"
    ERROR = "error"
    SUCCESS = "success"


class Level(IntEnum):
    """How much an event matters: a view shows those of its level and above."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Its strings are as they came, control characters and all: whoever writes them anywhere makes them clean
    (`aotel.view.clean_text`).

    Attributes:
        kind: what it is about.
        level: how much it matters.
        time: when it happened, in seconds since the epoch.
        text: it in words, on one line.
        fields: it in facts, by the names that `docs/live-view.md` lists; what is unknown is left out.
    """

    kind: Kind
    level: Level
    time: float
    text: str
    fields: Mapping[str, object]
