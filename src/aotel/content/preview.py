"""Previews: content as a person reads it, in few characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.content.trees import cut

if TYPE_CHECKING:
    from aotel.content.modes import Tree


def preview(tree: Tree, length: int) -> str:
    """Return content as `repr` would write it, in at most `length` characters, with `...` at the end if it is cut.

    Args:
        tree: content.
        length: the most characters; the work is in proportion to it, however large the content is.
    """
    cls = type(tree)
    if cls is str:
        return cut(repr(tree[: length + 1]), length)  # type: ignore[index]
    if cls is not dict and cls is not list:
        return cut(repr(tree), length)
    pieces: list[str] = []
    _write(tree, length + 1, pieces)
    return cut("".join(pieces), length)


def _write(tree: Tree, room: int, pieces: list[str]) -> int:
    """Write content until the room, in characters, is used up; return what is left of it."""
    if isinstance(tree, dict):
        return _write_dict(tree, room, pieces)
    if isinstance(tree, list):
        return _write_list(tree, room, pieces)
    piece = repr(tree[:room] if isinstance(tree, str) else tree)
    pieces.append(piece)
    return room - len(piece)


def _write_list(tree: list[Tree], room: int, pieces: list[str]) -> int:
    opening = "["
    for element in tree:
        if type(element) is str:  # the commonest leaf costs no call
            piece = f"{opening}{element[:room]!r}"
            pieces.append(piece)
            room -= len(piece)
        else:
            pieces.append(opening)
            room = _write(element, room - len(opening), pieces)
        opening = ", "
        if room <= 0:
            return room
    pieces.append("]" if tree else "[]")
    return room - 1


def _write_dict(tree: dict[str, Tree], room: int, pieces: list[str]) -> int:
    opening = "{"
    for name, value in tree.items():
        piece = f"{opening}{name[:room]!r}: "
        if type(value) is str:
            piece += repr(value[:room])
            pieces.append(piece)
            room -= len(piece)
        else:
            pieces.append(piece)
            room = _write(value, room - len(piece), pieces)
        opening = ", "
        if room <= 0:
            return room
    pieces.append("}" if tree else "{}")
    return room - 1
