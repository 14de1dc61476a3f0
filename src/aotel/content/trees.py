"""Small changes to content that is clean already: leaves cut, text made encodable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aotel.content.modes import Tree

_CUT = "..."
_VALUE = 16


def cut(text: str, length: int) -> str:
    """Return at most `length` characters of a text, ending in `...` where something is missing."""
    if len(text) <= length:
        return text
    return text[: length - len(_CUT)] + _CUT if length > len(_CUT) else _CUT[:length]


def cut_leaves(tree: Tree, length: int) -> Tree:
    """Return content with every text in it cut to `length` characters."""
    if isinstance(tree, str):
        return cut(tree, length)
    if isinstance(tree, list):
        return [cut_leaves(item, length) for item in tree]
    if isinstance(tree, dict):
        return {name: cut_leaves(value, length) for name, value in tree.items()}
    return tree


def weight(tree: Tree) -> int:
    """Return how many characters of text content holds, with a few for each value."""
    if isinstance(tree, str):
        return len(tree)
    if isinstance(tree, list):
        return _VALUE + sum(map(weight, tree))
    if isinstance(tree, dict):
        return _VALUE + sum(len(name) + weight(value) for name, value in tree.items())
    return _VALUE


def valid_unicode(value: Any) -> Any:
    """Return JSON-like values with every text in a form that UTF-8 can encode."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [valid_unicode(item) for item in value]
    if isinstance(value, dict):
        return {valid_unicode(name): valid_unicode(item) for name, item in value.items()}
    return value
