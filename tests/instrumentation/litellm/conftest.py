"""Fixtures of these tests: litellm offline, a server on loopback, and the instrumentors switched on."""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aotel.instrumentation import instrument, switch, uninstrument
from aotel.instrumentation.litellm import usage
from tests.envelope_schema import every_envelope_is_valid
from tests.instrumentation.litellm.wire import ProviderServer
from tests.recording import recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["every_envelope_is_valid", "recorded"]

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # read while litellm is imported, which would fetch it
os.environ["LITELLM_MODE"] = "PRODUCTION"  # no .env file is read

_HERE = Path(__file__).parent
_OF_LITELLM = (
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",
    "ignore::RuntimeWarning",
    "ignore::UserWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let litellm warn: of clients that it never closes, and of its own objects that pydantic finds odd."""
    for item in items:
        if _HERE in item.path.parents:
            for warning in _OF_LITELLM:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The library, as it is right after its import."""
    library = pytest.importorskip("litellm")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(library, "suppress_debug_info", True)
    monkeypatch.setattr(library, "telemetry", False, raising=False)
    for name in ("callbacks", "success_callback", "failure_callback", "input_callback"):
        monkeypatch.setattr(library, name, [])
    for name in ("_async_success_callback", "_async_failure_callback", "_async_input_callback"):
        monkeypatch.setattr(library, name, [], raising=False)
    monkeypatch.setattr(library, "num_retries", None)
    monkeypatch.setattr(library, "disable_aiohttp_transport", True, raising=False)  # its sessions are never closed
    return library


@pytest.fixture(autouse=True)
async def _closed_clients(litellm: Any) -> AsyncIterator[None]:
    """Close what litellm keeps open, in the loop that it belongs to and while its warnings are let pass."""
    yield
    clients = litellm.in_memory_llm_clients_cache
    for client in list(clients.cache_dict.values()):
        close = getattr(client, "aclose", None) or getattr(client, "close", None)
        with contextlib.suppress(RuntimeError):  # of a loop that litellm has made and closed
            closing = close() if close is not None else None
            if inspect.isawaitable(closing):
                await closing
    clients.flush_cache()
    gc.collect()


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _instrumented(litellm: Any) -> Iterator[None]:
    usage._refused_by.clear()
    instrument("litellm", "openai")
    yield
    uninstrument("litellm", "openai")
    switch._off.difference_update({"litellm", "openai"})
