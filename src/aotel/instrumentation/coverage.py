"""What is instrumented, as a table for people; `make semconv` writes it into the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.instrumentation.switch import libraries

if TYPE_CHECKING:
    from aotel.instrumentation.library import Library


def coverage() -> str:
    """Return a Markdown table of every call that becomes a span, and a list of what does not."""
    lines = ["| library | versions | calls | operation | |", "|---|---|---|---|---|"]
    for library in libraries():
        lines += _rows(library)
    lines += ["", "Not covered:", ""]
    lines += [f"- `{library.name}`: {missing}." for library in libraries() for missing in library.not_covered]
    return "\n".join(lines) + "\n"


def _rows(library: Library) -> list[str]:
    rows: list[str] = []
    for index, covered in enumerate(library.covers):
        first = (f"`{library.name}`", f"`{library.versions}`") if index == 0 else ("", "")
        calls = ", ".join([f"`{call}`" for call in covered.calls])
        rows.append(f"| {' | '.join([*first, calls, f'`{covered.operation}`', covered.note])} |")
    return rows
