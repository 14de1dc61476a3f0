"""The command `aotel`: one module for each of its commands, imported when it is called."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_NEEDED = ("click", "psutil", "rich")


def main() -> None:
    """Run the command line; without the `cli` extra, say how to get it."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"The command `aotel` needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            "installed. Get it with: pip install 'aotel[cli]'\n"
        )
        raise SystemExit(1)
    from aotel.cli.commands import aotel

    aotel(prog_name="aotel")
