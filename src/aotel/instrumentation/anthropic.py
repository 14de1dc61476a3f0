"""The instrumentor of Anthropic's SDK, for its own API, Amazon Bedrock and Vertex AI.

From version 1.14 on the SDK makes spans of its own, by default: wherever the program has a tracer provider, unless the
client's `open_telemetry` or `ANTHROPIC_OPEN_TELEMETRY=false` says otherwise. While a call has one of ours, the SDK's
would count the same tokens again, and say less. In its stead the SDK gets a span context with the ids of ours, which
records nothing, whatever provider the client was given, and which its requests carry as `traceparent`. Its other spans
(tool runner, tools, sessions, batches) count no tokens and stay; and with ours off, all of them are back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry.trace import NonRecordingSpan

from aotel.calls import PORT, scope_of
from aotel.content import active
from aotel.instrumentation.formats.anthropic_completions import ANTHROPIC_COMPLETIONS
from aotel.instrumentation.formats.anthropic_messages import MESSAGES
from aotel.instrumentation.library import Covered, Library, LibraryInstrumentor
from aotel.instrumentation.wire.stainless import HttpCall, Sdk, call_being_made, patch, see_answer
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.patches import Patches

_FORMS: Final[dict[str, Format]] = {
    "/v1/messages": MESSAGES,
    "/v1/complete": ANTHROPIC_COMPLETIONS,
}

# Who serves the model (`gen_ai.provider.name`, GenAI conventions 1.40): by a word of the client's class, or its host.
_BY_CLASS: Final = (("Bedrock", "aws.bedrock"), ("Vertex", "gcp.vertex_ai"))
_BY_HOST: Final = (("amazonaws.com", "aws.bedrock"), ("aiplatform.googleapis.com", "gcp.vertex_ai"))


def _form_of(options: Any, stream: bool) -> Format | None:  # noqa: FBT001 - the signature of `Sdk.form_of`
    del stream
    return _FORMS.get(options.url.partition("?")[0]) if options.method.lower() == "post" else None


def _provider_of(classes: str, host: str) -> str:
    named = next((provider for word, provider in _BY_CLASS if word in classes), None)
    return named or next((provider for end, provider in _BY_HOST if host.endswith(end)), "anthropic")


_ATTRIBUTES: Final = 3  # where `start_api_call_span` is given what a client says on all its spans

_SDK: Final = Sdk(_form_of, _provider_of, ("request-id", "x-amzn-requestid", "x-goog-request-id"))


def _patch(module: ModuleType, patches: Patches) -> None:
    patch(module, patches, _SDK)
    for client in (module.SyncAPIClient, module.AsyncAPIClient):
        patches.wrap(client, "_finalize_middleware_result", _see_last_answer)
    patches.wrap(module.SyncAPIClient, "_copy_and_prepare", _see_request)
    patches.wrap(module.AsyncAPIClient, "_copy_and_prepare", _see_request_async)
    patches.wrap(module, "start_api_call_span", _stand_in)


def _see_request(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """See the request once iterators and files in it were read; before version 1, that is done by who makes it."""
    del client
    prepared = wrapped(*args, **kwargs)
    _take_request(prepared)
    return prepared


async def _see_request_async(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del client
    prepared = await wrapped(*args, **kwargs)
    _take_request(prepared)
    return prepared


def _take_request(options: Any) -> None:
    try:
        call = call_being_made()
        if call is not None:
            call.sent(options.json_data)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("reading of a request", error)


def _see_last_answer(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """See the answer that comes out of the program's middleware: it may be another than what came from the wire."""
    del client
    result = args[0] if args else kwargs.get("result")
    see_answer(getattr(result, "http_response", None), getattr(result, "retries_taken", None))
    return wrapped(*args, **kwargs)


def _stand_in(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what stands for a span of the SDK's own, which would count the tokens of a call of ours again."""
    del instance
    call = call_being_made()
    if call is None:
        return wrapped(*args, **kwargs)
    try:
        _keep_conversation(call, args[_ATTRIBUTES])
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("reading of a conversation", error)
    return NonRecordingSpan(call.span.get_span_context())


def _keep_conversation(call: HttpCall, attributes: Mapping[str, Any]) -> None:
    """Keep what the program had the SDK say on its spans; a session of ours says it better."""
    conversation = attributes.get(names.GEN_AI_CONVERSATION_ID)
    scope = scope_of(otel_context.get_current(), propagated=True)
    if type(conversation) is str and not (scope is not None and scope.session_id):
        call.attributes[names.GEN_AI_CONVERSATION_ID] = active().redactor.text(conversation)


class AnthropicInstrumentor(LibraryInstrumentor):
    """Spans for the calls of `anthropic.Anthropic` and its kin; see `library` for which."""

    library = Library(
        name="anthropic",
        distribution="anthropic",
        versions=">=0.40,<3",
        modules={"anthropic._base_client": _patch},
        covers=(
            Covered(
                ("messages.create", "messages.stream", "messages.parse"),
                "llm",
                "and `beta.messages`; on Anthropic's API, Amazon Bedrock and Vertex AI",
            ),
            Covered(("beta.messages.tool_runner",), "llm", "one for each request that it makes"),
            Covered(("completions.create",), "llm", "the API before Messages; it counts no tokens"),
        ),
        not_covered=(
            "message batches, token counting, files, models",
            "managed agents (`beta.sessions`), of which the SDK has spans of its own",
        ),
    )
