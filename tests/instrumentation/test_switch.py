"""Instrumentation by names: which ones there are, which are on, and what is said of wrong ones."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.instrumentation.utils import suppress_instrumentation

import aotel
from aotel.calls import PORT
from aotel.errors import ConfigurationError
from aotel.instrumentation import instrument, instrumented, supported, switch, uninstrument
from aotel.instrumentation.gate import is_recording
from aotel.instrumentation.switch import follow_settings, libraries
from aotel.testing import record_spans

if TYPE_CHECKING:
    from collections.abc import Iterator


INSTALLED = tuple(name for name in supported() if find_spec(name) is not None)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = instrumented()
    off = set(switch._off)
    uninstrument()
    yield
    uninstrument()
    if before:
        instrument(*before)
    switch._off.clear()
    switch._off.update(off)


def test_every_library_can_be_named() -> None:
    assert set(supported()) == {library.name for library in libraries()}
    for name in INSTALLED:
        assert name not in instrumented()
        instrument(name)
        assert instrumented() == (name,)
        uninstrument(name)
    assert instrumented() == ()


def test_all_at_once() -> None:
    instrument()
    assert set(instrumented()) >= set(INSTALLED)
    uninstrument()
    assert instrumented() == ()


@pytest.mark.parametrize(("name", "error"), [("opneai", ConfigurationError), ("", ConfigurationError), (7, TypeError)])
def test_a_wrong_name_is_told(name: Any, error: type[Exception]) -> None:
    for function in (instrument, uninstrument):
        with pytest.raises(error, match=r"openai|named by a string"):
            function(name)


def test_a_name_that_is_wrong_changes_nothing() -> None:
    with pytest.raises(ConfigurationError):
        instrument("openai", "opneai")
    assert instrumented() == ()


def test_what_the_program_took_off_stays_off() -> None:
    instrument("openai")
    uninstrument("openai")
    follow_settings(["all"])
    assert "openai" not in instrumented()
    follow_settings(["openai", "unheard of"])
    assert "openai" not in instrumented()
    instrument("openai")
    assert "openai" in instrumented()


def test_status_says_what_is_on() -> None:
    instrument("openai")
    assert "openai" in aotel.status().instrumented


def test_a_version_that_is_not_supported_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import openai

    assert openai.VERSION
    monkeypatch.setattr(switch, "get_dependency_conflicts", lambda _: "too old")
    instrument("openai")
    assert "openai" not in instrumented()
    assert "too old" in caplog.text


def test_calls_are_recorded_where_aotel_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with record_spans():
        assert is_recording()
        with suppress_instrumentation():
            assert not is_recording()
        monkeypatch.setattr(PORT, "enabled", False)
        assert not is_recording()
        monkeypatch.setattr(PORT, "enabled", True)
        assert is_recording()


def test_a_first_call_configures_only_where_somebody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from aotel.instrumentation import gate

    opened: list[int] = []
    monkeypatch.setattr(PORT, "tracer", None)
    monkeypatch.setattr(PORT, "enabled", True)
    monkeypatch.setattr(PORT, "autostart", lambda: opened.append(1))
    monkeypatch.setattr(gate._Asked, "by_code", False)
    monkeypatch.setattr(gate, "_has_provider", lambda: False)
    assert not is_recording()
    assert not opened
    monkeypatch.setattr(gate._Asked, "by_code", True)
    is_recording()
    assert opened == [1]


def test_no_library_is_imported_to_be_instrumented(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "openai"}
    for name in gone:
        monkeypatch.delitem(sys.modules, name)
    instrument("openai")
    assert not any(name.partition(".")[0] == "openai" for name in sys.modules)
    assert "openai" in instrumented()
