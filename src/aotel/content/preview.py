"""Previews: content as a person reads it, in few characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.content.snapshot import cut

if TYPE_CHECKING:
    from aotel.content.modes import Tree


def preview(tree: Tree, length: int) -> str:
    """Return content as `repr` would write it, in at most `length` characters, with `...` at the end if it is cut.

    Args:
        tree: content.
        length: the most characters; the work is in proportion to it, however large the content is.
    """
    pieces: list[str] = []
    _write(tree, length + 1, pieces)
    return cut("".join(pieces), length)


def _write(tree: Tree, room: int, pieces: list[str]) -> int:
    """Write content until the room, in characters, is used up; return what is left of it."""
    if isinstance(tree, dict):
        return _write_all(tree, room, pieces, "{}")
    if isinstance(tree, list):
        return _write_all(tree, room, pieces, "[]")
    piece = repr(tree[:room] if isinstance(tree, str) else tree)
    pieces.append(piece)
    return room - len(piece)


def _write_all(tree: list[Tree] | dict[str, Tree], room: int, pieces: list[str], brackets: str) -> int:
    pieces.append(brackets[0])
    room -= 1
    for index, element in enumerate(tree):
        if room <= 0:
            return room
        if index:
            pieces.append(", ")
            room -= 2
        room = _write(element, room, pieces)
        if isinstance(tree, dict) and isinstance(element, str):
            pieces.append(": ")
            room = _write(tree[element], room - 2, pieces)
    pieces.append(brackets[1])
    return room - 1
