"""The instrumentor of OpenAI's SDK, versions 1 to 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aotel.instrumentation.formats.openai_chat import CHAT_COMPLETIONS
from aotel.instrumentation.formats.openai_completions import TEXT_COMPLETIONS
from aotel.instrumentation.formats.openai_embeddings import EMBEDDINGS
from aotel.instrumentation.formats.openai_responses import RESPONSES
from aotel.instrumentation.library import Covered, Library, LibraryInstrumentor
from aotel.instrumentation.wire.stainless import Sdk, patch

if TYPE_CHECKING:
    from types import ModuleType

    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.patches import Patches

_FORMS: Final[dict[str, Format]] = {
    "/chat/completions": CHAT_COMPLETIONS,
    "/completions": TEXT_COMPLETIONS,
    "/embeddings": EMBEDDINGS,
    "/responses": RESPONSES,
}
_RETRIEVED: Final = "/responses/"

# Providers that speak OpenAI's API, by the end of their hosts' names (`gen_ai.provider.name`, GenAI conventions 1.40).
_PROVIDERS: Final = (
    ("openai.azure.com", "azure.ai.openai"),
    ("inference.ai.azure.com", "azure.ai.inference"),
    ("api.deepseek.com", "deepseek"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.x.ai", "x_ai"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("amazonaws.com", "aws.bedrock"),
    ("api.anthropic.com", "anthropic"),
    ("api.cohere.ai", "cohere"),
)


def _form_of(options: Any, stream: bool) -> Format | None:  # noqa: FBT001 - the signature of `Sdk.form_of`
    url = options.url
    if options.method.lower() == "post":
        return _FORMS.get(url)
    # An answer that is made in the background counts where it is streamed, not each time that somebody asks for it.
    is_answer = url.startswith(_RETRIEVED) and "/" not in url[len(_RETRIEVED) :]
    return RESPONSES if is_answer and stream else None


def _provider_of(client: str, host: str) -> str:
    """Return the GenAI provider name, by the names of a client's classes and its host."""
    if "Azure" in client:
        return "azure.ai.openai"
    if "Bedrock" in client:
        return "aws.bedrock"
    return next((provider for end, provider in _PROVIDERS if host.endswith(end)), "openai")


_SDK: Final = Sdk(_form_of, _provider_of, ("x-request-id", "apim-request-id"))


def _patch(module: ModuleType, patches: Patches) -> None:
    patch(module, patches, _SDK)


class OpenAIInstrumentor(LibraryInstrumentor):
    """Spans for the calls of `openai.OpenAI` and its kin; see `library` for which."""

    library = Library(
        name="openai",
        distribution="openai",
        versions=">=1.66,<4",
        modules={"openai._base_client": _patch},
        covers=(
            Covered(
                ("chat.completions.create", "chat.completions.parse", "chat.completions.stream"),
                "llm",
                "and `beta.chat.completions`; a stream's tokens are counted too, without a trace of how",
            ),
            Covered(("responses.create", "responses.parse", "responses.stream"), "llm"),
            Covered(("responses.retrieve(…, stream=True)",), "llm", "otherwise it only looks up what was counted"),
            Covered(("completions.create",), "llm", "the API before chat"),
            Covered(("embeddings.create",), "embedding"),
        ),
        not_covered=(
            "Realtime and Responses over WebSocket",
            "images, audio, moderations, files, batches, fine-tuning, vector stores",
            "Assistants (`beta.threads`)",
        ),
    )
