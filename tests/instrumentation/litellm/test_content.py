"""What is written of the content of calls: nothing that is secret, and nothing at all where it is switched off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentation.litellm.functions import ROWS, called
from tests.recording import recording

if TYPE_CHECKING:
    from tests.instrumentation.litellm.functions import Row
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Recorded

SECRET = "sk-proj-Zq8Rt2Lm9Xc4Vb7Nw1Kp5Hj3Gf6Ds0Ay"
PLANTED = "planted-0123456789"


def everything(recorded: Recorded) -> str:
    spans = [
        (
            span.name,
            dict(span.attributes or {}),
            str(span.status.description),
            [dict(e.attributes or {}) for e in span.events],
        )
        for span in recorded.spans
    ]
    return json.dumps([spans, recorded.envelopes], default=str)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("prefix", ["", "a"], ids=["sync", "async"])
@pytest.mark.parametrize("mode", ["raw", "redacted", "none"])
async def test_keys_show_nowhere(row: Row, prefix: str, mode: str, litellm: Any, server: ProviderServer) -> None:
    secrets = {"extra_headers": {"x-token": PLANTED}, "metadata": {"password": PLANTED}, "user": PLANTED}
    options = {**row.options(server), **(secrets if row.function == "completion" else {})}
    with recording(capture=mode) as recorded:
        await called(litellm, prefix + row.function, **row.arguments, **options)
        if row.streams:
            await called(litellm, prefix + row.function, **row.arguments, **options, stream=True)
        said = everything(recorded)
    assert "planted" not in said
    assert options["api_key"] not in said
    assert (row.arguments.get("query") or "hello") in said or mode == "none" or row.function == "embedding"


async def test_key_in_an_error(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(
            "openai/bad-key", [{"role": "user", "content": f"my key is {SECRET}"}], api_base=server.openai["api_base"],
            api_key=SECRET, max_retries=0,
        )  # fmt: skip
    assert SECRET not in everything(recorded)


async def test_key_in_the_address(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    base = f"http://user:{PLANTED}@127.0.0.1:{server.port}/v1?key={PLANTED}"
    litellm.completion("openai/gpt-4o-mini", ROWS["completion"].arguments["messages"], mock_response="x", api_base=base)
    assert recorded.operation.attributes["server.address"] == "127.0.0.1"
    assert PLANTED not in everything(recorded)


async def test_capture_none_leaves_numbers(litellm: Any, server: ProviderServer) -> None:
    row = ROWS["completion"]
    with recording(capture="none") as recorded:
        litellm.completion(**row.arguments, **server.openai)
        list(litellm.completion(**row.arguments, **server.openai, stream=True))
        for call in recorded.operations:
            assert call.attributes["gen_ai.usage.input_tokens"] == 11
            assert not [name for name in call.attributes if "messages" in name or "value" in name]


async def test_messages_that_change_later_are_written_as_they_were(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    messages = [{"role": "user", "content": "before"}]
    answer = litellm.completion("openai/gpt-4o-mini", messages, **server.openai)
    messages[0]["content"] = "after"
    answer.choices[0].message.content = "after"
    assert "after" not in everything(recorded)
