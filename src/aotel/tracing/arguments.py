"""Checks of what a person passes to the manual API: a clear error at once instead of odd spans later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aotel.content import Mode

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

_MODES = tuple(mode.value for mode in Mode)


def valid_text(text: str) -> str:
    """Return the string itself, also of an enum of one's own, in a form that UTF-8 can encode."""
    exact = str.__str__(text)
    return exact if exact.isascii() else exact.encode("utf-8", "replace").decode()


def check_operation(op: Any, type_: Any = None) -> str | None:
    """Return the operation's tag, from `op` or its other name `type`."""
    if op is not None and type_ is not None and op != type_:
        msg = f"op and type are the same argument, got op={op!r} and type={type_!r}: give one"
        raise TypeError(msg)
    tag = op if op is not None else type_
    if tag is None:
        return None
    if not isinstance(tag, str):
        msg = f"op is an Op, a string or None, got {type(tag).__name__}: {tag!r:.80}"
        raise TypeError(msg)
    return valid_text(tag)


def check_name(name: Any, argument: str = "name") -> str | None:
    """Return a name that is a string that is not empty, or None."""
    if name is None:
        return None
    if not isinstance(name, str):
        msg = f"{argument} is a string or None, got {type(name).__name__}: {name!r:.80}"
        raise TypeError(msg)
    if not name:
        msg = f"{argument} must not be an empty string; leave it out or pass None"
        raise ValueError(msg)
    return valid_text(name)


def check_capture(capture: Any) -> str | None:
    """Return a capture mode in lower case, or None."""
    if capture is None:
        return None
    if not isinstance(capture, str):
        msg = f"capture is one of {', '.join(_MODES)} or None, got {type(capture).__name__}: {capture!r:.80}"
        raise TypeError(msg)
    mode = str(capture.value if isinstance(capture, Mode) else capture).lower()
    if mode not in _MODES:
        msg = f"capture is one of {', '.join(_MODES)}, got {capture!r:.80}"
        raise ValueError(msg)
    return mode


def check_auto_capture(auto_capture: Any) -> bool | None:
    """Return whether local variables are asked for; "on" and "off" are read as switches."""
    if auto_capture is None or isinstance(auto_capture, bool):
        return auto_capture
    if isinstance(auto_capture, str) and auto_capture.lower() in {"on", "off"}:
        return auto_capture.lower() == "on"
    msg = f"auto_capture is True, False or None, got {type(auto_capture).__name__}: {auto_capture!r:.80}"
    raise TypeError(msg)


def check_attributes(attributes: Any) -> dict[str, AttributeValue] | None:
    """Return span attributes as a dict of one's own, or None."""
    if attributes is None:
        return None
    if not isinstance(attributes, Mapping):
        msg = (
            f"attributes is a mapping of names to attribute values, got {type(attributes).__name__}: {attributes!r:.80}"
        )
        raise TypeError(msg)
    for key in attributes:
        if not isinstance(key, str) or not key:
            msg = f"attributes has names that are strings, got {key!r:.80}"
            raise TypeError(msg)
    return {valid_text(key): value for key, value in attributes.items()} or None


def check_metadata(metadata: Any) -> dict[str, object] | None:
    """Return further facts as a dict of one's own, or None."""
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping):
        msg = f"metadata is a mapping of names to values or None, got {type(metadata).__name__}: {metadata!r:.80}"
        raise TypeError(msg)
    return dict(metadata)
