"""Runs the Python blocks of a page as one program: reads them as JSON, writes as JSON what each of them printed."""

from __future__ import annotations

import contextlib
import io
import json
import sys


def main() -> None:
    """Run the program."""
    blocks = json.load(sys.stdin)
    namespace: dict[str, object] = {"__name__": "__main__"}
    printed: list[str] = []
    for block in blocks:
        # Errors name the page and the line in it.
        code = compile("\n" * (block["line"] - 1) + block["text"], block["page"], "exec", dont_inherit=True)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(code, namespace)
        printed.append(output.getvalue())
    json.dump(printed, sys.stdout)


if __name__ == "__main__":
    main()
