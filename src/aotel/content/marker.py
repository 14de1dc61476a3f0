"""The marker that stands where a secret was: keyed, so that the same secret is recognised and none can be guessed."""

from __future__ import annotations

import re
from hashlib import blake2s
from os import urandom
from typing import Final

MARKER: Final = re.compile(r"<redacted:[0-9a-f]{12}>")
HASHED: Final = re.compile(r"sha256:[0-9a-f]{64}")
"""What the `hash` mode writes; it is no secret, whatever its name."""

# What a cut may have left of a marker at the end of a text: nothing secret, and not to be redacted once more.
_BEGINNING: Final = "<redacted:"
_BEGINNINGS: Final = "|".join(_BEGINNING[:size] for size in range(len(_BEGINNING)))
_MARKER_OR_REST: Final = re.compile(rf"{MARKER.pattern}|(?:{_BEGINNING}[0-9a-f]{{0,12}}|{_BEGINNINGS})(?:\.{{3}})?\Z")

# An authentication scheme says nothing secret; what follows it is the secret, the same one wherever it stands.
_SCHEME: Final = re.compile(r"((?:bearer|basic|token|apikey|negotiate|ntlm)\s+)(\S+)\s*\Z", re.IGNORECASE)

_LONGEST_SECRET: Final = 65_536  # characters that tell one secret from another
_KEY_SIZE: Final = 32  # bytes, the most that BLAKE2s takes

_process_key = urandom(_KEY_SIZE)


class Marker:
    """Replaces secrets by markers.

    Args:
        key: what the hash in a marker is keyed with, of any length; None is a key that this process alone knows.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes | None = None) -> None:
        if key is None:
            self._key = _process_key
        else:
            self._key = key if 0 < len(key) <= _KEY_SIZE else blake2s(key).digest()

    def of(self, secret: str) -> str:
        """Return the marker of a secret: `<redacted:` and twelve hexadecimal digits."""
        data = secret[:_LONGEST_SECRET].encode("utf-8", "surrogatepass")
        return f"<redacted:{blake2s(data, digest_size=6, key=self._key).hexdigest()}>"

    def seal(self, text: str) -> str:
        """Return a marker for a text, after its scheme (`Bearer`) if it has one; a marker or a hash stays as it is."""
        if not text or starts_with_marker(text) or HASHED.fullmatch(text):
            return text
        scheme = _SCHEME.match(text)
        if scheme is None:
            return self.of(text)
        return text if starts_with_marker(scheme[2]) else f"{scheme[1]}{self.of(scheme[2])}"


def derived_key(key: bytes | None) -> bytes | None:
    """Return a key for markers within what is hashed with a key, or None without one: neither tells the other."""
    return None if key is None else blake2s(key, person=b"marker").digest()


def starts_with_marker(text: str, position: int = 0) -> bool:
    """Say whether a marker, or what a cut left of one at the end, stands at a position."""
    return _MARKER_OR_REST.match(text, position) is not None
