"""The control sequences that keep a panel at the bottom of a terminal which others write to as well.

The program that is watched writes to the same terminal, when and how it likes, and nobody knows where its cursor is. So
nothing here depends on that: the panel stands below the terminal's scroll region (DECSTBM), where output does not
reach, and lines are put in above the line that the cursor is in, which may be half written. Everything is relative to
the cursor, or between saving and restoring it (DECSC, DECRC); attributes of the program's text survive with it.
"""

from __future__ import annotations

from typing import Final

_SAVE: Final = "\x1b7"
_RESTORE: Final = "\x1b8"
_DOWN: Final = "\x1bD"  # as a line feed, but in the same column whatever the terminal's modes
_PLAIN: Final = "\x1b[0m"
_NO_WRAP: Final = "\x1b[?7l"  # what is wider than we think is cut, and can't push anything down
_WRAP: Final = "\x1b[?7h"
_CLEAR_BELOW: Final = "\x1b[J"
_WHOLE: Final = "\x1b[r"
_SHOW_CURSOR: Final = "\x1b[?25h"
_BEGIN: Final = "\x1b[?2026h"  # terminals that know it show all of it at once; others ignore it
_END: Final = "\x1b[?2026l"


def at_once(text: str) -> str:
    """Return what is to appear in one piece."""
    return f"{_BEGIN}{text}{_END}" if text else ""


def insert(rows: list[str], room: int) -> str:
    """Return what puts rows in above the line of the cursor.

    Args:
        rows: what to write, each on a row of its own.
        room: how many rows scroll.
    """
    most = max(room // 2, 1)
    return "".join([_insert(rows[start : start + most]) for start in range(0, len(rows), most)])


def _insert(rows: list[str]) -> str:
    count = len(rows)
    written = "\r\n".join([f"{_PLAIN}\x1b[K{row}" for row in rows])
    # Down and up again: at the bottom that scrolls, elsewhere it does nothing; either way there is room now.
    room = f"{_DOWN * count}{_SAVE}\x1b[{count}A\r\x1b[{count}L"
    return f"{room}{_NO_WRAP}{written}{_WRAP}{_RESTORE}"


def new_line(columns: int) -> str:
    """Return what takes the cursor to the beginning of a line, which is a new one unless it stands at one already."""
    return f"{_PLAIN}{' ' * columns}\r\x1b[K"


class Region:
    """A panel of some rows at the bottom; above it, the rest of the screen scrolls."""

    def __init__(self) -> None:
        self._columns = 0
        self._rows = 0
        self._height = 0
        self._drawn: list[str] = []

    @property
    def height(self) -> int:
        """How many rows the panel has; 0 while there is none."""
        return self._height

    @property
    def room(self) -> int:
        """How many rows scroll."""
        return self._rows - self._height

    def fit(self, columns: int, rows: int, height: int) -> str:
        """Return what makes a panel of that height on a screen of that size, whatever there was before."""
        if (columns, rows) != (self._columns, self._rows):
            # Nobody knows what became of the old panel, but that it is below the cursor.
            text = f"{_SAVE}{_WHOLE}{_RESTORE}{_SAVE}{_PLAIN}{_CLEAR_BELOW}{_RESTORE}" if self._height else ""
            self._columns, self._rows, self._height = columns, rows, 0
            self._drawn = []
            return text + self._grow(height)
        if height > self._height:
            return self._grow(height)
        return self._shrink(height) if height < self._height else ""

    def _grow(self, height: int) -> str:
        more = height - self._height
        if more <= 0:
            return ""
        self._height = height
        self._drawn = []
        return f"{_DOWN * more}\x1b[{more}A{self._margins()}"

    def _shrink(self, height: int) -> str:
        text = f"{_SAVE}{_PLAIN}\x1b[{self.room + 1};1H{_CLEAR_BELOW}{_RESTORE}"
        self._height = height
        self._drawn = []
        return text + self._margins()

    def _margins(self) -> str:
        return f"{_SAVE}\x1b[1;{self.room}r{_RESTORE}" if self._height else f"{_SAVE}{_WHOLE}{_RESTORE}"

    def draw(self, rows: list[str], *, again: bool = False) -> str:
        """Return what draws the panel: those of its rows that are new.

        Args:
            rows: as many as the panel is high, each as wide as the screen.
            again: draw all of them, and set the margins anew: somebody may have wiped the screen.
        """
        if not self._height:
            return ""
        drawn = [] if again else self._drawn
        written = [
            f"\x1b[{self.room + place + 1};1H{_PLAIN}{row}"
            for place, row in enumerate(rows[: self._height])
            if place >= len(drawn) or drawn[place] != row
        ]
        self._drawn = rows
        if not written:
            return ""
        return f"{self._margins() if again else ''}{_SAVE}{_NO_WRAP}{''.join(written)}{_PLAIN}{_WRAP}{_RESTORE}"

    def close(self) -> str:
        """Return what takes the panel away and gives all of the screen back; it may be opened again."""
        if not self._height:
            return ""
        text = self.farewell
        self._columns = self._rows = self._height = 0
        self._drawn = []
        return text

    @property
    def farewell(self) -> str:
        """What takes the panel away, also if it is written twice, or in the middle of anything."""
        if not self._height:
            return ""
        wiped = f"{_SAVE}{_PLAIN}\x1b[{self.room + 1};1H{_CLEAR_BELOW}{_RESTORE}"
        return f"{wiped}{_SAVE}{_WHOLE}{_RESTORE}{_WRAP}{_SHOW_CURSOR}{_END}"
