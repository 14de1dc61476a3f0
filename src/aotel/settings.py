"""Every environment variable that aotel reads: in one place, typed and validated; nothing else reads the environment."""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import warnings
from typing import TYPE_CHECKING, TypeVar

from aotel.semconv import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aotel.semconv.environment import Variable

__all__ = ["Settings", "check_envelopes", "load", "report"]

T = TypeVar("T")

_HIDE = "OPENINFERENCE_HIDE_"
_FILE = "file:"
_ALONE = frozenset({"auto", "none"})
_LARGEST = 2**31 - 1
_SHOWN = 100
_PASSWORD = re.compile(r"//[^/\s]*@")
_OPENING, _CLOSING = "([{", ")]}"

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
        envelopes: Where envelopes go: `auto`, `none`, or some of `pod`, `otlp`, `stderr`, `file:PATH`.
        dialects: Attribute vocabularies to write.
        propagate_session: Whether session and run ids travel in baggage.
        disabled: Whether everything is off.
        redact_names: Further names whose values are secret.
        redact_patterns: Further regular expressions of secrets; each compiles.
        redaction_key: Key of redaction markers.
        hash_key: Key of the `hash` content mode.
        message_content_off: Whether the GenAI switch for message content is off, explicitly.
        hide: Which `OPENINFERENCE_HIDE_*` switches are on, by the rest of their names in lower case.
        traces_exporter: `OTEL_TRACES_EXPORTER`.
        logs_exporter: `OTEL_LOGS_EXPORTER`.
        otlp_endpoint: `OTEL_EXPORTER_OTLP_ENDPOINT`.
        otlp_traces_endpoint: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
        otlp_logs_endpoint: `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT`.
        otlp_traces_protocol: `grpc` or `http/protobuf`.
        otlp_logs_protocol: `grpc` or `http/protobuf`.
        attribute_value_length_limit: Characters of a span attribute, by OpenTelemetry's limit.
        attribute_count_limit_set: Whether the user has set OpenTelemetry's limit of attributes.
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
    envelopes: tuple[str, ...] = ("auto",)
    dialects: tuple[str, ...] = ("genai", "openinference")
    propagate_session: bool = False
    disabled: bool = False
    redact_names: tuple[str, ...] = ()
    redact_patterns: tuple[str, ...] = ()
    redaction_key: bytes | None = dataclasses.field(default=None, repr=False)
    hash_key: bytes | None = dataclasses.field(default=None, repr=False)
    message_content_off: bool = False
    hide: frozenset[str] = frozenset()
    traces_exporter: tuple[str, ...] = ()
    logs_exporter: tuple[str, ...] = ()
    otlp_endpoint: str | None = None
    otlp_traces_endpoint: str | None = None
    otlp_logs_endpoint: str | None = None
    otlp_traces_protocol: str = "grpc"
    otlp_logs_protocol: str = "grpc"
    attribute_value_length_limit: int | None = None
    attribute_count_limit_set: bool = False
    problems: tuple[str, ...] = ()

    def with_envelopes(self, envelopes: tuple[str, ...]) -> Settings:
        """Return the same settings with other destinations of envelopes, as `check_envelopes` returns them."""
        return dataclasses.replace(self, envelopes=envelopes)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    A variable that is empty counts as unset, and so does one whose value cannot be used; then its aliases are read,
    then its default is taken, and `problems` says so. No environment makes this raise.

    Args:
        environ: Variables by name; the process's own by default.
    """
    read = _Reader(os.environ if environ is None else environ)
    return Settings(
        pod_id=read.text(env.ENVPOD_POD_ID),
        pod_socket=read.path(env.ENVPOD_SOCKET),
        capture=read.choice(env.AOTEL_CAPTURE),
        preview_length=read.number(env.AOTEL_PREVIEW_LEN) or 0,
        content_limit=read.number(env.AOTEL_CONTENT_LIMIT) or 0,
        agent_id=read.text(env.AOTEL_AGENT_ID),
        agent_role=read.text(env.AOTEL_AGENT_ROLE),
        session_id=read.text(env.AOTEL_SESSION_ID),
        envelopes=read.parsed(env.AOTEL_ENVELOPES, lambda value: check_envelopes(value.split(","))) or (),
        dialects=read.choices(env.AOTEL_DIALECTS),
        propagate_session="session" in read.choices(env.AOTEL_PROPAGATE),
        disabled=any([read.flag(env.AOTEL_DISABLED), read.flag(env.OTEL_SDK_DISABLED)]),
        redact_names=read.items(env.AOTEL_REDACT_NAMES),
        redact_patterns=read.patterns(env.AOTEL_REDACT_PATTERNS),
        redaction_key=read.key(env.AOTEL_REDACTION_KEY),
        hash_key=read.key(env.AOTEL_HASH_KEY),
        message_content_off=_is_off(read.text(env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)),
        hide=frozenset(v.name[len(_HIDE) :].lower() for v in env.VARIABLES if v.name.startswith(_HIDE) and read.flag(v)),
        traces_exporter=read.items(env.OTEL_TRACES_EXPORTER, str.lower),
        logs_exporter=read.items(env.OTEL_LOGS_EXPORTER, str.lower),
        otlp_endpoint=read.text(env.OTEL_EXPORTER_OTLP_ENDPOINT),
        otlp_traces_endpoint=read.text(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT),
        otlp_logs_endpoint=read.text(env.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT),
        otlp_traces_protocol=read.choice(env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL) or "",
        otlp_logs_protocol=read.choice(env.OTEL_EXPORTER_OTLP_LOGS_PROTOCOL) or "",
        attribute_value_length_limit=read.number(env.OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT),
        attribute_count_limit_set=read.number(env.OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT) is not None,
        problems=tuple(dict.fromkeys(read.problems)),
    )


def report(settings: Settings) -> None:
    """Log every problem of the settings that this process has not logged yet, as a warning of the logger `aotel`."""
    for problem in settings.problems:
        if problem not in _reported:
            _reported.add(problem)
            _logger.warning("%s", problem)


def check_envelopes(items: Iterable[str]) -> tuple[str, ...]:
    """Return destinations of envelopes as settings hold them: trimmed, each once, in their order.

    Args:
        items: Destinations: `auto` or `none` alone, or some of `pod`, `otlp`, `stderr`, `file:PATH`.

    Raises:
        TypeError: An item is no string.
        ValueError: An item is no destination, or `auto` or `none` is not alone.
    """
    found: dict[str, None] = {}
    for item in items:
        if not isinstance(item, str):
            msg = f"envelopes: expected strings, got {type(item).__name__}"
            raise TypeError(msg)
        if item.strip():
            found[_destination(item.strip())] = None
    if not found:
        msg = f"envelopes: expected some of {', '.join(env.AOTEL_ENVELOPES.members)}, got none of them"
        raise ValueError(msg)
    alone = _ALONE & found.keys()
    if alone and len(found) > 1:
        msg = f"envelopes: {min(alone)!r} cannot stand beside others, got {', '.join(found)}"
        raise ValueError(msg)
    return tuple(found)


def _destination(item: str) -> str:
    if item[: len(_FILE)].lower() == _FILE and item[len(_FILE) :].strip():
        return _FILE + item[len(_FILE) :].strip()
    if item.lower() in env.AOTEL_ENVELOPES.members and ":" not in item:
        return item.lower()
    msg = f"envelopes: expected some of {', '.join(env.AOTEL_ENVELOPES.members)}, got {item!r}"
    raise ValueError(msg)
