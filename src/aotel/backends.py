"""The backends that spans can be sent to by name: where each is, how it is entered, what it reads and takes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from aotel._version import __version__
from aotel.semconv import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aotel.semconv.environment import Variable
    from aotel.settings import Settings
    from aotel.settings.backends import BackendVariables

__all__ = ["PRESETS", "Preset", "Target", "dialects_of", "missing", "table", "targets"]

GRPC: Final = "grpc"
HTTP: Final = "http/protobuf"

_OTLP_GRPC_PORT: Final = 4317  # OTLP specification 1.5
_PHOENIX_KEYS: Final = (env.PHOENIX_API_KEY.name,)
_OPENINFERENCE: Final = ("openinference",)
_GENAI: Final = ("genai",)
_BOTH: Final = ("genai", "openinference")


class Target(NamedTuple):
    """Where spans of this process go for one backend.

    Args:
        backend: the backend's title.
        endpoint: address, with the path of traces where they travel over HTTP.
        protocol: `grpc` or `http/protobuf`.
        headers: what goes with each request, never empty: without any, an exporter sends those that
            `OTEL_EXPORTER_OTLP_HEADERS` has for somebody else.
        project: project that the backend files the spans under, by the resource's `openinference.project.name`.
        needs_project: whether there has to be one: then it is the service's name where nothing says it.
        compression: `gzip`, or None where the user's variables decide.
        keys: the variables that say who sends.
        dialects: vocabularies that it reads.
    """

    backend: str
    endpoint: str
    protocol: str
    headers: tuple[tuple[str, str], ...]
    project: str | None = None
    needs_project: bool = False
    compression: str | None = "gzip"
    keys: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()

    def options(self) -> dict[str, object]:
        """Return what an exporter of spans has to be told."""
        found: dict[str, object] = {"endpoint": self.endpoint, "headers": dict(self.headers)}
        return {**found, "compression": self.compression} if self.compression else found


class Preset(NamedTuple):
    """What is known of a backend.

    Args:
        title: its name as people write it.
        place: its address, for people.
        dialects: vocabularies that it reads, one where it reads several: content is not sent twice.
        needs: variables without which nothing can be sent to it.
        takes_logs: whether it takes envelopes as log records.
        takes_metrics: whether it takes metrics.
        note: what else there is to know, for people.
        target: builds its target from the settings; None where OpenTelemetry's own variables, or none, say it.
    """

    title: str
    place: str
    dialects: tuple[str, ...]
    needs: tuple[Variable, ...] = ()
    takes_logs: bool = False
    takes_metrics: bool = False
    note: str = ""
    target: Callable[[Settings], Target] | None = None


def _phoenix(settings: Settings) -> Target:
    said = settings.backends
    parts = urlsplit(said.phoenix_endpoint)
    over_http = parts.scheme == "https" or bool(parts.path) or settings.otlp_traces_protocol == HTTP
    if over_http:
        path = parts.path.removesuffix("/v1/traces")
        endpoint, protocol = f"{parts.scheme}://{parts.netloc}{path}/v1/traces", HTTP
    else:
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        endpoint, protocol = f"http://{host}:{said.phoenix_grpc_port or _OTLP_GRPC_PORT}", GRPC
    headers = dict(said.phoenix_headers)
    if said.phoenix_api_key:
        headers["authorization"] = f"Bearer {said.phoenix_api_key}"
    return Target(
        "Phoenix", endpoint, protocol, _signed(headers), said.phoenix_project, compression=None, keys=_PHOENIX_KEYS
    )


def _arize(settings: Settings) -> Target:
    said = settings.backends
    key, space = said.arize_api_key or "", said.arize_space_id or ""
    # Both the names of arize-otel 0.14 and those before it, which collectors in the field may know alone.
    headers = {
        "authorization": key,
        "api_key": key,
        "arize-space-id": space,
        "space_id": space,
        "arize-interface": "otel",
    }
    over_http = settings.otlp_traces_protocol == HTTP
    endpoint = f"{said.arize_endpoint}/traces" if over_http else said.arize_endpoint
    protocol = HTTP if over_http else GRPC
    return Target("Arize", endpoint, protocol, _signed(headers), said.arize_project, needs_project=True)


def _datadog(settings: Settings) -> Target:
    said = settings.backends
    headers = {"dd-api-key": said.datadog_api_key or "", "dd-otlp-source": "llmobs"}
    return Target("Datadog", f"https://otlp.{said.datadog_site}/v1/traces", HTTP, _signed(headers))


def _langfuse(settings: Settings) -> Target:
    said = settings.backends
    pair = f"{said.langfuse_public_key}:{said.langfuse_secret_key}"
    headers = {
        "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "x-langfuse-ingestion-version": "4",  # seen at once, and not after the minutes that the older way takes
    }
    return Target("Langfuse", f"{said.langfuse_url}/api/public/otel/v1/traces", HTTP, _signed(headers))


def _signed(headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return (*headers.items(), ("x-aotel-version", __version__))


PRESETS: Final[dict[str, Preset]] = {
    "phoenix": Preset(
        "Phoenix",
        "`PHOENIX_COLLECTOR_ENDPOINT`: gRPC on port 4317 of its host; HTTP where it is `https` or has a path",
        _OPENINFERENCE,
        note="`PHOENIX_API_KEY` if it asks for one; `PHOENIX_PROJECT` for a project of its own",
        target=_phoenix,
    ),
    "arize": Preset(
        "Arize AX",
        "`otlp.arize.com` over gRPC, or `ARIZE_COLLECTOR_ENDPOINT`",
        _OPENINFERENCE,
        (env.ARIZE_SPACE_ID, env.ARIZE_API_KEY),
        note="`ARIZE_PROJECT_NAME`, else the service's name, is the project: it takes no span without one",
        target=_arize,
    ),
    "datadog": Preset(
        "Datadog LLM Observability",
        "`otlp.<DD_SITE>` over HTTP",
        _GENAI,
        (env.DD_API_KEY,),
        note="`DD_SITE` for sites other than `datadoghq.com`",
        target=_datadog,
    ),
    "langfuse": Preset(
        "Langfuse",
        "`cloud.langfuse.com` over HTTP, or `LANGFUSE_BASE_URL`",
        _OPENINFERENCE,
        (env.LANGFUSE_PUBLIC_KEY, env.LANGFUSE_SECRET_KEY),
        target=_langfuse,
    ),
    "otlp": Preset(
        "any OTLP receiver",
        "`OTEL_EXPORTER_OTLP_*`: gRPC on port 4317 of this machine unless set",
        _BOTH,
        takes_logs=True,
        takes_metrics=True,
        note="a receiver without logs or metrics is told once and left alone",
    ),
    "pod": Preset(
        "the pod runtime",
        "`ENVPOD_SOCKET`",
        _BOTH,
        note="envelopes alone, by its socket; spans stay on the machine",
    ),
}
"""Every backend by its name in `AOTEL_BACKEND`."""


def targets(settings: Settings) -> tuple[Target, ...]:
    """Return where spans go for the backends that settings name, but for those that `missing` tells of."""
    absent = missing(settings)
    presets = [PRESETS[name] for name in settings.backend if name not in absent]
    found = [(preset, preset.target(settings)) for preset in presets if preset.target is not None]
    return tuple(
        target._replace(keys=target.keys or tuple(variable.name for variable in preset.needs), dialects=preset.dialects)
        for preset, target in found
    )


def missing(settings: Settings) -> dict[str, str]:
    """Return the backends that nothing can be sent to, each with a sentence that says what it lacks."""
    return {
        name: f"the backend {name} needs {' and '.join(lacking)}, so nothing is sent to it"
        for name in settings.backend
        if (lacking := [variable.name for variable in PRESETS[name].needs if not _is_set(variable, settings.backends)])
    }


_FIELDS: Final = {
    env.ARIZE_SPACE_ID: "arize_space_id",
    env.ARIZE_API_KEY: "arize_api_key",
    env.DD_API_KEY: "datadog_api_key",
    env.LANGFUSE_PUBLIC_KEY: "langfuse_public_key",
    env.LANGFUSE_SECRET_KEY: "langfuse_secret_key",
}


def _is_set(variable: Variable, said: BackendVariables) -> bool:
    return bool(getattr(said, _FIELDS[variable]))


def dialects_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the vocabularies that some backends read together, in one order."""
    read = {dialect for name in names for dialect in PRESETS[name].dialects}
    return tuple(dialect for dialect in _BOTH if dialect in read)


def table() -> str:
    """Return all presets as a table of Markdown."""
    lines = [
        "| name | backend | where | needs | reads | takes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, preset in PRESETS.items():
        needs = ", ".join(f"`{variable.name}`" for variable in preset.needs) or "-"
        takes = ["spans"] if name != "pod" else ["envelopes"]
        takes += ["envelopes"] * preset.takes_logs + ["metrics"] * preset.takes_metrics
        note = f"; {preset.note}" if preset.note else ""
        reads = ", ".join(preset.dialects)
        lines.append(f"| `{name}` | {preset.title} | {preset.place}{note} | {needs} | {reads} | {', '.join(takes)} |")
    return "\n".join(lines) + "\n"
