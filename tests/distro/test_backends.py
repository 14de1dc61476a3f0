"""Programs whose spans go to backends by name: to local receivers that note what vendors document that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

import aotel
from tests.distro.programs import CALL, SPANS
from tests.servers import OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from pathlib import Path

    from tests.distro.programs import Programs

TOOL_KINDS = ["agent.tool.call", "agent.tool.result"]
either_way = pytest.mark.parametrize("instrumented", [True, False], ids=["opentelemetry-instrument", "by itself"])


def phoenix(receiver: OtlpReceiver, **further: str) -> dict[str, str]:
    return {
        "AOTEL_BACKEND": "phoenix",
        "PHOENIX_COLLECTOR_ENDPOINT": "http://127.0.0.1:6006",
        "PHOENIX_GRPC_PORT": str(receiver.port),
        **further,
    }


@either_way
def test_a_named_backend_gets_the_spans_and_nobody_else(
    programs: Programs, receiver: OtlpReceiver, *, instrumented: bool
) -> None:
    with OtlpReceiver() as backend:
        ended = programs.run(CALL, environment=phoenix(backend), instrumented=instrumented)
        (span,) = backend.spans
    assert ended.untouched, ended.stderr
    assert receiver.requests == 0  # an endpoint alone asks for nothing where a backend is named
    assert span.attributes["openinference.span.kind"] == "TOOL"
    # Phoenix reads the other vocabulary: content is not sent twice.
    assert [name for name in span.attributes if name.startswith("gen_ai.")] == ["gen_ai.operation.name"]
    assert ended.kinds == TOOL_KINDS


def test_several_at_once_and_an_exporter_of_the_users_besides(programs: Programs, receiver: OtlpReceiver) -> None:
    with OtlpReceiver() as one, OtlpHttpReceiver() as two:
        keys = {"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk", "LANGFUSE_BASE_URL": two.endpoint}
        ended = programs.run(CALL, environment={**phoenix(one), **keys, "AOTEL_BACKEND": "phoenix,langfuse,otlp"})
        received = [*one.spans, *two.spans, *receiver.spans]
    assert ended.untouched, ended.stderr
    assert len(received) == 3
    assert len({span.span_id for span in received}) == 1
    assert all("gen_ai.operation.name" in span.attributes for span in received)  # the receiver of `otlp` may read it


CHAT = """
    import aotel
    aotel.configure()

    from opentelemetry import trace

    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m1",
        "gen_ai.provider.name": "acme",
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "what is in my notes"}]}]',
        "gen_ai.usage.input_tokens": 3,
        "app.tenant": "t1",
        "user.id": "u1",
    }
    with trace.get_tracer("app").start_as_current_span("chat m1", attributes=said):
        pass

    @aotel.coat("tool")
    def search(query):
        return ["found", query]

    search("what is in my notes")
"""
"""A program with a model call of another instrumentation, and a tool of ours, that take the same content."""


@pytest.mark.parametrize("dialects", ["", "genai,openinference"], ids=["by backend", "by AOTEL_DIALECTS"])
def test_each_of_several_backends_gets_its_own_vocabulary(
    programs: Programs, receiver: OtlpReceiver, dialects: str
) -> None:
    with OtlpReceiver() as there, OtlpHttpReceiver() as elsewhere:
        ended = programs.run(
            f"""
            from aotel import backends

            datadog = backends.PRESETS["datadog"]
            backends.PRESETS["datadog"] = datadog._replace(
                target=lambda settings: datadog.target(settings)._replace(endpoint="{elsewhere.endpoint}/v1/traces")
            )
            """,
            CHAT,
            environment={
                **phoenix(there),
                "AOTEL_BACKEND": "phoenix,datadog",
                "AOTEL_DIALECTS": dialects,
                "DD_API_KEY": "key-1",
                "OTEL_TRACES_EXPORTER": "otlp",
            },
            instrumented=False,
        )
        of_phoenix, of_datadog, of_all = ([*spans] for spans in (there.spans, elsewhere.spans, receiver.spans))
    assert ended.untouched, ended.stderr
    assert [len(spans) for spans in (of_phoenix, of_datadog, of_all)] == [2, 2, 2]
    for one, two, everything in zip(of_phoenix, of_datadog, of_all, strict=True):
        genai = {name for name in everything.attributes if name.startswith("gen_ai.")}
        others = {
            name for name in everything.attributes if name.startswith(("openinference.", "llm.", "input.", "output."))
        } | {"tool.name", "tool.parameters"} & everything.attributes.keys()
        assert len(genai) > 2
        assert len(others) > 2
        if dialects:  # whoever says which are written gets them written
            assert one.attributes == two.attributes == everything.attributes
            continue
        assert everything.attributes.keys() - one.attributes.keys() == genai - {"gen_ai.operation.name"}
        left_out = everything.attributes.keys() - two.attributes.keys()
        assert others <= left_out
        assert not {name for name in left_out if name.startswith(("gen_ai.", "aot.", "app.", "user."))}
    content = "what is in my notes"
    if not dialects:
        assert sum(content in str(value) for value in of_datadog[0].attributes.values()) == 1
        assert of_phoenix[0].attributes["app.tenant"] == of_datadog[0].attributes["app.tenant"] == "t1"
        assert of_phoenix[0].attributes["llm.token_count.prompt"] == 3
        assert of_datadog[0].attributes["gen_ai.usage.input_tokens"] == 3


def test_langfuse_gets_what_it_documents(programs: Programs) -> None:
    """Path, Basic authentication, protobuf, gzip (Langfuse's API reference, `POST /api/public/otel/v1/traces`)."""
    with OtlpHttpReceiver() as backend:
        keys = {"LANGFUSE_PUBLIC_KEY": "pk-1", "LANGFUSE_SECRET_KEY": "sk-2", "LANGFUSE_BASE_URL": backend.endpoint}
        ended = programs.run(SPANS, environment={"AOTEL_BACKEND": "langfuse", **keys})
        (span,) = backend.spans
    assert ended.untouched, ended.stderr
    assert backend.paths == ["/api/public/otel/v1/traces"]
    (headers,) = backend.headers
    assert headers["authorization"] == "Basic cGstMTpzay0y"
    assert (headers["content-type"], headers["content-encoding"]) == ("application/x-protobuf", "gzip")
    assert span.attributes["openinference.span.kind"] == "LLM"
    assert span.attributes["llm.token_count.prompt"] == 3


def test_arize_gets_what_it_documents_over_tls(programs: Programs, tmp_path: Path) -> None:
    """Space and key as metadata, a project on the resource (arize-otel 0.14), gRPC with TLS, gzip."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with OtlpReceiver(certificate=authority.issue_cert("127.0.0.1")) as backend:
        environment = {
            "AOTEL_BACKEND": "arize",
            "ARIZE_SPACE_ID": "space-1",
            "ARIZE_API_KEY": "key-2",
            "ARIZE_COLLECTOR_ENDPOINT": f"https://127.0.0.1:{backend.port}/v1",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tmp_path / "ca.pem"),
            "OTEL_SERVICE_NAME": "docs-agent",
        }
        ended = programs.run(SPANS, environment=environment)
        (span,) = backend.spans
    assert ended.untouched, ended.stderr
    (headers,) = backend.headers
    assert (headers["authorization"], headers["arize-space-id"]) == ("key-2", "space-1")
    assert (headers["api_key"], headers["space_id"]) == ("key-2", "space-1")
    assert span.resource["openinference.project.name"] == "docs-agent"
    assert span.attributes["openinference.span.kind"] == "LLM"


def test_a_certificate_that_nobody_vouches_for_is_one_message(programs: Programs) -> None:
    with OtlpReceiver(certificate=trustme.CA().issue_cert("127.0.0.1")) as backend:
        keys = {"ARIZE_SPACE_ID": "s", "ARIZE_API_KEY": "k"}
        endpoint = f"https://127.0.0.1:{backend.port}/v1"
        environment = {"AOTEL_BACKEND": "arize", "ARIZE_COLLECTOR_ENDPOINT": endpoint, **keys}
        ended = programs.run(CALL, environment=environment, timed=True)
        assert backend.spans == []
    assert ended.code == 0
    (line,) = [line for line in ended.stderr.splitlines() if "aotel" in line]  # gRPC's core has words of its own
    assert f"Arize ({endpoint})" in line
    assert ended.seconds_after_end is not None
    assert ended.seconds_after_end < 8


def test_datadog_gets_what_it_documents(programs: Programs) -> None:
    """Headers, and the GenAI vocabulary of 1.37 (Datadog, "OpenTelemetry Instrumentation" of LLM Observability)."""
    with OtlpHttpReceiver() as backend:
        ended = programs.run(
            f"""
            from aotel import backends
            import aotel

            datadog = backends.PRESETS["datadog"]
            backends.PRESETS["datadog"] = datadog._replace(
                target=lambda settings: datadog.target(settings)._replace(endpoint="{backend.endpoint}/v1/traces")
            )
            """,
            SPANS.replace("from opentelemetry import trace", "from opentelemetry import trace\n    aotel.configure()"),
            environment={"AOTEL_BACKEND": "datadog", "DD_API_KEY": "key-1"},
            instrumented=False,
        )
        (span,) = backend.spans
    assert ended.untouched, ended.stderr
    (headers,) = backend.headers
    assert (headers["dd-api-key"], headers["dd-otlp-source"]) == ("key-1", "llmobs")
    assert (headers["content-type"], headers["content-encoding"]) == ("application/x-protobuf", "gzip")
    assert span.attributes["gen_ai.operation.name"] == "chat"
    assert span.attributes["gen_ai.provider.name"] == "acme"
    assert span.attributes["gen_ai.usage.input_tokens"] == 3
    assert not [name for name in span.attributes if name.startswith(("llm.", "openinference."))]


@either_way
def test_a_missing_key_is_said_once_and_the_program_goes_on(programs: Programs, *, instrumented: bool) -> None:
    ended = programs.run(CALL, CALL, environment={"AOTEL_BACKEND": "datadog"}, instrumented=instrumented)
    assert ended.code == 0
    (line,) = ended.stderr.splitlines()
    assert line.endswith("the backend datadog needs DD_API_KEY, so nothing is sent to it")
    assert ended.kinds == TOOL_KINDS * 2


def test_the_headers_of_somebody_else_stay_away(programs: Programs) -> None:
    with OtlpReceiver() as backend:
        environment = phoenix(backend, OTEL_EXPORTER_OTLP_HEADERS="api-key=of-another-vendor")
        programs.run(CALL, environment=environment)
        (headers,) = backend.headers
    assert "api-key" not in headers


def test_a_project_is_named_to_its_backend_alone(programs: Programs, receiver: OtlpReceiver) -> None:
    with OtlpReceiver() as backend:
        environment = phoenix(backend, PHOENIX_PROJECT="mine", AOTEL_BACKEND="phoenix,otlp")
        ended = programs.run(CALL, environment=environment)
        (there,), (elsewhere,) = backend.spans, receiver.spans
    assert ended.untouched, ended.stderr
    assert there.resource["openinference.project.name"] == "mine"
    assert "openinference.project.name" not in elsewhere.resource


def test_a_provider_of_the_program_gets_the_backend_once(programs: Programs) -> None:
    """Whatever it is called from: the program's own provider is left as it is, but for what was asked for."""
    with OtlpReceiver() as backend:
        ended = programs.run(
            """
            from opentelemetry import trace
            from opentelemetry.sdk.trace import TracerProvider
            trace.set_tracer_provider(TracerProvider())

            import aotel
            aotel.configure(backend="phoenix")
            aotel.configure(backend=["phoenix"])
            """,
            CALL,
            environment=phoenix(backend, AOTEL_BACKEND=""),
            instrumented=False,
        )
        received = list(backend.spans)
    assert ended.untouched, ended.stderr
    assert [span.name for span in received] == ["search"]


def test_a_provider_that_is_made_later_gets_the_backend_too(programs: Programs) -> None:
    with OtlpReceiver() as backend:
        ended = programs.run(
            """
            from opentelemetry.sdk.trace import TracerProvider
            with TracerProvider().get_tracer("own").start_as_current_span("of another provider"):
                pass
            """,
            environment=phoenix(backend),
        )
        received = list(backend.spans)
    assert ended.untouched, ended.stderr
    assert [span.name for span in received] == ["of another provider"]


def test_the_backend_pod_keeps_spans_on_the_machine(programs: Programs, receiver: OtlpReceiver, tmp_path: Path) -> None:
    socket = tmp_path / "none.sock"
    environment = {"AOTEL_BACKEND": "pod", "AOTEL_ENVELOPES": "", "ENVPOD_SOCKET": str(socket)}
    ended = programs.run(CALL, environment=environment)
    assert ended.code == 0
    assert receiver.requests == 0
    assert str(socket) in ended.stderr  # where envelopes were to go


def test_a_backend_that_is_none_is_named() -> None:
    with pytest.raises(aotel.ConfigurationError, match=r"backend names some of phoenix, .*; got 'fenix'"):
        aotel.configure(backend="fenix")
