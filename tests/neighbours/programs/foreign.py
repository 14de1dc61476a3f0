"""Every kind of call of one library under the instrumentors that are named; prints all that left of each call.

Run by path with a library, the instrumentors, separated by commas, and the settings of each round of calls, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from aotel.testing import record_envelopes, record_spans
from tests.neighbours.programs.instrumentors import switch_on
from tests.neighbours.programs.libraries import LIBRARIES

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from tests.neighbours.programs.libraries import Calls


def instrument(name: str) -> None:
    if name == "aotel":
        with record_spans():  # the first of them configures
            return
    if name == "pydantic-ai":
        from pydantic_ai import Agent

        Agent.instrument_all()
        return
    switch_on(name)


def shown(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    assert span.instrumentation_scope is not None
    return {
        "name": span.name,
        "scope": span.instrumentation_scope.name,
        "id": f"sp_{span.context.span_id:016x}",
        "status": span.status.status_code.name,
        "attributes": dict(span.attributes or {}),
        "whole": span.to_json(),
    }


def main() -> None:
    for name in sys.argv[2].split(","):
        instrument(name)
    rounds: list[dict[str, Any]] = json.loads(sys.argv[3])
    loop = asyncio.new_event_loop()
    with LIBRARIES[sys.argv[1]]() as calls:
        seen = [one_round(calls, loop, **settings) for settings in rounds]
    loop.run_until_complete(loop.shutdown_asyncgens())
    print(json.dumps(seen))


def one_round(calls: Calls, loop: asyncio.AbstractEventLoop, **settings: str) -> dict[str, Any]:
    """Make every call once, with variables of the environment set, or with a capture mode."""
    capture = settings.pop("capture", None)
    seen = {}
    os.environ.update(settings)
    for name, call in calls.items():
        with record_envelopes(capture=capture) as envelopes, record_spans(capture=capture) as spans:
            made = call()
            if made is not None:
                loop.run_until_complete(made)
            seen[name] = {"spans": [shown(span) for span in spans.spans], "envelopes": envelopes.envelopes}
    for variable in settings:
        del os.environ[variable]
    return seen


main()
