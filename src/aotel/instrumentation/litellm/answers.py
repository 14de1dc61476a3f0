"""What litellm answers, as the formats of APIs read it: a copy of its objects, with what it keeps beside them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from aotel.content import Deferred
from aotel.instrumentation.formats.format import items, mapping
from aotel.instrumentation.formats.openai_embeddings import EMBEDDINGS
from aotel.instrumentation.formats.openai_responses import RESPONSES
from aotel.instrumentation.plain import plain, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.plain import Plain

_REQUEST_ID: Final = ("llm_provider-x-request-id", "llm_provider-request-id", "llm_provider-apim-request-id")


def hidden(result: Any) -> dict[str, Any]:
    """Return what litellm keeps beside an answer, or beside a chunk of one."""
    return mapping(getattr(result, "_hidden_params", None))


def is_cached(result: Any) -> bool:
    """Say whether litellm had an answer in its own cache, and made no request."""
    return hidden(result).get("cache_hit") is True or getattr(result, "custom_llm_provider", None) == "cached_response"


def request_id(result: Any) -> str | None:
    """Return the id that the provider gave a request, as a header of its answer says."""
    headers = mapping(hidden(result).get("additional_headers"))
    found = next((headers[name] for name in _REQUEST_ID if name in headers), None)
    return found if type(found) is str else None


def frozen(result: Any, form: Format, *, cached: bool) -> Deferred[Plain]:
    """Return an answer as it is now; of vectors, their number and the first one.

    Args:
        result: of litellm.
        form: how it is to be read.
        cached: whether it comes out of litellm's own cache: its tokens were counted when it was made, and cost nothing.
    """
    answer = _vectors(result) if form is EMBEDDINGS else plain(result)
    answer = _completed(mapping(answer), cached=cached)
    return Deferred.known(answer, size_of(answer))


def read_stream(chunks: list[Any], latest: tuple[Any, ...], form: Format, cached: bool) -> Plain:  # noqa: FBT001 - deferred
    """Return the answer that the chunks of a stream amount to.

    Args:
        chunks: all that came.
        latest: those that came last, which may be missing among them.
        form: how an answer is to be read.
        cached: as for `frozen`.
    """
    events = _events(chunks) if form is RESPONSES else _chat_chunks(chunks, latest)
    return _completed(mapping(form.assemble(events)), cached=cached)


def is_last(chunk: Any) -> bool:
    """Say whether a chunk says that nothing of the answer is to come."""
    choices = getattr(chunk, "choices", None)
    if choices is not None:
        return any(getattr(choice, "finish_reason", None) is not None for choice in choices)
    return getattr(chunk, "type", None) in ("response.completed", "response.incomplete", "response.failed")


def _completed(answer: dict[str, Any], *, cached: bool) -> dict[str, Any]:
    """Return an answer with its usage as OpenAI has it: litellm names what Anthropic's cache took as Anthropic does."""
    answer = _spelled(answer)
    usage = mapping(answer.get("usage"))
    if cached:
        answer.pop("usage", None)
        answer.pop("meta", None)
    elif usage.get("cache_creation_input_tokens") or usage.get("cache_read_input_tokens"):
        details = mapping(usage.get("prompt_tokens_details"))
        known = {
            "cached_tokens": usage.get("cache_read_input_tokens"),
            "cache_creation_tokens": usage.get("cache_creation_input_tokens"),
        }
        said = {name: value for name, value in details.items() if value is not None}
        answer["usage"] = {**usage, "prompt_tokens_details": {**known, **said}}
    return answer


def _vectors(result: Any) -> Plain:
    """Return an answer with the first of its vectors: copying all of them would take longer than anything else."""
    said = {name: value for name, value in mapping(getattr(result, "__dict__", None)).items() if name != "data"}
    data = getattr(result, "data", None)
    vectors = data if isinstance(data, list) else []
    return {**plain(said), "data": [*plain(vectors[:1]), *[{}] * (len(vectors) - 1)]}


def _events(events: list[Any]) -> Iterator[dict[str, Any]]:
    for event in events:
        said = _spelled(mapping(plain(event)))
        if type(said.get("response")) is dict:
            said["response"] = _spelled(said["response"])
        yield said


def _chat_chunks(chunks: list[Any], latest: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """Yield chunks as OpenAI's API has them: litellm has the model that answered beside them, and often not the end."""
    usage: dict[str, Any] = {}
    for chunk in chunks:
        said = mapping(plain(chunk))
        said["model"] = hidden(chunk).get("provider_response_model") or said.get("model")
        said["choices"] = [_with_text(mapping(choice)) for choice in items(said.get("choices"))]
        usage = _summed_up(usage, mapping(said.get("usage")))
        said["usage"] = usage or None
        yield said
    if any(is_last(chunk) for chunk in chunks):
        return
    for chunk in [chunk for chunk in latest if is_last(chunk)]:
        choices = [mapping(choice) for choice in items(mapping(plain(chunk)).get("choices"))]
        yield {"choices": [{name: choice.get(name) for name in ("index", "finish_reason")} for choice in choices]}


def _summed_up(usage: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return what is counted so far with what a chunk counts; Anthropic counts the input first, and the output last."""
    known = {name: value for name, value in more.items() if value or name not in usage}
    objects = [name for name in known if type(known[name]) is type(usage.get(name)) is dict]
    both = {name: _summed_up(usage[name], known[name]) for name in objects}
    return {**usage, **known, **both}


def _with_text(choice: dict[str, Any]) -> dict[str, Any]:
    """Return a choice that has its text where text completions have it too."""
    return {**choice, "text": choice.get("text") or mapping(choice.get("delta")).get("content")}


def _spelled(said: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose words are texts: litellm has members of enumerations for some."""
    return {name: value.value if isinstance(value, Enum) else value for name, value in said.items()}
