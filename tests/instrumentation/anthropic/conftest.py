"""Fixtures of these tests: a server on loopback, credentials that are none, and the instrumentor switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aotel.instrumentation import instrument, switch, uninstrument
from tests.envelope_schema import every_envelope_is_valid
from tests.instrumentation.anthropic.clients import close_all
from tests.instrumentation.anthropic.wire import Wire
from tests.recording import recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["every_envelope_is_valid", "recorded"]

_NO_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "NO_PROXY": "127.0.0.1",
}


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _NO_CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
async def _closed_clients() -> AsyncIterator[None]:
    yield
    await close_all()


@pytest.fixture
def server() -> Iterator[Wire]:
    with Wire() as running:
        yield running


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    instrument("anthropic")
    yield
    uninstrument("anthropic")
    switch._off.discard("anthropic")
