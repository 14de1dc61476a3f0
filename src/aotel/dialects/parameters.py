"""Request parameters as OpenInference carries them: one JSON object in the provider's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.json_text import encode, json_object
from aotel.dialects.values import flag, integer, score, text, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aotel.operation import Json, RequestParameters

__all__ = ["read_parameters", "write_parameters"]

_READ: dict[str, tuple[str, Callable[[object], object]]] = {
    "temperature": ("temperature", score),
    "top_p": ("top_p", score),
    "top_k": ("top_k", score),
    "max_tokens": ("max_tokens", integer),
    "max_completion_tokens": ("max_tokens", integer),
    "max_output_tokens": ("max_tokens", integer),
    "stop": ("stop", texts),
    "stop_sequences": ("stop", texts),
    "seed": ("seed", integer),
    "frequency_penalty": ("frequency_penalty", score),
    "presence_penalty": ("presence_penalty", score),
    "stream": ("stream", flag),
    "n": ("choice_count", integer),
    "candidate_count": ("choice_count", integer),
    "encoding_format": ("encoding_formats", texts),
    "encoding_formats": ("encoding_formats", texts),
}
"""The providers' words -> field and how to read it."""

_WRITE = (
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("top_k", "top_k"),
    ("max_tokens", "max_tokens"),
    ("seed", "seed"),
    ("frequency_penalty", "frequency_penalty"),
    ("presence_penalty", "presence_penalty"),
    ("stream", "stream"),
    ("choice_count", "n"),
    ("stop", "stop"),
    ("encoding_formats", "encoding_formats"),
)

_OUTPUT_TYPES = {"text": "text", "json": "json", "json_object": "json", "json_schema": "json"}


def read_parameters(value: object) -> tuple[dict[str, object], str | None]:
    """The fields of `RequestParameters` that `llm.invocation_parameters` says, and the model it names.

    Args:
        value: JSON text, or the structured form; what is neither says nothing.
    """
    given = json_object(value)
    model = text(given.pop("model", None))
    found: dict[str, object] = {}
    others: dict[str, Json] = {}
    for word, parameter in given.items():
        field, read = _READ.get(word, ("", None))
        known = None if read is None or field in found else read(parameter)
        if known is None or known == ():
            others[word] = parameter
        else:
            found[field] = known
    if others:
        found["others"] = others
        output_type = _output_type(others.get("response_format"))
        if output_type is not None:
            found["output_type"] = output_type
    return found, model


def write_parameters(request: RequestParameters) -> str | None:
    """JSON text of request parameters; None when there are none that it can say."""
    found: dict[str, object] = {}
    for field, word in _WRITE:
        value = getattr(request, field)
        if value is not None and value != ():
            found[word] = value
    if request.others is not None:
        found.update((word, value) for word, value in request.others.items() if word not in found)
    return encode(found) if found else None


def _output_type(response_format: Json) -> str | None:
    if isinstance(response_format, dict):
        response_format = _kind(response_format)
    return _OUTPUT_TYPES.get(response_format) if isinstance(response_format, str) else None


def _kind(response_format: Mapping[str, Json]) -> Json:
    return response_format.get("type")
