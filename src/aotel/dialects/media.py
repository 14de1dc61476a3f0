"""Media in messages: `data:` URIs against parts that say the media type and the bytes, or size and digest, apart."""

from __future__ import annotations

from aotel.dialects.values import tokens
from aotel.operation import MediaPart

__all__ = ["from_url", "to_url"]


def from_url(modality: str, url: str, mime_type: str | None = None, transcript: str | None = None) -> MediaPart:
    """A part from a URL; a `data:` URL (RFC 2397) is taken apart.

    Args:
        modality: `image`, `audio`, `video` or `document`.
        url: any URL. `data:image/png;bytes=42;sha256=…,` is how `to_url` says that the bytes were left out.
        mime_type: where it is known from elsewhere.
        transcript: of audio.
    """
    head, comma, payload = url.partition(",")
    if not comma or not head.startswith("data:"):
        return MediaPart(modality, mime_type, uri=url, transcript=transcript)
    media_type, *parameters = head[len("data:") :].split(";")
    part = MediaPart(modality, media_type or mime_type, transcript=transcript)
    named = dict(_named(parameter) for parameter in parameters)
    if "sha256" in named and not payload:
        part.sha256 = named["sha256"] or None
        part.size = tokens(named.get("bytes"))
    elif "base64" in named:
        part.content = payload
    else:
        part.uri = url
    return part


def to_url(part: MediaPart) -> str | None:
    """The URL of a part, or None where nothing points to it: a provider's file id is no URL."""
    if part.uri is not None:
        return part.uri
    if part.content is not None:
        return f"data:{part.mime_type or ''};base64,{part.content}"
    if part.sha256 is not None:
        size = "" if part.size is None else f";bytes={part.size}"
        return f"data:{part.mime_type or ''}{size};sha256={part.sha256},"
    return None


def _named(parameter: str) -> tuple[str, str]:
    name, _, value = parameter.partition("=")
    return name, value
