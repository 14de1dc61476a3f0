"""Logs for tests: written by the real writer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aotel.audit import AuditLog

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write(directory: Path, details: Iterable[object], **options: Any) -> Path:
    """Write a log of entries with these details, each in a write of its own; return its directory."""
    log = AuditLog(directory, pod_id="pod-1", **{"fsync": "none", **options})
    try:
        for detail in details:
            log.append("file_open", json.dumps(detail))
            log.write()
    finally:
        log.close()
    return directory
