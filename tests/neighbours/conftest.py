"""Fixtures of these tests: `recorded`, and the check of every envelope against the schema."""

from __future__ import annotations

from tests.envelope_schema import every_envelope_is_valid
from tests.recording import recorded

__all__ = ["every_envelope_is_valid", "recorded"]
