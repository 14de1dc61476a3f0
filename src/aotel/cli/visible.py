"""Text from anywhere as a command prints it: nothing in it is obeyed by a terminal, and nothing of it is left out."""

from __future__ import annotations


def visible(text: str) -> str:
    """Return a text with an escape in place of each character that is not one to look at."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
