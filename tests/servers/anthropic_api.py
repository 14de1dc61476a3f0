"""A server that speaks Anthropic's API as Anthropic, Amazon Bedrock and Vertex AI do.

    with AnthropicServer() as server, anthropic.Anthropic(base_url=server.url, api_key="key") as client:
        server.next(rate_limited(), overloaded())  # then the third attempt is answered
        client.messages.create(model="claude-test-1", max_tokens=64, messages=[{"role": "user", "content": "Hi"}])

It has, behind any prefix: `POST …/v1/messages`, streamed or not, with or without `?beta=true`,
`…/v1/messages/count_tokens`, and `…/v1/complete` (the API before); for Bedrock `/model/{model}/invoke` and
`/model/{model}/invoke-with-response-stream`, the latter in Amazon's binary event stream; for Vertex AI
`…/publishers/anthropic/models/{model}:rawPredict` and `:streamRawPredict`.

What is answered follows from what is said last (see `prompts.prompt_of`): the text itself comes back, as JSON that fits
if a JSON schema is asked for, unless it contains, in any case and combination:

    "call a tool"         the first of the request's tools is called with arguments that fit its schema ("Zürich" for
                          strings), or `get_weather` if there are none; "call two tools" calls two; before it, a text
    "think"               a block of thinking with its signature: 64 tokens of thinking on top
    "refuse"              stop reason "refusal", with details
    "run out of tokens"   stop reason "max_tokens"
    "pause your turn"     stop reason "pause_turn", after a search of the web on the server
    "stop early"          the first of the request's stop sequences ends it
    "fail in stream"      a stream has an error (overloaded; from Bedrock, throttled) in place of its second half
    "disconnect"          the connection is closed halfway, also when nothing is streamed
    "slowly"              a stream pauses for 0.02 s after each event

Tokens: 12 in, and beside them 7 read from the cache and 5 written to it (3 for 5 minutes, 2 for an hour); 10 out, 64
more of thinking; `count_tokens` says 24. A model "m" is answered by "m-20250929"; from Bedrock without what is Amazon's
in its name. Ids of messages are `msg_`, `msg_bdrk_` or `msg_vrtx_` with the request's number in 8 digits, those of
requests `req_` with 24.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from tests.servers.amazon_event_stream import chunk, exception
from tests.servers.anthropic_errors import (
    bedrock_error,
    bedrock_throttled,
    content_filtered,
    context_overflow,
    error_body,
    error_reply,
    forbidden,
    invalid_request,
    no_such_url,
    not_found,
    overloaded,
    payment_required,
    quota_exceeded,
    rate_limited,
    server_error,
    timed_out,
    too_large,
    unauthorized,
    vertex_exhausted,
)
from tests.servers.anthropic_messages import Script, events, message, script_for
from tests.servers.http import ScriptedServer, json_reply, not_json, sse
from tests.servers.prompts import prompt_of, streamed, whole, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.http import Reply, Request

__all__ = [
    "AnthropicServer",
    "Script",
    "bedrock_error",
    "bedrock_throttled",
    "content_filtered",
    "context_overflow",
    "error_reply",
    "forbidden",
    "invalid_request",
    "not_found",
    "not_json",
    "overloaded",
    "payment_required",
    "quota_exceeded",
    "rate_limited",
    "server_error",
    "timed_out",
    "too_large",
    "unauthorized",
    "vertex_exhausted",
]

_ANTHROPIC: Final = re.compile(r".*/v1/(messages|messages/count_tokens|complete)")
_BEDROCK: Final = re.compile(r".*/model/([^/]+)/(invoke|invoke-with-response-stream)")
_VERTEX: Final = re.compile(r".*/publishers/anthropic/models/([^/:]+):(rawPredict|streamRawPredict)")
_AMAZONS: Final = re.compile(r".*anthropic\.|-v\d+(:\d+)?$")  # what Amazon adds to the name of a model
_AMAZON_STREAM: Final = "application/vnd.amazon.eventstream"
_COUNTED: Final = 24  # tokens
_LIMITS: Final = {
    f"anthropic-ratelimit-{what}-{name}": said
    for what in ("requests", "input-tokens", "output-tokens")
    for name, said in (("limit", "4000"), ("remaining", "3999"), ("reset", "2026-01-01T00:00:00Z"))
}


class AnthropicServer(ScriptedServer):
    """See the module.

    Args:
        script: what is said instead of what a request asks for, or makes that of a request.
        lifetime: seconds after which it stops by itself.
    """

    def __init__(self, *, script: Script | Callable[[Request], Script] | None = None, lifetime: float = 60.0) -> None:
        super().__init__(self.answer, lifetime=lifetime)
        self.script = script

    def common_headers(self, request: Request) -> dict[str, str]:
        """Return the headers that every answer has."""
        request_id = f"req_{request.number:024}"
        if _BEDROCK.fullmatch(request.path):
            return {"x-amzn-requestid": request_id}
        if _VERTEX.fullmatch(request.path):
            return {"request-id": request_id, "server": "ESF"}
        return {"request-id": request_id, "anthropic-organization-id": "org-test", **_LIMITS}

    def answer(self, request: Request) -> Reply:
        """Return what a request is answered with, if no other answer was asked for."""
        if request.method == "POST":
            if found := _BEDROCK.fullmatch(request.path):
                return self._bedrock(request, unquote(found[1]), is_streamed=found[2] != "invoke")
            if found := _VERTEX.fullmatch(request.path):
                return self._messages(request, "msg_vrtx_", unquote(found[1]).replace("@", "-"))
            if found := _ANTHROPIC.fullmatch(request.path):
                return self._anthropic(request, found[1])
        return no_such_url()

    def _anthropic(self, request: Request, what: str) -> Reply:
        if what == "complete":
            return _completion(request)
        if what == "messages/count_tokens":
            return json_reply({"input_tokens": _COUNTED})
        return self._messages(request, "msg_", request.body["model"])

    def _script(self, request: Request) -> Script:
        if isinstance(self.script, Script):
            return self.script
        if self.script is not None:
            return self.script(request)
        return script_for(prompt_of(request.body.get("messages")), request.body)

    def _messages(self, request: Request, prefix: str, model: str) -> Reply:
        script = self._script(request)
        answer = message(f"{prefix}{request.number:08}", _dated(model), script)
        if not request.body.get("stream"):
            return whole(answer, cut=script.ending == "disconnect")
        request_id = self.common_headers(request)["request-id"]
        failure = sse(error_body("overloaded_error", "Overloaded", request_id), "error")
        told = [sse(event, event["type"]) for event in events(answer)]
        return streamed(told, ending=script.ending, failure=failure, pause=script.pause)

    def _bedrock(self, request: Request, model: str, *, is_streamed: bool) -> Reply:
        script = self._script(request)
        answer = message(f"msg_bdrk_{request.number:08}", _dated(_AMAZONS.sub("", model)), script)
        if not is_streamed:
            return whole(answer, cut=script.ending == "disconnect")
        told = [event for event in events(answer) if event["type"] != "ping"]
        told[-1] = {**told[-1], "amazon-bedrock-invocationMetrics": _metrics(answer["usage"])}
        return streamed(
            [chunk(event) for event in told],
            ending=script.ending,
            failure=exception("throttlingException", "Too many requests, please wait before trying again."),
            pause=script.pause,
            content_type=_AMAZON_STREAM,
        )


def _dated(model: str) -> str:
    return model if model[-8:].isdigit() else f"{model}-20250929"


def _metrics(usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "inputTokenCount": usage.get("input_tokens"),
        "outputTokenCount": usage.get("output_tokens"),
        "invocationLatency": 700,
        "firstByteLatency": 300,
        "cacheReadInputTokenCount": usage.get("cache_read_input_tokens"),
        "cacheWriteInputTokenCount": usage.get("cache_creation_input_tokens"),
    }


def _completion(request: Request) -> Reply:
    """Return an answer of the API before Messages, which counts no tokens."""
    said = " " + (request.body["prompt"].rpartition("\n\nHuman:")[2].partition("\n\n")[0].strip() or "Hello!")
    head = {"type": "completion", "id": f"compl_{request.number:08}", "model": _dated(request.body["model"])}
    end = {"stop_reason": "stop_sequence", "stop": "\n\nHuman:"}
    if not request.body.get("stream"):
        return json_reply({**head, "completion": said, **end})
    told = [{**head, "completion": piece, "stop_reason": None, "stop": None} for piece in words(said)]
    told.append({**head, "completion": "", **end})
    return streamed([sse(event, "completion") for event in told], ending="whole", failure=b"", pause=0.0)
