"""A server that speaks OpenAI's API as OpenAI, Azure OpenAI, DeepSeek and Mistral do.

    with OpenAIServer() as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        server.next(rate_limited(), server_error())  # then the third attempt is answered
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Call a tool."}])

It has, behind any prefix: `POST …/chat/completions`, `…/completions`, `…/embeddings`, `…/responses`, streamed or not,
`GET …/responses/{id}` (plain, or with `stream=true` and `starting_after`), `GET …/models` and `…/models/{id}`. Under
`/openai/` it answers as Azure (filter results, and a first chunk without choices), except to a request that is signed
for Amazon.

What is answered follows from what is said last (see `prompts.prompt_of`): the text itself comes back, as JSON that fits
if a JSON schema is asked for, unless it contains, in any case and combination:

    "call a tool"         the first of the request's tools is called with arguments that fit its schema ("Zürich" for
                          strings), or `get_weather` if there are none; "call two tools" calls two
    "think"               there is reasoning before the answer: 64 reasoning tokens on top
    "refuse"              a refusal
    "run out of tokens"   finish reason "length"; in Responses the answer is incomplete
    "be filtered"         finish reason "content_filter"; likewise
    "fail in stream"      a stream has an event with an error in place of its second half
    "fail the response"   Responses: the answer is one that failed
    "disconnect"          the connection is closed halfway, also when nothing is streamed
    "slowly"              a stream pauses for 0.02 s after each event

Tokens: 19 in (4 of them cached, 2 written to the cache), 10 out, 64 more of reasoning; with the modality "audio" 5 more
in and 6 more out; embeddings 8. A model "m" is answered by "m-2024-07-18", a deployment by "gpt-4o-mini-2024-07-18",
embeddings and completions by the model that was asked for. Request ids are `req_` with the request's number in 32 hex
digits, times and fingerprints are constants.
"""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tests.servers import openai_responses as responses
from tests.servers.http import ScriptedServer, json_reply, not_json, sse
from tests.servers.openai_chat import (
    CREATED,
    Call,
    Script,
    chat_chunks,
    chat_completion,
    dated,
    script_for,
    text_chunks,
    text_completion,
)
from tests.servers.openai_errors import (
    SERVER_ERROR,
    content_filtered,
    context_overflow,
    error_reply,
    forbidden,
    invalid_request,
    no_such_response,
    no_such_url,
    not_found,
    overloaded,
    quota_exceeded,
    rate_limited,
    server_error,
    too_large,
    unauthorized,
    unknown_parameter,
)
from tests.servers.prompts import prompt_of, streamed, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.http import Reply, Request

__all__ = [
    "Call",
    "OpenAIServer",
    "Script",
    "content_filtered",
    "context_overflow",
    "error_reply",
    "forbidden",
    "invalid_request",
    "not_found",
    "not_json",
    "overloaded",
    "quota_exceeded",
    "rate_limited",
    "server_error",
    "too_large",
    "unauthorized",
]

_PATH: Final = re.compile(r".*?/(?P<what>chat/completions|completions|embeddings|responses|models)(?:/(?P<id>[^/]+))?")
_DEPLOYMENT: Final = re.compile(r"/openai/deployments/[^/]+/")
_DEPLOYED: Final = "gpt-4o-mini-2024-07-18"
_MODELS: Final = ("gpt-4o-mini", "gpt-5", "text-embedding-3-small")
_EMBEDDING_TOKENS: Final = 8
_DIMENSIONS: Final = 4


class OpenAIServer(ScriptedServer):
    """See the module.

    Args:
        strict: whether `stream_options` is refused with a 422 that names it, as Mistral does; the tokens of a stream
            are then in its last chunk without being asked for.
        script: what is said instead of what a request asks for, or makes that of a request.
        lifetime: seconds after which it stops by itself.
    """

    def __init__(
        self,
        *,
        strict: bool = False,
        script: Script | Callable[[Request], Script] | None = None,
        lifetime: float = 60.0,
    ) -> None:
        super().__init__(self.answer, lifetime=lifetime)
        self.strict = strict
        self.script = script
        self._responses: dict[str, dict[str, Any]] = {}
        self._posted: dict[str, Callable[[Request], Reply]] = {
            "chat/completions": self._chat,
            "completions": self._text,
            "embeddings": _embeddings,
            "responses": self._respond,
        }

    def common_headers(self, request: Request) -> dict[str, str]:
        """Return the headers that every answer has."""
        request_id = f"req_{request.number:032x}"
        if _is_azure(request):
            return {"x-request-id": request_id, "apim-request-id": request_id, "x-ms-region": "Sweden Central"}
        return {
            "x-request-id": request_id,
            "openai-organization": "org-test",
            "openai-processing-ms": "7",
            "openai-version": "2020-10-01",
        }

    def answer(self, request: Request) -> Reply:
        """Return what a request is answered with, if no other answer was asked for."""
        found = _PATH.fullmatch(request.path)
        what, which = ("", None) if found is None else (found["what"], found["id"])
        if request.method == "GET" and what == "models":
            return _models(which)
        if request.method == "GET" and what == "responses" and which is not None:
            return self._retrieve(request, which)
        if request.method == "POST" and what in self._posted and which is None:
            return self._posted[what](request)
        return no_such_url(request.method, request.path)

    def _script(self, request: Request, prompt: str, schema: object = None) -> Script:
        if isinstance(self.script, Script):
            return self.script
        return script_for(prompt, request.body, schema) if self.script is None else self.script(request)

    def _chat(self, request: Request) -> Reply:
        body = request.body
        if self.strict and "stream_options" in body:
            return unknown_parameter(body, "stream_options")
        schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
        script = self._script(request, prompt_of(body.get("messages")), schema)
        model, azure = _model(request), _is_azure(request)
        if body.get("stream"):
            chunks = chat_chunks(request.number, body, script, model, azure=azure, strict=self.strict)
            return _streamed(chunks, script)
        return _whole(chat_completion(request.number, body, script, model, azure=azure), script)

    def _text(self, request: Request) -> Reply:
        body = request.body
        if self.strict and "stream_options" in body:
            return unknown_parameter(body, "stream_options")
        asked = body.get("prompt") or ""
        prompts = [asked] if isinstance(asked, str) else [str(each) for each in asked]
        script = self._script(request, prompts[-1])
        if self.script is not None:
            prompts = [script.content or ""]
        if body.get("stream"):
            return _streamed(text_chunks(request.number, body, script, prompts), script)
        return _whole(text_completion(request.number, body, script, prompts), script)

    def _respond(self, request: Request) -> Reply:
        body = request.body
        schema = ((body.get("text") or {}).get("format") or {}).get("schema")
        script = self._script(request, prompt_of(body.get("input")), schema)
        final = responses.response(request.number, body, script, _model(request))
        self._responses[final["id"]] = final
        if body.get("stream"):
            if script.ending == "error":
                return _streamed(responses.encoded(responses.failing_events(final)), replace(script, ending="whole"))
            return _streamed(responses.encoded(responses.events(final)), script)
        return _whole(responses.unfinished(final, "queued") if body.get("background") else final, script)

    def _retrieve(self, request: Request, response_id: str) -> Reply:
        final = self._responses.get(response_id)
        if final is None:
            return no_such_response(response_id)
        if request.query.get("stream") != "true":
            return json_reply(final)
        after = int(request.query.get("starting_after", "-1"))
        return _streamed(responses.encoded(responses.events(final)[after + 1 :]), Script())


def _is_azure(request: Request) -> bool:
    signed = request.headers.get("authorization", "").startswith("AWS4")
    return "api-version" in request.query or (request.path.startswith("/openai/") and not signed)


def _model(request: Request) -> str:
    return _DEPLOYED if _DEPLOYMENT.match(request.path) else dated(str(request.body.get("model")))


def _whole(answer: dict[str, Any], script: Script) -> Reply:
    return whole(answer, cut=script.ending == "disconnect")


def _streamed(chunks: list[bytes], script: Script) -> Reply:
    return streamed(chunks, ending=script.ending, failure=sse({"error": SERVER_ERROR}), pause=script.pause)


def _embeddings(request: Request) -> Reply:
    body = request.body
    asked = body["input"]
    single = isinstance(asked, str) or isinstance(asked[0], int)  # a text, or the tokens of one
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(index, body)}
        for index in range(1 if single else len(asked))
    ]
    usage = {"prompt_tokens": _EMBEDDING_TOKENS, "total_tokens": _EMBEDDING_TOKENS}
    return json_reply({"object": "list", "data": data, "model": body["model"], "usage": usage})


def _vector(index: int, body: dict[str, Any]) -> list[float] | str:
    values = [(index + 1) / 2 ** (place + 1) for place in range(body.get("dimensions") or _DIMENSIONS)]
    if body.get("encoding_format") != "base64":
        return values
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _models(which: str | None) -> Reply:
    known = {name: {"id": name, "object": "model", "created": CREATED, "owned_by": "system"} for name in _MODELS}
    if which is None:
        return json_reply({"object": "list", "data": list(known.values())})
    return json_reply(known[which]) if which in known else not_found()
