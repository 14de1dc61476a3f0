"""Which mode a call gets: environment over call over configuration over default; the ecosystem lowers only."""

from __future__ import annotations

import logging

import pytest

from aotel.content import Capture, ContentPolicy, Mode, activate, active, policy
from aotel.settings import Settings, load


@pytest.fixture(autouse=True)
def _nothing_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_warned", set())


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger="aotel")
    return caplog


@pytest.mark.parametrize(
    ("env", "requested", "configured", "expected"),
    [
        (None, None, None, "redacted"),
        (None, None, "hash", "hash"),
        (None, "summary", "hash", "summary"),
        (None, "none", None, "none"),
        (None, "raw", "none", "raw"),
        ("none", "raw", "hash", "none"),
        ("raw", "none", "none", "raw"),
        ("hash", None, None, "hash"),
        (None, "SUMMARY", None, "summary"),
        (None, " hash ", None, "hash"),
        (None, Mode.HASH, None, "hash"),
        (None, None, Mode.HASH, "hash"),
        (None, "nonsense", "hash", "hash"),
        (None, None, "nonsense", "redacted"),
        ("summary", "nonsense", None, "summary"),
    ],
)
def test_precedence(env: str | None, requested: str | None, configured: str | None, expected: str) -> None:
    built = ContentPolicy.build(Settings(capture=env), configured=configured)
    for _ in range(2):
        assert built.for_call(requested).mode.value == expected
    assert built.default.mode.value == (env or built.for_call(None).mode.value)


@pytest.mark.parametrize("capture", [None, "raw", "redacted", "none"])
@pytest.mark.parametrize("value", ["NO_CONTENT", "false"])
def test_the_switch_for_message_content_lowers_to_none(capture: str | None, value: str) -> None:
    environ = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": value}
    if capture:
        environ["AOTEL_CAPTURE"] = capture
    built = ContentPolicy.build(load(environ), configured="raw")
    assert built.default.mode is Mode.NONE
    assert built.for_call("raw").mode is Mode.NONE
    assert built.locals(True) is None


@pytest.mark.parametrize("value", ["SPAN_ONLY", "true", ""])
def test_the_switch_for_message_content_never_raises(value: str) -> None:
    built = ContentPolicy.build(load({"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": value}), configured="none")
    assert built.default.mode is Mode.NONE


def test_what_openinference_hides_is_known() -> None:
    built = ContentPolicy.build(load({"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_INPUT_TEXT": "true"}))
    assert built.hidden == {"inputs", "input_text"}
    assert built.hides_input
    assert not built.hides_output
    assert ContentPolicy.build(load({"OPENINFERENCE_HIDE_OUTPUTS": "true"})).hides_output
    assert not ContentPolicy.build(Settings()).hidden


@pytest.mark.parametrize(
    ("env", "auto_capture", "requested", "expected"),
    [
        (None, None, None, None),
        (None, False, None, None),
        (None, True, None, "redacted"),
        (None, True, "hash", "hash"),
        (None, True, "none", None),
        ("none", True, None, None),
        ("none", None, "raw", None),
        ("redacted", None, None, "redacted"),
        ("summary", False, None, "summary"),
        ("hash", True, "raw", "hash"),
    ],
)
def test_local_variables_are_captured_when_asked_for(
    env: str | None, auto_capture: bool | None, requested: str | None, expected: str | None
) -> None:
    found = ContentPolicy.build(Settings(capture=env)).locals(auto_capture, requested)
    assert (found and found.mode.value) == expected


def test_limits_come_from_the_settings() -> None:
    assert ContentPolicy.build(Settings()).content_limit == 32768
    assert ContentPolicy.build(Settings()).preview_length == 200
    assert ContentPolicy.build(Settings(content_limit=10, preview_length=5)).preview_length == 5
    limited = ContentPolicy.build(Settings(attribute_value_length_limit=50))
    assert limited.content_limit == 50
    assert limited.default.value("x" * 60) == "x" * 47 + "..."
    assert ContentPolicy.build(Settings(content_limit=10, attribute_value_length_limit=50)).content_limit == 10


def test_what_users_add_reaches_every_mode() -> None:
    settings = Settings(redact_names=("ssn",), redact_patterns=("EMP-[0-9]+",), redaction_key=b"k", hash_key=b"h")
    built = ContentPolicy.build(settings, redact=lambda text: text.replace("Bob", "X"))
    marker = built.redactor.marker.of
    assert built.default.value({"ssn": "123", "a": "Bob is EMP-17"}) == {
        "ssn": marker("123"),
        "a": f"X is {marker('EMP-17')}",
    }
    hashed = built.for_call("hash")
    assert hashed.value({"ssn": "123"}) == hashed.value({"ssn": marker("123")})


def test_raw_is_warned_of_once_a_process(log: pytest.LogCaptureFixture) -> None:
    built = ContentPolicy.build(Settings())
    assert not log.messages
    for _ in range(3):
        built.for_call("raw")
        ContentPolicy.build(Settings(capture="raw"))
    assert len(log.messages) == 1
    assert "raw" in log.messages[0]


def test_raw_that_the_environment_overrules_is_not_warned_of(log: pytest.LogCaptureFixture) -> None:
    ContentPolicy.build(Settings(capture="hash"), configured="raw").for_call("raw")
    assert not log.messages


def test_an_unknown_mode_is_warned_of_once(log: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        ContentPolicy.build(Settings()).for_call("everything")
    assert log.messages == [
        "Unknown capture mode 'everything': expected one of hash, none, raw, redacted, summary; it is ignored."
    ]


def test_very_many_unknown_modes_are_answered_within_bounds() -> None:
    built = ContentPolicy.build(Settings())
    for index in range(1000):
        assert built.for_call(f"mode {index}") is built.default
    assert len(built._requests) <= 64


def test_the_policy_in_force_is_the_default_one_until_another_is_activated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy._Active, "policy", None)
    monkeypatch.setenv("AOTEL_CAPTURE", "none")
    assert active().default.mode is Mode.REDACTED
    assert active() is active()
    other = ContentPolicy.build(Settings(capture="hash"))
    activate(other)
    assert active() is other
    assert isinstance(active().default, Capture)
