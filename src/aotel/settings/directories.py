"""Where files go that nobody has named a place for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aotel.settings import Settings


def spool_directory(settings: Settings) -> Path:
    """Return the directory of what waits: AOTEL_SPOOL_DIR, else one in the user's state directory (XDG 0.8)."""
    if settings.spool_directory:
        return Path(settings.spool_directory)
    state = os.environ.get("XDG_STATE_HOME") or ""
    # A relative path there is to be ignored, says the specification.
    base = Path(state) if os.path.isabs(state) else Path("~/.local/state").expanduser()  # noqa: PTH117 - of a string
    return base / "aotel" / "spool"
