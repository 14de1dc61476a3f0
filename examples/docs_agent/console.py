"""The terminal, if there is one: words that appear one by one, and a question that does not wait for ever."""

from __future__ import annotations

import io
import select
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 100  # columns of text
PAUSE = 0.01  # seconds between words, where somebody watches


class Console:
    """Where the agent talks to a person."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # not every terminal knows every character

    def say(self, text: str = "") -> None:
        """Print a line."""
        print(text, flush=True)

    def write(self, words: Iterable[str], mark: str = "") -> None:
        """Print words as they come, in lines that are not too long.

        Args:
            words: what to print.
            mark: what stands before the first line; the others are indented as far.
        """
        column = 0
        for word in words:
            if not column:
                before = mark
            elif column + 1 + len(word) > WIDTH:
                before, column = "\n" + " " * len(mark), 0
            else:
                before = " "
            print(before, word, sep="", end="", flush=True)
            column += len(before.lstrip("\n")) + len(word)
            time.sleep(PAUSE if sys.stdout.isatty() else 0)
        if column:
            self.say()

    def ask(self, question: str, *, default: str, timeout: float) -> str:
        """Return what the person answers; the default where nobody is there to ask, or nobody answers.

        Args:
            question: what to ask.
            default: the answer in place of none.
            timeout: seconds to wait.
        """
        if sys.stdin is None or not sys.stdin.isatty():
            return default
        print(f"{question} ", end="", flush=True)
        try:
            answered = bool(select.select([sys.stdin], [], [], timeout)[0])
        except OSError:  # a system that can wait for sockets only
            answered = False
        if not answered:
            print(default)
            return default
        return sys.stdin.readline().strip() or default
