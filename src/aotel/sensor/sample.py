"""What a tree of processes uses at one time."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Sample:
    """What a tree uses; None is what the system doesn't tell, which is not zero.

    Attributes:
        processes: how many there are; None if even that can't be told.
        cpu_percent: of the processor time that they may use, between the sample before and this, 0 to 100.
        cpu_cores: how many cores' worth they may use.
        memory_bytes: memory that they have to themselves, with their share of what they have in common.
        memory_limit_bytes: how much they may have: the least of the limit that was given and that of their control
            group, else what the machine has.
        disk_read_bytes: read from disks since the start.
        disk_write_bytes: written to disks since the start.
        net_sent_bytes: sent over the network since the start.
        net_received_bytes: received over the network since the start.
        disk_used_percent: how full the disk is that was asked for.
    """

    processes: int | None = None
    cpu_percent: float | None = None
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    disk_read_bytes: int | None = None
    disk_write_bytes: int | None = None
    net_sent_bytes: int | None = None
    net_received_bytes: int | None = None
    disk_used_percent: float | None = None

    def detail(self) -> dict[str, Any]:
        """Return what is known, as the audit log has it."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}
