"""The panel: what runs now, how far it has come, what the machine does, and what it came to so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.view import wording

if TYPE_CHECKING:
    from rich.text import Text

    from aotel.view.live.look import Look
    from aotel.view.live.pulse import Flow, Pulse, Running, Work

_NARROW: Final = 80
_ROOMY: Final = 100
_HIGH: Final = 0.9  # of a limit: red
_RAISED: Final = 0.7  # yellow
_LOW_SCREEN: Final = 20  # rows below which the panel shows one of each
_MINUTE: Final = 60
_PATIENT: Final = 1.0  # seconds after which a running operation's time is shown


class Panel:
    """Draws the present.

    Args:
        look: how it looks.
        title: what is run.
    """

    def __init__(self, look: Look, title: str) -> None:
        self._look = look
        self._title = look.clean(title, 120)

    def rows(self, pulse: Pulse, columns: int, screen: int, since: float, now: float) -> list[str]:
        """Return the panel's rows, from the top.

        Args:
            pulse: what is known.
            columns: how wide each of them is.
            screen: how many rows the whole screen has.
            since: when the run began, in seconds since the epoch.
            now: what time it is.
        """
        most = 1 if screen < _LOW_SCREEN else 3
        rows = [self._rule(columns, max(now - since, 0.0))]
        rows += self._running(pulse, columns, most, now)
        rows += [self._work(work, columns, now) for work in pulse.bars(now)[:most]]
        rows += [self._machine(pulse, columns), self._totals(pulse, columns)]
        fitting = rows[: max(screen // 3, 1)]
        return [self._look.ansi(row) for row in fitting]

    def _rule(self, columns: int, seconds: float) -> Text:
        look, line = self._look, self._look.signs.rule
        took = wording.duration(seconds) if seconds < _MINUTE else _clock(seconds)
        right = look.text((f" {took} ", ""), (line * 2, "dim"))
        left = look.text((line * 2, "dim"))
        if self._title:
            left.append_text(look.text((f" {self._title} ", "head")))
        left = look.fit(left, columns - right.cell_len)
        left.append_text(look.text((line * (columns - left.cell_len - right.cell_len), "dim")))
        return left.append_text(right)

    def _running(self, pulse: Pulse, columns: int, most: int, now: float) -> list[Text]:
        paths, more = pulse.paths(most)
        if not paths:
            return [
                self._look.spread(self._look.text((" no operation is under way", "dim")), self._look.text(), columns)
            ]
        rows = [self._path(path, columns, now) for path in paths]
        if more:
            note = self._look.text((f" and {more:,} more", "dim"))
            rows[-1] = self._look.spread(note, self._look.text(), columns) if len(rows) > 1 else rows[-1]
        return rows

    def _path(self, path: list[Running], columns: int, now: float) -> Text:
        look = self._look
        current = path[-1]
        took = max(now - current.start, 0.0)
        right = look.text((f"{wording.duration(took) if took >= _PATIENT else ''} ", ""))
        style = look.style_of(current.family)
        tail = look.text((f"{look.icon(current.family)} {look.clean(current.family, 20)} ", style))
        tail.append_text(look.text((look.clean(current.name, 100), "")))
        room = columns - right.cell_len - tail.cell_len - 3
        left = look.text((" ", ""), (self._above(path[:-1], room), "dim"))
        return look.spread(left.append_text(tail), right, columns)

    def _above(self, path: list[Running], room: int) -> str:
        """Return what an operation stands in, as much of it as there is room for, the innermost for sure."""
        signs = self._look.signs
        names = [self._look.clean(running.name, 60) for running in path]
        while names:
            text = "".join(f"{name}{signs.path}" for name in names)
            if self._look.text((text, "")).cell_len <= room:
                return text
            if names[0] == signs.ellipsis:
                del names[1:2]
                if len(names) == 1:
                    break
            else:
                names[0] = signs.ellipsis
        return ""

    def _work(self, work: Work, columns: int, now: float) -> Text:
        look = self._look
        left = look.text((f" {look.icon('progress')} ", "install"), (look.clean(work.name, 40), ""), ("  ", ""))
        if work.total:
            share = (work.done or 0.0) / work.total
            words = f"{min(share, 1.0):4.0%}  {wording.amount(work.done or 0)} of {wording.amount(work.total)} "
        else:
            share = None
            words = f"{'' if work.done is None else wording.amount(work.done)} {look.clean(work.message, 40)} ".lstrip()
        right = look.text((words, "dim"))
        room = columns - left.cell_len - right.cell_len - 1
        if share is not None and room >= 8:  # noqa: PLR2004 - a bar that says something
            left.append_text(look.bar(share, min(room, 40), "good" if work.ended else "bar"))
        elif share is None and work.ended is None:
            left.append_text(look.text((wording.duration(max(now - work.start, 0.0)), "dim")))
        return look.spread(left, right, columns)

    def _machine(self, pulse: Pulse, columns: int) -> Text:
        look = self._look
        width = 6 + max((columns - _NARROW) // 4, 0)
        width = min(width - (4 if columns >= _ROOMY else 0), 20)
        cells = [
            self._processor(pulse, width),
            self._memory(pulse, width, roomy=columns >= _ROOMY),
            self._flow("net", pulse.network, width),
            self._flow("disk", pulse.disk, width),
        ]
        spare = max(columns - sum(cell.cell_len for cell in cells) - 2, 0)
        gap = look.text((" " * max(min(spare // (len(cells) - 1), 6), 1), ""))
        made = look.text((" ", ""))
        for place, cell in enumerate(cells):
            if place:
                made.append_text(gap)
            made.append_text(cell)
        return look.spread(made, look.text(), columns)

    def _processor(self, pulse: Pulse, width: int) -> Text:
        percent = pulse.sample.get("cpu_percent")
        if not isinstance(percent, int | float):
            return self._unknown("cpu", width, 4)
        return self._cell("cpu", percent / 100, width, f"{min(percent, 999):3.0f}%")

    def _memory(self, pulse: Pulse, width: int, *, roomy: bool) -> Text:
        used, limit = pulse.sample.get("memory_bytes"), pulse.sample.get("memory_limit_bytes")
        if not isinstance(used, int | float):
            return self._unknown("mem", width, 7)
        words = f"{wording.size(used):>6}"
        if not isinstance(limit, int | float) or limit <= 0:  # a share of what? so it is shown how it went
            made = self._look.text(("mem ", "dim")).append_text(self._look.spark(pulse.memory, width))
            return made.append_text(self._look.text((f" {words}", "")))
        return self._cell("mem", used / limit, width, f"{words} of {wording.size(limit)}" if roomy else words)

    def _flow(self, label: str, flow: Flow, width: int) -> Text:
        if flow.total is None:
            return self._unknown(label, width, 8)
        look = self._look
        rate = flow.rates[-1] if flow.rates else 0.0
        made = look.text((f"{label} ", "dim")).append_text(look.spark(flow.rates, width))
        return made.append_text(look.text((f" {wording.size(rate):>6}/s", "")))

    def _cell(self, label: str, share: float, width: int, words: str) -> Text:
        look = self._look
        style = "bad" if share >= _HIGH else "warning" if share >= _RAISED else "good"
        made = look.text((f"{label} ", "dim")).append_text(look.bar(share, width, style))
        return made.append_text(look.text((f" {words}", "")))

    def _unknown(self, label: str, width: int, room: int) -> Text:
        look = self._look
        words = f" {look.signs.unknown:>{room}}"
        return look.text((f"{label} ", "dim"), (look.signs.empty * width, "bar.empty"), (words, "dim"))

    def _totals(self, pulse: Pulse, columns: int) -> Text:
        look, sums = self._look, pulse.tally.sums
        parts = [(wording.several(pulse.finished, "operation"), "")]
        if pulse.failed:
            parts.append((f"{pulse.failed:,} failed", "bad"))
        if sums.violation_count:
            parts.append((wording.several(sums.violation_count, "violation"), "policy"))
        if sums.tokens:
            sent, got = (wording.short(sums.tokens.get(f"{side}_tokens", 0)) for side in ("input", "output"))
            parts.append((f"{sent}{look.signs.arrow}{got} tokens", ""))
        if sums.cost_usd is not None:
            parts.append((wording.cost(sums.cost_usd), ""))
        files = len(sums.files_read.keys() | sums.files_written.keys()) if sums.files_read or sums.files_written else 0
        for count, one in ((files, "file"), (len(sums.hosts), "host")):
            if count:
                parts.append((wording.several(count, one), ""))
        made = look.text((" ", ""))
        between = look.signs.separator if columns >= _ROOMY else "  "
        for place, part in enumerate(parts):
            if place:
                made.append_text(look.text((between, "dim")))
            made.append_text(look.text(part))
        return look.spread(made, look.text(), columns)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
