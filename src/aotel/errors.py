"""The errors aotel raises: one hierarchy, so that one `except` catches them all."""

from __future__ import annotations


class AotelError(Exception):
    """Base of every error that aotel raises."""


class ConfigurationError(AotelError, ValueError):
    """A configuration that cannot be carried out; the message says what was expected and what to do."""
