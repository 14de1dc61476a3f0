"""Backends by name: where each is, by the variables of its vendor, and what goes with each request.

What vendors document, as of the versions named here, is the source: arize-phoenix-otel 0.17, arize-otel 0.14, Datadog's
"OpenTelemetry Instrumentation" of LLM Observability, Langfuse's API reference (`otel/v1/traces`) and SDK 5.
"""

from __future__ import annotations

import base64

import pytest

from aotel import backends
from aotel.backends import PRESETS, Target, dialects_of, missing, targets
from aotel.semconv import environment as env
from aotel.settings import load


def target(backend: str, **variables: str) -> Target:
    (found,) = targets(load({"AOTEL_BACKEND": backend, **variables}))
    return found


def test_every_name_has_a_preset() -> None:
    assert tuple(PRESETS) == env.AOTEL_BACKEND.members


@pytest.mark.parametrize(
    ("variables", "endpoint", "protocol"),
    [
        ({}, "http://localhost:4317", "grpc"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "http://phoenix:6006/"}, "http://phoenix:4317", "grpc"),
        (
            {"PHOENIX_COLLECTOR_ENDPOINT": "http://phoenix:6006", "PHOENIX_GRPC_PORT": "14317"},
            "http://phoenix:14317",
            "grpc",
        ),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "http://[::1]:6006"}, "http://[::1]:4317", "grpc"),
        ({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, "http://localhost:6006/v1/traces", "http/protobuf"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "http://h:6006/v1/traces"}, "http://h:6006/v1/traces", "http/protobuf"),
        (
            {"PHOENIX_COLLECTOR_ENDPOINT": "https://app.phoenix.arize.com/s/mine"},
            "https://app.phoenix.arize.com/s/mine/v1/traces",
            "http/protobuf",
        ),
    ],
)
def test_phoenix_is_where_its_own_variables_say(variables: dict[str, str], endpoint: str, protocol: str) -> None:
    found = target("phoenix", **variables)
    assert (found.endpoint, found.protocol) == (endpoint, protocol)


def test_phoenix_takes_a_key_headers_and_a_project() -> None:
    headers = "X-Team=agents,x-note=a%20b"
    found = target("phoenix", PHOENIX_API_KEY="k", PHOENIX_CLIENT_HEADERS=headers, PHOENIX_PROJECT_NAME="docs")
    assert dict(found.headers) == {
        "authorization": "Bearer k",
        "x-team": "agents",
        "x-note": "a b",
        "x-aotel-version": found.headers[-1][1],
    }
    assert (found.project, found.needs_project) == ("docs", False)


def test_arize_gets_space_and_key_under_its_newer_and_its_older_names() -> None:
    found = target("arize", ARIZE_API_KEY="k", ARIZE_SPACE_ID="s")
    assert (found.endpoint, found.protocol, found.needs_project) == ("https://otlp.arize.com/v1", "grpc", True)
    headers = dict(found.headers)
    assert (headers["authorization"], headers["arize-space-id"]) == ("k", "s")
    assert (headers["api_key"], headers["space_id"]) == ("k", "s")
    over_http = target(
        "arize", ARIZE_API_KEY="k", ARIZE_SPACE_ID="s", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="http/protobuf"
    )
    assert (over_http.endpoint, over_http.protocol) == ("https://otlp.arize.com/v1/traces", "http/protobuf")


def test_datadog_is_at_its_site_and_told_that_this_is_for_llm_observability() -> None:
    found = target("datadog", DD_API_KEY="k", DD_SITE="datadoghq.eu")
    assert (found.endpoint, found.protocol) == ("https://otlp.datadoghq.eu/v1/traces", "http/protobuf")
    assert dict(found.headers) | {"x-aotel-version": ""} == {
        "dd-api-key": "k",
        "dd-otlp-source": "llmobs",
        "x-aotel-version": "",
    }


def test_langfuse_is_entered_with_both_halves_of_its_key() -> None:
    found = target(
        "langfuse", LANGFUSE_PUBLIC_KEY="pk-lf-1", LANGFUSE_SECRET_KEY="sk-lf-2", LANGFUSE_HOST="http://lf:3000/"
    )
    assert (found.endpoint, found.protocol) == ("http://lf:3000/api/public/otel/v1/traces", "http/protobuf")
    scheme, _, pair = dict(found.headers)["authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair)) == ("Basic", b"pk-lf-1:sk-lf-2")
    assert dict(found.headers)["x-langfuse-ingestion-version"] == "4"


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("arize", "the backend arize needs ARIZE_SPACE_ID and ARIZE_API_KEY, so nothing is sent to it"),
        ("datadog", "the backend datadog needs DD_API_KEY, so nothing is sent to it"),
        (
            "langfuse",
            "the backend langfuse needs LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, so nothing is sent to it",
        ),
    ],
)
def test_a_missing_key_is_one_sentence(backend: str, sentence: str) -> None:
    settings = load({"AOTEL_BACKEND": f"{backend},phoenix"})
    assert missing(settings) == {backend: sentence}
    assert [each.backend for each in targets(settings)] == ["Phoenix"]


def test_a_key_that_is_no_header_is_not_shown() -> None:
    settings = load({"AOTEL_BACKEND": "datadog", "DD_API_KEY": "s3cr\net"})
    (problem,) = settings.problems
    assert problem == "DD_API_KEY can't be used, expected printable ASCII; using the default, unset."
    assert "s3cr" not in repr(settings)


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"PHOENIX_COLLECTOR_ENDPOINT": "localhost:6006"}, "PHOENIX_COLLECTOR_ENDPOINT"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "http://h:99999"}, "PHOENIX_COLLECTOR_ENDPOINT"),
        ({"PHOENIX_GRPC_PORT": "70000"}, "PHOENIX_GRPC_PORT"),
        ({"DD_SITE": "evil.example/path?"}, "DD_SITE"),
        ({"PHOENIX_CLIENT_HEADERS": "no-equals"}, "PHOENIX_CLIENT_HEADERS"),
        ({"LANGFUSE_BASE_URL": "ftp://x"}, "LANGFUSE_BASE_URL"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(variables: dict[str, str], names: str) -> None:
    (problem,) = load(variables).problems
    assert problem.startswith(names)


def test_secrets_are_not_in_what_settings_show() -> None:
    names = ("PHOENIX_API_KEY", "ARIZE_API_KEY", "DD_API_KEY", "LANGFUSE_SECRET_KEY")
    assert "hidden-value" not in repr(load(dict.fromkeys(names, "hidden-value")))


def test_only_what_is_read_is_written() -> None:
    assert dialects_of(["phoenix"]) == ("openinference",)
    assert dialects_of(["datadog"]) == ("genai",)
    assert dialects_of(["phoenix", "datadog"]) == ("genai", "openinference")
    assert dialects_of(["otlp"]) == ("genai", "openinference")


def test_the_table_has_a_row_for_each() -> None:
    rows = backends.table().splitlines()[2:]
    assert [row.split("|")[1].strip(" `") for row in rows] == list(PRESETS)
