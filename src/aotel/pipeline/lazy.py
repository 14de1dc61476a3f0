"""Attributes that are worked out when somebody reads them: the exporter's thread does, seconds after the call.

Justified by the row "coat, redacted" of the benchmarks: mapping and redaction leave the caller's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import AttributeValue


class LazyAttributes(BoundedAttributes):
    """The attributes of an ended span, complete for whatever reads them; see `become_lazy`."""

    _stored: dict[str, AttributeValue]
    _fill: Callable[[dict[str, AttributeValue]], None] | None

    @property
    def _dict(self) -> dict[str, AttributeValue]:  # type: ignore[override]
        fill = self._fill
        if fill is not None:
            complete = self._stored.copy()
            fill(complete)
            # Two readers at once make the same twice; whoever is last wins, and neither sees half of it.
            self._stored = complete
            self._fill = None
        return self._stored


def become_lazy(attributes: Any, fill: Callable[[dict[str, AttributeValue]], None]) -> None:
    """Have the attributes of an ending span completed by their first reader.

    The container stays the same object, which the span shares with its read-only copy; only its class changes, to one
    that computes the dict behind it.

    Args:
        attributes: the span's `BoundedAttributes`.
        fill: adds what is missing to a dict; it does not raise.
    """
    state = attributes.__dict__
    state["_stored"] = state.pop("_dict")
    state["_fill"] = fill
    attributes.__class__ = LazyAttributes


def _is_supported() -> bool:
    probe = BoundedAttributes(None, {"a": 1}, immutable=False)
    try:
        become_lazy(probe, lambda attributes: attributes.update(b=2))
        return dict(probe) == {"a": 1, "b": 2} and probe["b"] == len(probe)
    except Exception:  # noqa: BLE001 - an SDK that builds them otherwise
        return False


SUPPORTED = _is_supported()
"""Whether this SDK's attributes are built as this module expects; where not, they are filled at once."""
