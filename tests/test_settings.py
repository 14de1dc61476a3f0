"""The environment, read: types, defaults, aliases, precedence, and one sentence for what cannot be used."""

from __future__ import annotations

import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.semconv.environment import VARIABLES, Variable
from aotel.settings import Settings, check_envelopes, load, report

NAMES = [name for variable in VARIABLES for name in (variable.name, *variable.aliases)]
HIDE = [variable.name for variable in VARIABLES if variable.name.startswith("OPENINFERENCE_HIDE_")]
HOSTILE = [
    "",
    " ",
    ",",
    ",,",
    "true",
    "FALSE",
    "-1",
    "0",
    "9" * 5000,
    "٣",
    "file:",
    "file:/x",
    "none,pod",
    "[",
    "\ud800",
    "a*",
]


class Recorder(dict[str, str]):
    """An environment in which nothing is set, and that remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, *_: object) -> None:  # type: ignore[override]
        self.asked.add(key)


def test_nothing_set_gives_the_defaults() -> None:
    assert load({}) == Settings()


def test_defaults_are_those_of_the_contract() -> None:
    settings = load({})
    assert settings.pod_socket == "/run/envpod/queue.sock"
    assert (settings.preview_length, settings.content_limit) == (200, 32768)
    assert (settings.envelopes, settings.dialects) == (("auto",), ("genai", "openinference"))
    assert (settings.otlp_traces_protocol, settings.otlp_logs_protocol) == ("grpc", "grpc")
    assert (settings.capture, settings.session_id, settings.disabled, settings.problems) == (None, None, False, ())


def test_exactly_the_documented_variables_are_read() -> None:
    environ = Recorder()
    load(environ)
    assert environ.asked == set(NAMES)


def test_the_process_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOTEL_AGENT_ID", "writer-1")
    assert load().agent_id == "writer-1"


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("ENVPOD_POD_ID", "pod-7", "pod_id", "pod-7"),
        ("ENVPOD_SOCKET", "/tmp/q.sock", "pod_socket", "/tmp/q.sock"),
        ("AOTEL_CAPTURE", " RAW ", "capture", "raw"),
        ("AOTEL_PREVIEW_LEN", "80", "preview_length", 80),
        ("AOTEL_PREVIEW_LEN", "0", "preview_length", 0),
        ("AOTEL_CONTENT_LIMIT", "1000", "content_limit", 1000),
        ("AOTEL_AGENT_ROLE", "writer", "agent_role", "writer"),
        ("AOTEL_SESSION_ID", " Kept as it is ", "session_id", " Kept as it is "),
        ("AOTEL_ENVELOPES", "pod, File:/var/Log/a.jsonl ,pod", "envelopes", ("pod", "file:/var/Log/a.jsonl")),
        ("AOTEL_ENVELOPES", "NONE", "envelopes", ("none",)),
        ("AOTEL_DIALECTS", "OpenLLMetry,genai,openllmetry", "dialects", ("openllmetry", "genai")),
        ("AOTEL_PROPAGATE", "session", "propagate_session", True),
        ("AOTEL_REDACT_NAMES", "pin, Customer_No,", "redact_names", ("pin", "Customer_No")),
        ("AOTEL_REDACTION_KEY", "k\u00e4se", "redaction_key", "k\u00e4se".encode()),
        ("AOTEL_HASH_KEY", "\udcff", "hash_key", b"\\udcff"),
        ("AOTEL_FLUSH", "Wait", "flush", "wait"),
        ("AOTEL_FLUSH", "off", "flush", "off"),
        ("AWS_LAMBDA_FUNCTION_NAME", "answer", "flush", "wait"),
        ("K_SERVICE", "answer", "flush", "wait"),
        ("FUNCTIONS_WORKER_RUNTIME", "python", "flush", "wait"),
        ("AOTEL_SIGTERM", "OFF", "sigterm", "off"),
        ("AOTEL_DISABLED", "True", "disabled", True),
        ("OTEL_SDK_DISABLED", "true", "disabled", True),
        ("OTEL_TRACES_EXPORTER", "OTLP, console", "traces_exporter", ("otlp", "console")),
        ("OTEL_LOGS_EXPORTER", "otlp", "logs_exporter", ("otlp",)),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", " http://x:4317 ", "otlp_endpoint", "http://x:4317"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t", "otlp_traces_endpoint", "http://t"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://l", "otlp_logs_endpoint", "http://l"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf", "otlp_logs_protocol", "http/protobuf"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "64", "attribute_value_length_limit", 64),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "64", "attribute_count_limit_set", True),
    ],
)
def test_a_value_arrives_typed(name: str, value: str, field: str, expected: object) -> None:
    settings = load({name: value})
    assert getattr(settings, field) == expected
    assert settings.problems == ()


@pytest.mark.parametrize("variable", [v for v in VARIABLES if v.aliases], ids=lambda v: v.name)
def test_an_alias_is_read_when_the_first_name_is_unset_or_empty(variable: Variable) -> None:
    name = variable.name
    value = {
        "AOTEL_CAPTURE": "hash",
        "AOTEL_AGENT_ID": "a",
        "AOTEL_AGENT_ROLE": "r",
        "LANGFUSE_BASE_URL": "https://langfuse.example",
    }.get(name, "17")
    value = "true" if "HIDE" in name else "http/protobuf" if "PROTOCOL" in name else value
    by_name = load({name: value})
    assert by_name != Settings()
    for alias in variable.aliases:
        by_alias = load({name: "", alias: value})
        differing = {f for f in Settings.__slots__ if getattr(by_name, f) != getattr(by_alias, f)}
        assert differing <= {"otlp_traces_protocol", "otlp_logs_protocol"}, "one alias serves both protocols"


def test_a_serverless_platform_is_not_waited_for_against_the_users_word() -> None:
    assert load({"AWS_LAMBDA_FUNCTION_NAME": "answer", "AOTEL_FLUSH": "background"}).flush == "background"


def test_the_first_name_wins_over_its_alias() -> None:
    assert load({"AOTEL_CAPTURE": "none", "ENVPOD_COAT_CAPTURE": "raw"}).capture == "none"


def test_the_general_protocol_serves_both_signals_and_the_special_one_wins() -> None:
    general = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    both = load(general)
    assert (both.otlp_traces_protocol, both.otlp_logs_protocol) == ("http/protobuf", "http/protobuf")
    assert load({**general, "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc"}).otlp_logs_protocol == "grpc"


@pytest.mark.parametrize(
    ("name", "value", "accepted", "default"),
    [
        ("AOTEL_CAPTURE", "loud", "one of none, redacted, hash, summary, raw", "unset"),
        ("AOTEL_PREVIEW_LEN", "-1", "a whole number from 0", "200"),
        ("AOTEL_PREVIEW_LEN", "1_000", "a whole number from 0", "200"),
        ("AOTEL_CONTENT_LIMIT", "many", "a whole number from 0", "32768"),
        ("AOTEL_ENVELOPES", "pod,syslog", "a comma list of auto, pod, otlp, stderr, file:PATH, none", "auto"),
        ("AOTEL_ENVELOPES", "none,pod", "with auto and none alone", "auto"),
        ("AOTEL_ENVELOPES", "file:", "file:PATH", "auto"),
        ("AOTEL_DIALECTS", "genai,klingon", "a comma list of genai, openinference, openllmetry", "genai,openinference"),
        ("AOTEL_PROPAGATE", "everything", "session", "unset"),
        ("AOTEL_DISABLED", "yes", "true or false", "false"),
        ("OPENINFERENCE_HIDE_INPUTS", "1", "true or false", "false"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "carrier-pigeon", "one of grpc, http/protobuf", "grpc"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "long", "a whole number from 0", "unset"),
    ],
)
def test_an_unusable_value_counts_as_unset_and_is_one_sentence(
    name: str, value: str, accepted: str, default: str
) -> None:
    settings = load({name: value})
    assert settings == Settings(problems=settings.problems)
    (problem,) = settings.problems
    assert problem.startswith(f"{name} is {value!r}, expected ")
    assert accepted in problem
    assert problem.endswith(f"; using the default, {default}.")


def test_behind_an_unusable_value_the_alias_is_read() -> None:
    settings = load({"AOTEL_CAPTURE": "loud", "ENVPOD_COAT_CAPTURE": "hash"})
    assert settings.capture == "hash"
    assert settings.problems[0].endswith("; using ENVPOD_COAT_CAPTURE.")


def test_one_wrong_value_that_serves_two_variables_is_one_problem() -> None:
    assert len(load({"OTEL_EXPORTER_OTLP_PROTOCOL": "smoke"}).problems) == 1


def test_a_problem_shows_neither_passwords_nor_pages() -> None:
    secret = load({"AOTEL_ENVELOPES": "https://user:hunter2@host/x"}).problems[0]
    assert "hunter2" not in secret
    assert len(load({"AOTEL_CAPTURE": "x" * 100_000}).problems[0]) < 300


def test_keys_are_not_in_the_representation() -> None:
    assert "hunter2" not in repr(load({"AOTEL_REDACTION_KEY": "hunter2", "AOTEL_HASH_KEY": "hunter2"}))


@pytest.mark.parametrize("name", HIDE)
def test_each_openinference_switch_hides_its_part(name: str) -> None:
    assert load({name: "TRUE"}).hide == {name.removeprefix("OPENINFERENCE_HIDE_").lower()}
    assert load({name: "false"}).hide == set()


@pytest.mark.parametrize(
    ("value", "off"),
    [("NO_CONTENT", True), ("no_content", True), ("False", True), ("", False), ("true", False), ("SPAN_ONLY", False)],
)
@pytest.mark.parametrize("switch", ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "TRACELOOP_TRACE_CONTENT"])
def test_switches_of_others_only_turn_content_off(switch: str, value: str, off: bool) -> None:
    settings = load({switch: value})
    assert settings.message_content_off is off
    assert settings.problems == ()


def test_patterns_are_split_at_commas_and_lines_but_not_inside_brackets() -> None:
    value = r"CUST-[0-9]{6,8},INV-\d+" + "\n" + r"(a,b)|[,;] , x\,y,[([],\(z"
    assert load({"AOTEL_REDACT_PATTERNS": value}).redact_patterns == (
        r"CUST-[0-9]{6,8}",
        r"INV-\d+",
        r"(a,b)|[,;]",
        r"x\,y",
        r"[([]",
        r"\(z",
    )


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(", "is no regular expression"), ("a{99999999999}", "is no"), ("a*", "matches the empty text")],
)
def test_a_pattern_that_cannot_be_used_is_dropped_and_the_others_stay(pattern: str, why: str) -> None:
    settings = load({"AOTEL_REDACT_PATTERNS": f"CUST-[0-9]+\n{pattern}\nINV"})
    assert settings.redact_patterns == ("CUST-[0-9]+", "INV")
    (problem,) = settings.problems
    assert problem.startswith(f"AOTEL_REDACT_PATTERNS has {pattern!r}, which {why}")
    assert problem.endswith("; going on without it.")


def test_an_odd_but_usable_pattern_stays() -> None:
    assert load({"AOTEL_REDACT_PATTERNS": "[[a]"}).redact_patterns == ("[[a]",)


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(HOSTILE) | st.text()))
def test_no_environment_makes_it_raise(environ: dict[str, str]) -> None:
    settings = load(environ)
    assert settings.capture in {None, "none", "redacted", "hash", "summary", "raw"}
    assert settings.preview_length >= 0
    assert settings.envelopes
    assert set(settings.dialects) <= {"genai", "openinference", "openllmetry"}
    assert {settings.otlp_traces_protocol, settings.otlp_logs_protocol} <= {"grpc", "http/protobuf"}
    for pattern in settings.redact_patterns:
        re.compile(pattern)
    for key in (settings.redaction_key, settings.hash_key):
        assert key is None or isinstance(key, bytes)
    for text in (settings.session_id, settings.agent_id, settings.agent_role, settings.pod_id, *settings.redact_names):
        assert text is None or text.encode()
    assert all(problem.endswith(".") and "\n" not in problem for problem in settings.problems)
    assert len(set(settings.problems)) == len(settings.problems)


@given(st.lists(st.sampled_from(["pod", " OTLP", "stderr", "file:a b", "auto", "none", "", "disk", "FILE: x"])))
def test_destinations_are_accepted_or_refused_as_in_the_environment(items: list[str]) -> None:
    in_environment = load({"AOTEL_ENVELOPES": ",".join(items)}).envelopes
    try:
        checked = check_envelopes(items)
    except ValueError:
        assert in_environment == ("auto",)
    else:
        assert in_environment == checked == check_envelopes(checked)


def test_a_wrong_destination_is_named() -> None:
    with pytest.raises(ValueError, match=r"envelopes: expected some of auto, .*, got 'disk'"):
        check_envelopes(["pod", "disk"])
    with pytest.raises(ValueError, match="envelopes: 'none' cannot stand beside others, got pod, none"):
        check_envelopes(["pod", "none"])


def test_a_destination_that_is_no_string_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="envelopes: expected strings, got int"):
        check_envelopes([1])


def test_other_destinations_leave_the_rest_alone() -> None:
    settings = load({"AOTEL_AGENT_ID": "a"}).with_envelopes(("pod",))
    assert (settings.envelopes, settings.agent_id) == (("pod",), "a")


def test_a_problem_is_logged_once_a_process(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aotel.settings._reported", set())
    first, second = load({"AOTEL_CAPTURE": "loud"}), load({"AOTEL_CAPTURE": "loud", "AOTEL_DISABLED": "maybe"})
    with caplog.at_level(logging.WARNING, logger="aotel"):
        report(first)
        report(first)
        report(second)
    assert [record.getMessage() for record in caplog.records] == list(second.problems)
    assert {(record.name, record.levelname) for record in caplog.records} == {("aotel", "WARNING")}


def test_without_problems_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    report(load({}))
    assert caplog.records == []
