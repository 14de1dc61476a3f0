"""What it means that nothing was lost: all that an operation said is still said, whatever was added."""

from __future__ import annotations

from dataclasses import fields, is_dataclass


def lost(before: object, after: object, where: str = "operation") -> list[str]:
    """What `before` says and `after` doesn't, one line each."""
    if before is None or before == ():
        return []
    if is_dataclass(before) and (after is None or type(before) is type(after)):
        # A part in which every field is empty says nothing, so that None is as good.
        names = [field.name for field in fields(before)]
        pairs = [(name, getattr(before, name), getattr(after, name, None)) for name in names]
        return [line for name, one, other in pairs for line in lost(one, other, f"{where}.{name}")]
    if isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        both = enumerate(zip(before, after, strict=True))
        return [line for index, (one, other) in both for line in lost(one, other, f"{where}[{index}]")]
    return [] if before == after else [f"{where}: {before!r} became {after!r}"]
