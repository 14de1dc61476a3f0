"""Images, audio and files in messages, after content was made clean: by reference, or as size and digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aotel.dialects.media import from_url
from aotel.instrumentation.formats.format import count, mapping, text
from aotel.operation import MediaPart

if TYPE_CHECKING:
    from aotel.instrumentation.plain import Plain


def from_location(modality: str, location: Plain, mime_type: str | None = None) -> MediaPart | None:
    """Return media that is at a URL, or within a `data:` URL, which is an object of size and digest when clean."""
    if type(location) is dict:
        return from_digest(modality, location, mime_type)
    return from_url(modality, location, mime_type) if type(location) is str and location else None


def from_data(modality: str, data: Plain, mime_type: str | None = None) -> MediaPart | None:
    """Return media whose bytes were in the message: in base64, or as an object of size and digest when clean."""
    if type(data) is dict:
        return from_digest(modality, data, mime_type)
    return MediaPart(modality, mime_type, content=data) if type(data) is str and data else None


def from_digest(modality: str, digest: dict[str, Any], mime_type: str | None = None) -> MediaPart:
    """Return media of which size and digest are left."""
    mime_type = mime_type or text(digest.get("mime_type"))
    return MediaPart(modality, mime_type, size=count(digest.get("bytes")), sha256=text(digest.get("sha256")))


def file_part(facts: Plain) -> MediaPart | None:
    """Return a file of the OpenAI APIs: uploaded before, at a URL, or within the message."""
    found = mapping(facts)
    file_id = text(found.get("file_id"))
    if file_id is not None:
        return MediaPart("document", file_id=file_id)
    return from_location("document", found.get("file_data")) or from_location("document", found.get("file_url"))
