"""Calls of litellm: what is asked of which model, and the span around one attempt at it."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from opentelemetry import context as otel_context

from aotel.calls import PORT
from aotel.calls.scope import detach
from aotel.content import active
from aotel.instrumentation.gate import is_recording
from aotel.instrumentation.litellm.answers import frozen, is_cached, request_id
from aotel.instrumentation.litellm.errors import verdict_below
from aotel.instrumentation.litellm.streams import Nest, is_stream, nest_of_now, watch
from aotel.instrumentation.litellm.usage import UsageRequest
from aotel.instrumentation.model_call import ModelCall
from aotel.instrumentation.nesting import inside, is_inside, outside
from aotel.instrumentation.plain import plain
from aotel.instrumentation.sites import DEFAULT_PORTS, clean, new_site
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.util.types import AttributeValue

    from aotel.calls import CallSite
    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.plain import Plain
    from aotel.operation import Operation

_MOST: Final = 512

# What a call that hands its work on to other calls of litellm, one a model or deployment, has among its arguments.
_DELEGATING: Final = ("fallbacks", "model_list")
# What litellm sets where a function is to return a coroutine; the asynchronous ones are calls of their own.
_COROUTINE: Final = ("acompletion", "aembedding", "atext_completion", "aresponses", "arerank")

# litellm's names of providers whose name is another one in GenAI conventions 1.40 (`gen_ai.provider.name`).
_PROVIDERS: Final = {
    "anthropic_text": "anthropic",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "chatgpt": "openai",
    "codestral": "mistral_ai",
    "cohere_chat": "cohere",
    "custom_openai": "openai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "text-completion-codestral": "mistral_ai",
    "text-completion-openai": "openai",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "watsonx_text": "ibm.watsonx.ai",
    "xai": "x_ai",
}

_SPEAK_OPENAI: Final = frozenset({"openai", "azure.ai.openai"})
"""Those of whom OpenAI's own attributes are to be said."""


class Function(NamedTuple):
    """A public function of litellm.

    Args:
        form: how its requests and answers are read.
        asks: the arguments that say what is asked for; all others (keys, clients, callbacks) are never looked at.
        positional: names of its positional parameters.
    """

    form: Format
    asks: frozenset[str]
    positional: tuple[str, ...]


class _Target(NamedTuple):
    """What is called: the site, the provider in litellm's words, and the model without it."""

    site: CallSite
    provider: str | None
    model: Any


_targets: dict[object, _Target] = {}


class LiteLLMCall(ModelCall):
    """A call of litellm; who runs the model may be known at its end only."""

    provider: str | None = None
    handled: int = 0
    """The id of the error that the program was handling when it made the call, and which is none of this call's."""

    def fail(self, error: BaseException) -> None:
        """End the span with an error; see `Call.fail`."""
        try:
            verdict = verdict_below(error, self.handled, streaming=self.pace is not None)
            if verdict is not None and verdict.trouble is not None:
                self.attributes[names.AOT_ERROR_CATEGORY] = verdict.trouble.value
                self.attributes.pop(names.HTTP_RESPONSE_STATUS_CODE, None)
                if verdict.status is not None:
                    self.attributes[names.HTTP_RESPONSE_STATUS_CODE] = verdict.status
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("description of an error", problem)
        super().fail(error)

    def _read_request(self) -> Operation:
        operation = super()._read_request()
        operation.provider = operation.provider or self.provider
        return operation

    def _read_answer(self) -> Operation:
        operation = super()._read_answer()
        operation.provider = operation.provider or self.provider
        return operation

    def _measured_as(self, facts: dict[str, AttributeValue]) -> dict[str, AttributeValue]:
        return facts if self.provider is None else {names.GEN_AI_PROVIDER_NAME: self.provider, **facts}

    def _facts(self) -> dict[str, AttributeValue]:
        facts = super()._facts()
        if (self.site.attributes.get(names.GEN_AI_PROVIDER_NAME) or self.provider) not in _SPEAK_OPENAI:
            return {name: value for name, value in facts.items() if not name.startswith("openai.")}
        return facts


class Attempt:
    """One call of one of litellm's functions, behind its retries: a request to a provider.

    Args:
        call: its span.
        function: which function.
        target: what is called.
        args: of the function.
        kwargs: of the function.
    """

    def __init__(
        self, call: LiteLLMCall, function: Function, target: _Target, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._call = call
        self._form = function.form
        self._target = target
        self._args = args
        self._kwargs = kwargs
        self._nest: Nest | None = None
        self._usage = UsageRequest(function.form, target.provider, target.model, kwargs)

    def make(self, wrapped: Callable[..., Any]) -> Any:
        """Call the function."""
        token = self._enter()
        try:
            refused, result = False, None
            try:
                result = wrapped(*self._args, **self._usage.kwargs)
            except Exception as error:
                refused = self._is_refused(error)
                if not refused:
                    raise
            if refused:
                result = wrapped(*self._args, **self._kwargs)
        except BaseException as error:
            detach(token)
            self._raised(error)
            raise
        detach(token)
        self._returned(result)
        return result

    async def make_async(self, wrapped: Callable[..., Any]) -> Any:
        """Call the function."""
        token = self._enter()
        try:
            refused, result = False, None
            try:
                result = await wrapped(*self._args, **self._usage.kwargs)
            except Exception as error:
                refused = self._is_refused(error)
                if not refused:
                    raise
            if refused:
                result = await wrapped(*self._args, **self._kwargs)
        except BaseException as error:
            detach(token)
            self._raised(error)
            raise
        detach(token)
        self._returned(result)
        return result

    def _enter(self) -> Any:
        self._call.handled = id(sys.exc_info()[1])
        around = otel_context.get_current()
        usage = self._usage
        nest = self._nest = Nest(
            around,
            inside(self._call.start(around)),
            hides_usage=usage.is_asked_by_us,
            stream_options=usage.asked,
        )
        return otel_context.attach(nest.inside)

    def _is_refused(self, error: Exception) -> bool:
        refused = self._usage.is_refused(error)
        if refused and self._nest is not None:
            self._nest.hides_usage = False
        return refused

    def _raised(self, error: BaseException) -> None:
        self._learn()
        self._call.failed(error)

    def _returned(self, result: Any) -> None:
        self._learn()
        end(self._call, result, self._form, self._nest)

    def _learn(self) -> None:
        """Take note of who runs the model, where only litellm knew."""
        try:
            if self._target.provider is None:
                details = getattr(self._kwargs.get("litellm_logging_obj"), "model_call_details", None)
                provider = details.get("custom_llm_provider") if isinstance(details, dict) else None
                self._call.provider = _genai_name(provider) if isinstance(provider, str) else None
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("name of a provider", error)


def begin(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Attempt | None:
    """Return an attempt that is to be recorded, or None for one that passes through."""
    try:
        if not is_recording() or is_inside() or _hands_on(kwargs):
            return None
        call, target = _call(function, args, kwargs)
        return Attempt(call, function, target, args, kwargs)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("start of a model call", error)
        return None


def hit(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    """Record a call that litellm answers out of its own cache: a span of its own, without tokens.

    Args:
        function: which function.
        args: its arguments.
        kwargs: its arguments.
        result: what it answers.
    """
    try:
        if is_recording() and not is_inside():
            call, _ = _call(function, args, kwargs)
            call.start()
            end(call, result, function.form, None)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("record of a cached answer", error)


def end(call: LiteLLMCall, result: Any, form: Format, nest: Nest | None) -> None:
    """End a call with what litellm returned, or have it end with the stream that it is.

    Args:
        call: the call.
        result: what litellm returned.
        form: how it is to be read.
        nest: where it was made; None for what comes out of litellm's own cache.
    """
    try:
        if is_cached(result):
            nest = None
        provider_id = request_id(result)
        if provider_id is not None:
            call.attributes[names.AOT_REQUEST_ID] = clean(provider_id)
        if not is_stream(result):
            call.answered(frozen(result, form, cached=nest is None))
        elif not watch(result, call, form, nest):
            call.succeed()
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("end of a model call", error)
        call.succeed()


def outside_of_call() -> Context | None:
    """Return the context around the call of litellm that is being made; None where none is."""
    nest = nest_of_now()
    return outside(nest.around) if nest is not None and is_inside() else None


def _hands_on(kwargs: dict[str, Any]) -> bool:
    litellm = sys.modules["litellm"]
    return (
        any(kwargs.get(name) for name in _DELEGATING)
        or getattr(litellm, "model_fallbacks", None) is not None
        or any(kwargs.get(name) is True for name in _COROUTINE)
    )


def _call(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[LiteLLMCall, _Target]:
    given = dict(zip(function.positional, args, strict=False))
    said = {**given, **kwargs}
    target = _target(function.form, said)
    request: Plain = plain({name: said[name] for name in function.asks if said.get(name) is not None})
    if target.model is not None:
        request["model"] = target.model
    return LiteLLMCall(target.site, function.form, request), target


def _target(form: Format, said: dict[str, Any]) -> _Target:
    model = said.get("model") or said.get("engine")
    provider = said.get("custom_llm_provider")
    base = said.get("api_base") or said.get("base_url")
    key = (
        active(),
        form,
        model if type(model) is str else None,
        provider if isinstance(provider, str) else None,
        base if type(base) is str else None,
    )
    target = _targets.get(key)
    if target is None:
        if len(_targets) >= _MOST:
            _targets.clear()
        target = _targets[key] = _new_target(form, *key[2:])
    return target


def _new_target(form: Format, model: str | None, provider: str | None, base: str | None) -> _Target:
    provider, model = _resolved(model, provider)
    host, port = _server(base)
    genai = None if provider is None else _genai_name(provider)
    return _Target(new_site(form.tag, form.operation, model, genai, host, port), provider, model)


def _resolved(model: str | None, provider: str | None) -> tuple[str | None, str | None]:
    """Return who runs a model, in litellm's words, and the model's own name; litellm asks in the same order."""
    if model is None:
        return provider, None
    litellm = sys.modules["litellm"]
    first, _, rest = model.partition("/")
    if provider:
        provider = str(getattr(provider, "value", provider))
        return provider, _bridged(rest if rest and first == provider else model)
    if rest and first in litellm.provider_list:
        return first, _bridged(rest)
    known = litellm.model_cost.get(model)
    named = known.get("litellm_provider") if isinstance(known, dict) else None
    return (named if isinstance(named, str) else None), model


def _bridged(model: str) -> str:
    """Return the name of a model without the API that litellm is to use for it."""
    return model.removeprefix("responses/")


def _genai_name(provider: str) -> str:
    if provider.startswith("vertex_ai-"):
        return "gcp.vertex_ai"
    return _PROVIDERS.get(provider, provider)


def _server(base: str | None) -> tuple[str | None, int | None]:
    try:
        url = urlsplit(base or "")
        return url.hostname, url.port or DEFAULT_PORTS.get(url.scheme)
    except ValueError:
        return None, None


def positional_of(function: Any) -> tuple[str, ...]:
    """Return the names of the parameters of a function that can be given by position."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple([name for name, each in inspect.signature(function).parameters.items() if each.kind in kinds])
