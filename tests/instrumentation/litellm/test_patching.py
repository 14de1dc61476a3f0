"""What is patched of litellm: nothing before it is imported, everything that was imported before, all of it undone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wrapt

import aotel
from aotel.instrumentation import instrument, uninstrument
from aotel.instrumentation.litellm import streams
from tests.instrumentation.litellm.functions import MESSAGES

if TYPE_CHECKING:
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Recorded

PROGRAM = """
import sys
import aotel
from aotel.testing import record_spans

aotel.instrument("litellm")
assert "litellm" not in sys.modules, "imported by us"
from litellm import completion

with record_spans() as recorded:
    completion("openai/gpt-4o-mini", [{"role": "user", "content": "x"}], mock_response="y")
    print(recorded.names)
"""


def test_import_is_left_to_the_program() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(aotel.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=50, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("['chat gpt-4o-mini']")


async def test_functions_imported_before(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    uninstrument("litellm")
    from litellm import acompletion, completion, embedding, responses

    instrument("litellm")
    completion("openai/gpt-4o-mini", MESSAGES, **server.openai)
    await acompletion("openai/gpt-4o-mini", MESSAGES, **server.openai)
    embedding("openai/text-embedding-3-small", ["a"], **server.openai)
    responses("a", "openai/gpt-4o-mini", **server.openai)
    assert len(recorded.operations) == 4


def everything(litellm: Any) -> dict[str, Any]:
    """What is there to patch, by where it is."""
    from litellm import main, utils
    from litellm.caching import caching_handler
    from litellm.litellm_core_utils import litellm_logging, streaming_handler
    from litellm.rerank_api import main as rerank_main
    from litellm.responses import main as responses_main
    from litellm.responses import streaming_iterator

    owners: list[Any] = [
        main,
        utils,
        rerank_main,
        responses_main,
        caching_handler.LLMCachingHandler,
        litellm_logging.Logging,
        *[
            kind
            for module in (streaming_handler, streaming_iterator)
            for kind in vars(module).values()
            if isinstance(kind, type)
        ],
    ]
    found = {f"{owner.__name__}.{name}": value for owner in owners for name, value in vars(owner).items()}
    for name in ("completion", "text_completion", "responses", "embedding", "rerank"):
        for module in (main, responses_main, rerank_main):
            for each in (name, f"a{name}"):
                function = getattr(module, each, None)
                while function is not None:
                    for number, cell in enumerate(getattr(function, "__closure__", None) or ()):
                        found[f"{module.__name__}.{each}.{number}.{function.__name__}"] = cell.cell_contents
                    function = getattr(function, "__wrapped__", None)
    return found


async def test_all_of_it_is_undone(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    patched = everything(litellm)
    assert sum(type(value) is wrapt.FunctionWrapper for value in patched.values()) > 25
    uninstrument("litellm")
    bare = everything(litellm)
    assert not [name for name, value in bare.items() if type(value) is wrapt.FunctionWrapper]
    instrument("litellm")
    uninstrument("litellm", "openai")
    again = everything(litellm)
    assert [name for name in bare if again[name] is not bare[name]] == []
    litellm.completion("openai/gpt-4o-mini", MESSAGES, **server.openai)
    list(litellm.completion("openai/gpt-4o-mini", MESSAGES, stream=True, **server.openai))
    assert recorded.spans == []


async def test_twice_is_once(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    instrument("litellm")
    uninstrument("litellm")
    instrument("litellm")
    instrument("litellm", "openai")
    litellm.completion("openai/gpt-4o-mini", MESSAGES, **server.openai)
    list(litellm.completion("openai/gpt-4o-mini", MESSAGES, stream=True, **server.openai))
    assert [call.attributes["gen_ai.usage.input_tokens"] for call in recorded.operations] == [11, 11]


async def test_without_us_the_call_is_the_sdks(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    uninstrument("litellm")
    litellm.completion("openai/gpt-4o-mini", MESSAGES, **server.openai)
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 11


async def test_signatures_stay(litellm: Any) -> None:
    import inspect

    assert list(inspect.signature(litellm.completion).parameters)[:2] == ["model", "messages"]
    assert inspect.iscoroutinefunction(litellm.acompletion)


async def test_streams_carry_nothing_of_ours_at_the_end(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    stream = litellm.completion("openai/gpt-4o-mini", MESSAGES, stream=True, **server.openai)
    assert streams._PLACE in vars(stream)
    list(stream)
    assert not [name for name in vars(stream) if name.startswith("_aotel")]
