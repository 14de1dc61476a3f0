"""The instrumentor of litellm: each attempt that reaches a provider is one call, whichever SDK makes the request.

All public functions of litellm are made by one decorator, `litellm.utils.client`, which retries, looks into caches
and calls callbacks around the function proper. That one is replaced, in the closure where the decorator keeps it:
there, attempts are told apart, and what was imported from litellm before (`from litellm import completion`) comes by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context

from aotel.calls.scope import detach
from aotel.instrumentation.formats.openai_chat import CHAT_COMPLETIONS
from aotel.instrumentation.formats.openai_completions import TEXT_COMPLETIONS
from aotel.instrumentation.formats.openai_embeddings import EMBEDDINGS
from aotel.instrumentation.formats.openai_responses import RESPONSES
from aotel.instrumentation.formats.rerank import RERANK
from aotel.instrumentation.library import Covered, Library, LibraryInstrumentor
from aotel.instrumentation.litellm.calls import Function, begin, hit, outside_of_call, positional_of
from aotel.instrumentation.litellm.streams import patch_streams

if TYPE_CHECKING:
    from types import CellType, ModuleType

    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.patches import Patches

_CHAT: Final = frozenset(
    [
        "messages",
        "model",
        "tools",
        "functions",
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "seed",
        "n",
        "stream",
        "frequency_penalty",
        "presence_penalty",
        "response_format",
        "logprobs",
        "top_logprobs",
        "modalities",
        "parallel_tool_calls",
        "prompt_cache_retention",
        "reasoning_effort",
        "service_tier",
        "store",
        "tool_choice",
        "verbosity",
    ]
)
_TEXT: Final = _CHAT - {"messages"} | {"prompt"}
_RESPONSES: Final = frozenset(
    [
        "input",
        "instructions",
        "model",
        "tools",
        "temperature",
        "top_p",
        "max_output_tokens",
        "stream",
        "text",
        "conversation",
        "background",
        "max_tool_calls",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "service_tier",
        "store",
        "tool_choice",
        "top_logprobs",
        "truncation",
    ]
)
_EMBEDDING: Final = frozenset({"input", "model", "dimensions", "encoding_format"})
_RERANK: Final = frozenset({"query", "documents", "model", "top_n"})

_FUNCTIONS: Final[dict[str, tuple[Format, frozenset[str]]]] = {
    "completion": (CHAT_COMPLETIONS, _CHAT),
    "text_completion": (TEXT_COMPLETIONS, _TEXT),
    "responses": (RESPONSES, _RESPONSES),
    "embedding": (EMBEDDINGS, _EMBEDDING),
    "rerank": (RERANK, _RERANK),
}
_FREE: Final = "original_function"  # the variable of `client` that holds the function

_functions: dict[str, Function] = {}
_closures: dict[int, _Closure] = {}


class _Closure:
    """The variable of a closure as an attribute, so that it is patched as one of a class is."""

    __slots__ = ("_cell",)

    def __init__(self, cell: CellType) -> None:
        self._cell = cell

    @property
    def original_function(self) -> Any:
        """The function that a public function of litellm stands before."""
        return self._cell.cell_contents

    @original_function.setter
    def original_function(self, function: Any) -> None:
        self._cell.cell_contents = function

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override] # what `vars` is asked for
        return {_FREE: self._cell.cell_contents}


def _patch_functions(module: ModuleType, patches: Patches) -> None:
    """Patch those functions that a module defines; each is there twice, and the asynchronous one may name nothing."""
    for name, (form, asks) in _FUNCTIONS.items():
        public = getattr(module, name, None)
        if getattr(public, "__module__", None) != module.__name__:
            continue
        function = Function(form, asks, positional_of(public))
        for each, around in ((name, _around(function)), (f"a{name}", _around_async(function))):
            _functions[each] = function
            closure = _closure_of(getattr(module, each, None))
            if closure is not None:
                patches.wrap(closure, _FREE, around)


def _closure_of(function: Any) -> _Closure | None:
    while function is not None:
        code = getattr(function, "__code__", None)
        if code is not None and _FREE in code.co_freevars:
            cell = function.__closure__[code.co_freevars.index(_FREE)]
            return _closures.setdefault(id(cell), _Closure(cell))
        function = getattr(function, "__wrapped__", None)
    return None


def _around(function: Function) -> Any:
    def call(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        del instance
        attempt = begin(function, args, kwargs)
        return wrapped(*args, **kwargs) if attempt is None else attempt.make(wrapped)

    return call


def _around_async(function: Function) -> Any:
    async def call(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        del instance
        attempt = begin(function, args, kwargs)
        return await (wrapped(*args, **kwargs) if attempt is None else attempt.make_async(wrapped))

    return call


# Where a program's callbacks are called from, which may make calls of their own.
_HOOKS: Final = ("pre_call", "post_call", "success_handler", "failure_handler")
_ASYNC_HOOKS: Final = ("async_success_handler", "async_failure_handler", "async_get_chat_completion_prompt")
_PROMPTS: Final = "get_chat_completion_prompt"
_DEPLOYMENT_HOOKS: Final = (
    "async_pre_call_deployment_hook",
    "async_post_call_success_deployment_hook",
    "async_post_call_failure_deployment_hook",
)


def _patch_logging(module: ModuleType, patches: Patches) -> None:
    for name in (*_HOOKS, _PROMPTS):
        patches.wrap(module.Logging, name, _outside)
    for name in _ASYNC_HOOKS:
        patches.wrap(module.Logging, name, _outside_async)


def _patch_utilities(module: ModuleType, patches: Patches) -> None:
    patch_streams(module, patches)  # one is defined there in versions before 1.80
    for name in _DEPLOYMENT_HOOKS:
        patches.wrap(module, name, _outside_async)


def _outside(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del instance
    context = outside_of_call()
    if context is None:
        return wrapped(*args, **kwargs)
    token = otel_context.attach(context)
    try:
        return wrapped(*args, **kwargs)
    finally:
        detach(token)


async def _outside_async(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del instance
    context = outside_of_call()
    if context is None:
        return await wrapped(*args, **kwargs)
    token = otel_context.attach(context)
    try:
        return await wrapped(*args, **kwargs)
    finally:
        detach(token)


def _patch_cache(module: ModuleType, patches: Patches) -> None:
    """Patch the look into litellm's cache, by its name of today and by the one before."""
    for name in ("sync_get_cache", "_sync_get_cache"):
        if name in vars(module.LLMCachingHandler) and patches.wrap(module.LLMCachingHandler, name, _look_up):
            break
    for name in ("async_get_cache", "_async_get_cache"):
        if name in vars(module.LLMCachingHandler) and patches.wrap(module.LLMCachingHandler, name, _look_up_async):
            break


def _look_up(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del instance
    found = wrapped(*args, **kwargs)
    _hit(found, kwargs)
    return found


async def _look_up_async(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del instance
    asked = {**kwargs, "kwargs": dict(kwargs.get("kwargs") or ())}  # older versions leave what is known out of it
    found = await wrapped(*args, **kwargs)
    _hit(found, asked)
    return found


def _hit(found: Any, asked: dict[str, Any]) -> None:
    result = getattr(found, "cached_result", None)
    if result is None and getattr(found, "embedding_all_elements_cache_hit", False) is True:
        result = found.final_embedding_cached_response
    function = _functions.get(getattr(asked.get("original_function"), "__name__", ""))
    if result is not None and function is not None:
        hit(function, asked.get("args") or (), asked.get("kwargs") or {}, result)


class LiteLLMInstrumentor(LibraryInstrumentor):
    """Spans for the calls of `litellm` and its `Router`; see `library` for which."""

    library = Library(
        name="litellm",
        distribution="litellm",
        versions=">=1.75,<2",
        modules={
            "litellm.main": _patch_functions,
            "litellm.responses.main": _patch_functions,
            "litellm.rerank_api.main": _patch_functions,
            "litellm.utils": _patch_utilities,
            "litellm.litellm_core_utils.litellm_logging": _patch_logging,
            "litellm.caching.caching_handler": _patch_cache,
            "litellm.litellm_core_utils.streaming_handler": patch_streams,
            "litellm.text_completions.streaming_iterator": patch_streams,
            "litellm.responses.streaming_iterator": patch_streams,
            "litellm.responses.litellm_completion_transformation.streaming_iterator": patch_streams,
            "litellm.responses.mcp.mcp_streaming_iterator": patch_streams,
        },
        covers=(
            Covered(("completion", "acompletion"), "llm", "any provider; each attempt of a retry or of a `Router`"),
            Covered(("text_completion", "atext_completion"), "llm", "the API before chat"),
            Covered(("responses", "aresponses"), "llm"),
            Covered(("embedding", "aembedding"), "embedding"),
            Covered(("rerank", "arerank"), "rerank"),
        ),
        not_covered=(
            "`anthropic_messages`, `generate_content`, images, audio, moderation, batches, files, assistants",
            "requests that litellm makes inside one call, beside the last: agentic loops, MCP gateway tools",
            "the proxy server as such; the calls that it makes are covered",
        ),
    )
