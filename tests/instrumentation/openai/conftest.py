"""Fixtures of these tests: OpenAI's API on loopback, and the instrumentor switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aotel.instrumentation import instrument, switch, uninstrument
from aotel.instrumentation.wire import usage_option
from tests.envelope_schema import every_envelope_is_valid
from tests.instrumentation.openai.clients import close_all
from tests.instrumentation.openai.wire import OpenAiWire
from tests.recording import recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["every_envelope_is_valid", "recorded"]


@pytest.fixture(scope="session")
def _server() -> Iterator[OpenAiWire]:
    with OpenAiWire() as running:
        yield running


@pytest.fixture
def wire(_server: OpenAiWire) -> OpenAiWire:
    _server.clear()
    return _server


@pytest.fixture(autouse=True)
async def _closed_clients(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    await close_all()


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    instrument("openai")
    yield
    uninstrument("openai")
    switch._off.discard("openai")
    usage_option._refused_by.clear()
