"""The model that the agent asks, through OpenAI's own package: where `OPENAI_BASE_URL` says, else the local server.

With `OPENAI_BASE_URL` go `OPENAI_API_KEY` and `OPENAI_MODEL`. Nothing in here knows of aotel: what is recorded of the
calls comes of the package being instrumented.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_server import MODEL, LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import OpenAI, Stream
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall
    from typing_extensions import Self

DEFAULT_MODEL = "gpt-4.1-mini"  # where OPENAI_BASE_URL is set, and OPENAI_MODEL is not
PATIENCE = 60.0  # seconds for an answer to begin, and between its chunks
SPEAKS = ("openai", "httpx", "httpx2")  # whose errors are the model's: where a stream breaks off, it may be any of them
MISSING = (
    "The agent asks its model through the package openai, which is not installed: pip install 'aotel[openai]'"
    " (in a checkout: pip install '.[openai]')."
)

Message = dict[str, Any]  # as in the wire format


class ModelError(Exception):
    """The model did not answer."""


@dataclass
class ToolCall:
    """A tool that the model wants called."""

    id: str = ""
    name: str = ""
    arguments: str = ""  # JSON


@dataclass
class Reply:
    """What the model said: a text, tools that it wants called, or both."""

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)

    @property
    def message(self) -> Message:
        """The reply as the next request has to repeat it."""
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in self.calls
        ]
        message: Message = {"role": "assistant", "content": self.text or None}
        return {**message, "tool_calls": calls} if calls else message


class StreamedReply(Reply):
    """A reply that comes in chunks, to be iterated over in a `with` block: yields words, and is complete afterwards.

    Args:
        chunks: a stream of OpenAI's package.
    """

    def __init__(self, chunks: Stream[ChatCompletionChunk]) -> None:
        super().__init__()
        self._chunks = chunks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._chunks.close()

    def __iter__(self) -> Iterator[str]:
        parts: dict[int, ToolCall] = {}
        begun = ""  # a word that the next chunk may go on with
        for chunk in self._chunks:
            for choice in chunk.choices[:1]:
                piece = choice.delta.content or ""
                self.text += piece
                *words, begun = re.split(r"\s+", begun + piece)
                yield from filter(None, words)
                for part in choice.delta.tool_calls or ():
                    _add(part, parts.setdefault(part.index, ToolCall()))
        yield from begun.split()
        self.calls = list(parts.values())


def _add(part: ChoiceDeltaToolCall, call: ToolCall) -> None:
    call.id = part.id or call.id
    if part.function:
        call.name += part.function.name or ""
        call.arguments += part.function.arguments or ""


class Model:
    """A model behind OpenAI's Chat Completions.

    Args:
        client: what reaches it.
        name: which one.
    """

    def __init__(self, client: OpenAI, name: str) -> None:
        self._completions = client.chat.completions  # the package imports much of itself here: before the clock runs
        self.name = name

    def ask(self, messages: list[Message], **options: Any) -> Reply:
        """Return what the model says, once all of it is there."""
        completion = self._completions.create(model=self.name, messages=messages, **options)
        said = completion.choices[0].message
        calls = [
            ToolCall(call.id, call.function.name, call.function.arguments)
            for call in said.tool_calls or ()
            if call.type == "function"
        ]
        return Reply(said.content or "", calls)

    def stream(self, messages: list[Message], **options: Any) -> StreamedReply:
        """Return what the model says as it comes. Nothing asks for its tokens to be counted: aotel does."""
        chunks = self._completions.create(model=self.name, messages=messages, stream=True, **options)
        return StreamedReply(chunks)


@contextmanager
def connect() -> Iterator[Model]:
    """Yield the model that the environment says, or the local one.

    Raises:
        ModelError: it did not answer, within the block.
    """
    import openai

    try:
        if os.environ.get("OPENAI_BASE_URL"):
            key = os.environ.get("OPENAI_API_KEY") or "none"  # servers of one's own often ask for none
            with openai.OpenAI(api_key=key, timeout=PATIENCE) as client:
                yield Model(client, os.environ.get("OPENAI_MODEL") or DEFAULT_MODEL)
        else:
            http_client = openai.DefaultHttpxClient(trust_env=False)  # no proxy leads to the loopback
            with (
                LocalServer() as server,
                openai.OpenAI(base_url=server.url, api_key="none", timeout=PATIENCE, http_client=http_client) as client,
            ):
                yield Model(client, MODEL)
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in SPEAKS:
            raise
        raise ModelError(f"The model did not answer: {error}") from error
