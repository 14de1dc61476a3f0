"""Every environment variable that aotel reads, typed and validated; nothing else reads the environment."""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import TYPE_CHECKING

from aotel.semconv import environment as env
from aotel.settings.backends import BackendVariables, read_backends
from aotel.settings.envelopes import check_envelopes, parse_envelopes
from aotel.settings.reading import (
    Reader,
    is_off,
    items_of,
    key_bytes,
    lower,
    lower_items,
    one_of,
    run_name,
    shown,
    some_of,
    stripped,
    verbatim,
    whole_number,
    without_off,
    without_password,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Settings", "check_envelopes", "load", "report", "variables_set", "without_password"]

_HIDE = "OPENINFERENCE_HIDE_"
_SERVERLESS = (env.AWS_LAMBDA_FUNCTION_NAME, env.K_SERVICE, env.FUNCTIONS_WORKER_RUNTIME)
_CONTENT_SWITCHES = (env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, env.TRACELOOP_TRACE_CONTENT)

_logger = logging.getLogger("aotel")
_reported: set[str] = set()


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    Attributes:
        pod_id: Pod that the process runs in.
        pod_socket: Path of the pod's queue socket.
        capture: Content mode that the operator demands.
        preview_length: Characters of a preview in an envelope.
        content_limit: Characters of one text in a span attribute.
        agent_id: Agent that the process speaks for.
        agent_role: Its role.
        session_id: Session to continue, verbatim.
        run_id: Run to continue.
        envelopes: Where envelopes go: `auto`, `none`, or some of `pod`, `otlp`, `stderr`, `file:PATH`.
        backend: Backends by name, each one that there is a preset for.
        backends: What the vendors' own variables say.
        dialects: Attribute vocabularies to write.
        dialects_set: Whether the user has set them.
        keep_errors: Whether runs that failed are exported though the sampler dropped them.
        keep_max_bytes: Memory for spans of runs that may yet fail.
        propagate_session: Whether session and run ids travel in baggage.
        propagate_processes: Whether child processes are told trace, session and run.
        instrument: Libraries whose calls become spans: `all`, `none`, or some by name.
        console: Live view in the process: `off`, `rich`, `simple` or `json`.
        console_level: The least that it shows: `debug`, `info`, `warning` or `error`.
        sensor: What of its own doings the process tells the pod: some of `files`, `network`, `processes`.
        sensor_policy: Which hosts and paths are allowed, as JSON.
        durability: What survives of what waits: `memory`, `journal` or `fsync`.
        spool_directory: Where it is kept; None for the user's state directory.
        spool_max_bytes: How much of it is kept, in bytes.
        flush: What the end of a root span does: `background`, `wait` or `off`.
        sigterm: What SIGTERM does where the program leaves it to the system: `flush` or `off`.
        disabled: Whether everything is off.
        redact_names: Further names whose values are secret.
        redact_patterns: Further regular expressions of secrets; each compiles.
        redaction_key: Key of redaction markers.
        hash_key: Key of the `hash` content mode.
        message_content_off: Whether a switch of GenAI or OpenLLMetry for message content is off, explicitly.
        hide: Which `OPENINFERENCE_HIDE_*` switches are on, by the rest of their names in lower case.
        traces_sampler: `OTEL_TRACES_SAMPLER`.
        traces_sampler_arg: `OTEL_TRACES_SAMPLER_ARG`.
        traces_exporter: `OTEL_TRACES_EXPORTER`.
        logs_exporter: `OTEL_LOGS_EXPORTER`.
        otlp_endpoint: `OTEL_EXPORTER_OTLP_ENDPOINT`.
        otlp_traces_endpoint: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
        otlp_logs_endpoint: `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT`.
        otlp_traces_protocol: `grpc` or `http/protobuf`.
        otlp_logs_protocol: `grpc` or `http/protobuf`.
        attribute_value_length_limit: Characters of a span attribute, by OpenTelemetry's limit.
        attribute_count_limit_set: Whether the user has set OpenTelemetry's limit of attributes.
        traceparent: `TRACEPARENT`, the span that this process continues.
        tracestate: `TRACESTATE`.
        problems: One sentence for each value that could not be used.
    """

    pod_id: str | None = None
    pod_socket: str = "/run/envpod/queue.sock"
    capture: str | None = None
    preview_length: int = 200
    content_limit: int = 32768
    agent_id: str | None = None
    agent_role: str | None = None
    session_id: str | None = None
    run_id: str | None = None
    envelopes: tuple[str, ...] = ("auto",)
    backend: tuple[str, ...] = ()
    backends: BackendVariables = BackendVariables()  # noqa: RUF009 - it can't be changed
    dialects: tuple[str, ...] = ("genai", "openinference")
    dialects_set: bool = False
    keep_errors: bool = False
    keep_max_bytes: int = 33_554_432
    propagate_session: bool = False
    propagate_processes: bool = False
    instrument: tuple[str, ...] = ("all",)
    console: str = "off"
    console_level: str = "info"
    sensor: tuple[str, ...] = ()
    sensor_policy: str | None = None
    durability: str = "memory"
    spool_directory: str | None = None
    spool_max_bytes: int = 256 << 20
    flush: str = "background"
    sigterm: str = "flush"
    disabled: bool = False
    redact_names: tuple[str, ...] = ()
    redact_patterns: tuple[str, ...] = ()
    redaction_key: bytes | None = dataclasses.field(default=None, repr=False)
    hash_key: bytes | None = dataclasses.field(default=None, repr=False)
    message_content_off: bool = False
    hide: frozenset[str] = frozenset()
    traces_sampler: str | None = None
    traces_sampler_arg: str | None = None
    traces_exporter: tuple[str, ...] = ()
    logs_exporter: tuple[str, ...] = ()
    otlp_endpoint: str | None = None
    otlp_traces_endpoint: str | None = None
    otlp_logs_endpoint: str | None = None
    otlp_traces_protocol: str = "grpc"
    otlp_logs_protocol: str = "grpc"
    attribute_value_length_limit: int | None = None
    attribute_count_limit_set: bool = False
    traceparent: str | None = None
    tracestate: str | None = None
    problems: tuple[str, ...] = ()

    def with_envelopes(self, envelopes: tuple[str, ...]) -> Settings:
        """Return the same settings with other destinations of envelopes, as `check_envelopes` returns them."""
        return dataclasses.replace(self, envelopes=envelopes)

    def with_backend(self, backend: tuple[str, ...], dialects: tuple[str, ...]) -> Settings:
        """Return the same settings with other backends, and the vocabularies that they read."""
        return dataclasses.replace(self, backend=backend, dialects=dialects)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    A variable that is empty counts as unset, and so does one whose value cannot be used; then its aliases are read,
    then its default is taken, and `problems` says so. No environment makes this raise.

    Args:
        environ: Variables by name; the process's own by default.
    """
    read = Reader(os.environ if environ is None else environ)
    count = whole_number(0)
    propagated = read.items(env.AOTEL_PROPAGATE, some_of(env.AOTEL_PROPAGATE.members))
    dialects = read.optional(env.AOTEL_DIALECTS, some_of(env.AOTEL_DIALECTS.members))
    return Settings(
        pod_id=read.optional(env.ENVPOD_POD_ID, verbatim),
        pod_socket=read.required(env.ENVPOD_SOCKET, str),
        capture=read.optional(env.AOTEL_CAPTURE, one_of(env.AOTEL_CAPTURE.members)),
        preview_length=read.required(env.AOTEL_PREVIEW_LEN, count),
        content_limit=read.required(env.AOTEL_CONTENT_LIMIT, count),
        agent_id=read.optional(env.AOTEL_AGENT_ID, verbatim),
        agent_role=read.optional(env.AOTEL_AGENT_ROLE, verbatim),
        session_id=read.optional(env.AOTEL_SESSION_ID, verbatim),
        run_id=read.optional(env.AOTEL_RUN_ID, run_name),
        envelopes=read.required(env.AOTEL_ENVELOPES, parse_envelopes),
        backend=read.items(env.AOTEL_BACKEND, some_of(env.AOTEL_BACKEND.members)),
        backends=read_backends(read),
        dialects=dialects or items_of(env.AOTEL_DIALECTS.default or ""),
        dialects_set=dialects is not None,
        keep_errors=read.required(env.AOTEL_KEEP, one_of(env.AOTEL_KEEP.members)) == "errors",
        keep_max_bytes=read.required(env.AOTEL_KEEP_MAX_BYTES, whole_number(1)),
        propagate_session="session" in propagated,
        propagate_processes="processes" in propagated,
        instrument=read.required(env.AOTEL_INSTRUMENT, some_of(env.AOTEL_INSTRUMENT.members)),
        console=read.required(env.AOTEL_CONSOLE, one_of(env.AOTEL_CONSOLE.members)),
        console_level=read.required(env.AOTEL_CONSOLE_LEVEL, one_of(lower(env.AOTEL_CONSOLE_LEVEL.members))),
        sensor=without_off(read.required(env.AOTEL_SENSOR, some_of(env.AOTEL_SENSOR.members))),
        sensor_policy=read.optional(env.AOTEL_SENSOR_POLICY, verbatim),
        durability=read.required(env.AOTEL_DURABILITY, one_of(env.AOTEL_DURABILITY.members)),
        spool_directory=read.optional(env.AOTEL_SPOOL_DIR, verbatim),
        spool_max_bytes=read.required(env.AOTEL_SPOOL_MAX_BYTES, whole_number(env.AOTEL_SPOOL_MAX_BYTES.minimum)),
        flush=_flush(read),
        sigterm=read.required(env.AOTEL_SIGTERM, one_of(env.AOTEL_SIGTERM.members)),
        disabled=any([read.flag(env.AOTEL_DISABLED), read.flag(env.OTEL_SDK_DISABLED)]),
        redact_names=read.items(env.AOTEL_REDACT_NAMES, items_of),
        redact_patterns=read.patterns(env.AOTEL_REDACT_PATTERNS),
        redaction_key=read.optional(env.AOTEL_REDACTION_KEY, key_bytes),
        hash_key=read.optional(env.AOTEL_HASH_KEY, key_bytes),
        message_content_off=any(read.optional(switch, is_off) for switch in _CONTENT_SWITCHES),
        hide=frozenset(
            v.name[len(_HIDE) :].lower() for v in env.VARIABLES if v.name.startswith(_HIDE) and read.flag(v)
        ),
        traces_sampler=read.optional(env.OTEL_TRACES_SAMPLER, stripped),
        traces_sampler_arg=read.optional(env.OTEL_TRACES_SAMPLER_ARG, verbatim),
        traces_exporter=read.items(env.OTEL_TRACES_EXPORTER, lower_items),
        logs_exporter=read.items(env.OTEL_LOGS_EXPORTER, lower_items),
        otlp_endpoint=read.optional(env.OTEL_EXPORTER_OTLP_ENDPOINT, stripped),
        otlp_traces_endpoint=read.optional(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, stripped),
        otlp_logs_endpoint=read.optional(env.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, stripped),
        otlp_traces_protocol=read.protocol(env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL),
        otlp_logs_protocol=read.protocol(env.OTEL_EXPORTER_OTLP_LOGS_PROTOCOL),
        attribute_value_length_limit=read.optional(env.OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT, count),
        attribute_count_limit_set=read.optional(env.OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, count) is not None,
        traceparent=read.optional(env.TRACEPARENT, stripped),
        tracestate=read.optional(env.TRACESTATE, stripped),
        problems=tuple(dict.fromkeys(read.problems)),
    )


def _flush(read: Reader) -> str:
    platforms = [read.optional(platform, verbatim) for platform in _SERVERLESS]
    asked = read.required(env.AOTEL_FLUSH, one_of(env.AOTEL_FLUSH.members))
    if asked == "auto":
        return "wait" if any(platforms) else "background"
    return asked


def report(settings: Settings) -> None:
    """Log every problem of the settings that this process has not logged yet, as a warning of the logger `aotel`."""
    for problem in settings.problems:
        if problem not in _reported:
            _reported.add(problem)
            _logger.warning("%s", problem)


def variables_set(environ: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Return every variable of ours that is set, aliases too, with its value as a person may see it.

    Args:
        environ: Variables by name; the process's own by default.
    """
    found = os.environ if environ is None else environ
    names = ((variable, name) for variable in env.VARIABLES for name in (variable.name, *variable.aliases))
    return [
        (name, "(a secret, not shown)" if variable.secret else shown(found[name]))
        for variable, name in names
        if found.get(name)
    ]
