"""A summary in words: what the simple form prints, and the rich one below its timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.view import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aotel.view.summary import Summary

_NAMED: Final = 4  # of what there may be many of
_TOKENS: Final = (
    ("input_tokens", "in"),
    ("output_tokens", "out"),
    ("cache_read_tokens", "read from cache"),
    ("cache_write_tokens", "written to cache"),
    ("reasoning_tokens", "for reasoning"),
)


def digest(summary: Summary) -> list[tuple[str, list[str]]]:
    """Return what there is to say, as pairs of what it is about and lines; what nothing is known of is left out.

    Names in it are as they came.
    """
    rows = [
        ("operations", _operations(summary)),
        ("slowest", [f"{each.operation} {each.name} {wording.duration(each.seconds)}" for each in summary.slowest]),
        ("tokens", _line(tokens(summary))),
        ("errors", _listed(summary.errors, summary.error_count)),
        ("violations", _listed(summary.violations, summary.violation_count)),
        ("files", _line(files(summary))),
        ("hosts", _line(hosts(summary))),
        ("artifacts", [*_line(artifacts(summary)), *_listed(summary.refused, len(summary.refused))]),
        ("machine", _line(machine(summary))),
    ]
    return [(label, lines) for label, lines in rows if lines]


def tokens(summary: Summary) -> list[str]:
    """Return how many tokens there were, and what they cost, if that is known."""
    parts = [f"{summary.tokens[name]:,} {words}" for name, words in _TOKENS if name in summary.tokens]
    if summary.cost_usd is not None:
        parts.append(wording.cost(summary.cost_usd))
    return parts


def files(summary: Summary) -> list[str]:
    """Return how many files were opened; of those that were written, which ones."""
    parts: list[str] = []
    if summary.files_read:
        parts.append(f"{len(summary.files_read):,} read")
    if summary.files_written:
        parts.append(f"{len(summary.files_written):,} written: {_named(summary.files_written)}")
    return parts


def hosts(summary: Summary) -> list[str]:
    """Return what was connected to, the most frequent first."""
    often = sorted(summary.hosts.items(), key=lambda item: -item[1])
    parts = [host if count == 1 else f"{host} ({count:,} times)" for host, count in often[:_NAMED]]
    if len(often) > _NAMED:
        parts.append(f"and {len(often) - _NAMED:,} more")
    return parts


def artifacts(summary: Summary) -> list[str]:
    """Return what was collected."""
    if not summary.artifacts:
        return []
    total = wording.size(sum(summary.artifacts.values()))
    return [f"{wording.several(len(summary.artifacts), 'file')}, {total}: {_named(summary.artifacts)}"]


def machine(summary: Summary) -> list[str]:
    """Return the most that was measured, and how many processes there were."""
    parts: list[str] = []
    if summary.peak_memory_bytes is not None:
        parts.append(f"memory up to {wording.size(summary.peak_memory_bytes)}")
    if summary.peak_cpu_percent is not None:
        parts.append(f"cpu up to {summary.peak_cpu_percent:.0f} %")
    if summary.processes:
        parts.append(wording.several(summary.processes, "process", "processes"))
    return parts


def headline(summary: Summary) -> str:
    """Return it all in a few words."""
    count = sum(group.count for group in summary.operations.values())
    parts = [wording.duration(summary.seconds), wording.several(count, "operation")]
    if summary.still_open:
        parts.append(f"{summary.still_open:,} without an end")
    for number, one in ((summary.error_count, "error"), (summary.violation_count, "violation")):
        if number:
            parts.append(wording.several(number, one))
    if summary.warning_count:
        parts.append(wording.several(summary.warning_count, "warning"))
    return ", ".join(parts)


def _operations(summary: Summary) -> list[str]:
    lines: list[str] = []
    for family, group in sorted(summary.operations.items(), key=lambda item: -item[1].count):
        parts = [f"{family} {group.count:,}", wording.duration(group.seconds)]
        if group.failed:
            parts.append(f"{group.failed:,} failed")
        if group.stopped:
            parts.append(f"{group.stopped:,} stopped")
        lines.append(", ".join(parts))
    return lines


def _named(things: Mapping[str, int]) -> str:
    names = list(things)
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _listed(lines: Iterable[str], count: int) -> list[str]:
    listed = list(lines)[: _NAMED + 1]
    return [*listed, f"and {count - len(listed):,} more"] if count > len(listed) else listed


def _line(parts: list[str]) -> list[str]:
    return [", ".join(parts)] if parts else []
