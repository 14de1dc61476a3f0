"""Every environment variable that aotel reads, typed and validated; nothing else reads the environment."""

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

__all__ = ["Settings", "check_envelopes", "load", "report", "variables_set", "without_password"]

T = TypeVar("T")

_HIDE = "OPENINFERENCE_HIDE_"
_CONTENT_SWITCHES = (env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, env.TRACELOOP_TRACE_CONTENT)
_FILE = "file:"
_ALONE = frozenset({"auto", "none"})
_OFF = "off"
_SECRET = frozenset({env.AOTEL_REDACTION_KEY, env.AOTEL_HASH_KEY})
_DIGITS = 19  # what has fewer digits is less than any sequence can be long
_SHOWN = 100
_PASSWORD = re.compile(r"//[^/\s]*@")

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
        instrument: Libraries whose calls become spans: `all`, `none`, or some by name.
        console: Live view in the process: `off`, `rich`, `simple` or `json`.
        console_level: The least that it shows: `debug`, `info`, `warning` or `error`.
        sensor: What of its own doings the process tells the pod: some of `files`, `network`, `processes`.
        sensor_policy: Which hosts and paths are allowed, as JSON.
        disabled: Whether everything is off.
        redact_names: Further names whose values are secret.
        redact_patterns: Further regular expressions of secrets; each compiles.
        redaction_key: Key of redaction markers.
        hash_key: Key of the `hash` content mode.
        message_content_off: Whether a switch of GenAI or OpenLLMetry for message content is off, explicitly.
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
    envelopes: tuple[str, ...] = ("auto",)
    dialects: tuple[str, ...] = ("genai", "openinference")
    propagate_session: bool = False
    instrument: tuple[str, ...] = ("all",)
    console: str = "off"
    console_level: str = "info"
    sensor: tuple[str, ...] = ()
    sensor_policy: str | None = None
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
    traceparent: str | None = None
    tracestate: str | None = None
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
    count = _whole_number(0)
    return Settings(
        pod_id=read.optional(env.ENVPOD_POD_ID, _text),
        pod_socket=read.required(env.ENVPOD_SOCKET, str),
        capture=read.optional(env.AOTEL_CAPTURE, _one_of(env.AOTEL_CAPTURE.members)),
        preview_length=read.required(env.AOTEL_PREVIEW_LEN, count),
        content_limit=read.required(env.AOTEL_CONTENT_LIMIT, count),
        agent_id=read.optional(env.AOTEL_AGENT_ID, _text),
        agent_role=read.optional(env.AOTEL_AGENT_ROLE, _text),
        session_id=read.optional(env.AOTEL_SESSION_ID, _text),
        envelopes=read.required(env.AOTEL_ENVELOPES, _envelopes),
        dialects=read.required(env.AOTEL_DIALECTS, _some_of(env.AOTEL_DIALECTS.members)),
        propagate_session="session" in read.items(env.AOTEL_PROPAGATE, _some_of(env.AOTEL_PROPAGATE.members)),
        instrument=read.required(env.AOTEL_INSTRUMENT, _some_of(env.AOTEL_INSTRUMENT.members)),
        console=read.required(env.AOTEL_CONSOLE, _one_of(env.AOTEL_CONSOLE.members)),
        console_level=read.required(env.AOTEL_CONSOLE_LEVEL, _one_of(_lower(env.AOTEL_CONSOLE_LEVEL.members))),
        sensor=_without_off(read.required(env.AOTEL_SENSOR, _some_of(env.AOTEL_SENSOR.members))),
        sensor_policy=read.optional(env.AOTEL_SENSOR_POLICY, _text),
        disabled=any([read.flag(env.AOTEL_DISABLED), read.flag(env.OTEL_SDK_DISABLED)]),
        redact_names=read.items(env.AOTEL_REDACT_NAMES, _items),
        redact_patterns=read.patterns(env.AOTEL_REDACT_PATTERNS),
        redaction_key=read.optional(env.AOTEL_REDACTION_KEY, _key),
        hash_key=read.optional(env.AOTEL_HASH_KEY, _key),
        message_content_off=any(read.optional(switch, _is_off) for switch in _CONTENT_SWITCHES),
        hide=frozenset(
            v.name[len(_HIDE) :].lower() for v in env.VARIABLES if v.name.startswith(_HIDE) and read.flag(v)
        ),
        traces_exporter=read.items(env.OTEL_TRACES_EXPORTER, _lower_items),
        logs_exporter=read.items(env.OTEL_LOGS_EXPORTER, _lower_items),
        otlp_endpoint=read.optional(env.OTEL_EXPORTER_OTLP_ENDPOINT, _stripped),
        otlp_traces_endpoint=read.optional(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, _stripped),
        otlp_logs_endpoint=read.optional(env.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, _stripped),
        otlp_traces_protocol=read.protocol(env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL),
        otlp_logs_protocol=read.protocol(env.OTEL_EXPORTER_OTLP_LOGS_PROTOCOL),
        attribute_value_length_limit=read.optional(env.OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT, count),
        attribute_count_limit_set=read.optional(env.OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, count) is not None,
        traceparent=read.optional(env.TRACEPARENT, _stripped),
        tracestate=read.optional(env.TRACESTATE, _stripped),
        problems=tuple(dict.fromkeys(read.problems)),
    )


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
        (name, "(a secret, not shown)" if variable in _SECRET else _shown(found[name]))
        for variable, name in names
        if found.get(name)
    ]


def without_password(url: str) -> str:
    """Return a URL as a person may see it."""
    return _PASSWORD.sub("//...@", url)


def check_envelopes(items: Iterable[object]) -> tuple[str, ...]:
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


class _Reader:
    """Reads variables one by one and notes what could not be used."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def optional(self, variable: Variable, parse: Callable[[str], T]) -> T | None:
        """Return what the first usable one of a variable's names says, or None.

        `parse` raises a ValueError that says what is accepted.
        """
        unusable: list[tuple[str, str]] = []
        for name in (variable.name, *variable.aliases):
            value = self._environ.get(name) or ""
            if not value:
                continue
            try:
                parsed = parse(value)
            except ValueError as error:
                unusable.append((name, f"is {_shown(value)}, expected {error}"))
            else:
                self._note(unusable, f"using {name}")
                return parsed
        self._note(unusable, f"using the default, {variable.default or 'unset'}")
        return None

    def required(self, variable: Variable, parse: Callable[[str], T]) -> T:
        """Return what a variable that has a default says."""
        found = self.optional(variable, parse)
        return parse(variable.default or "") if found is None else found

    def flag(self, variable: Variable) -> bool:
        """Return a boolean, as OpenTelemetry reads it: `true` or `false` in any case."""
        return self.optional(variable, _boolean) or False

    def items(self, variable: Variable, parse: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
        """Return the items of a list that is empty by default."""
        return self.optional(variable, parse) or ()

    def protocol(self, variable: Variable) -> str:
        """Return how OTLP travels."""
        return self.required(variable, _one_of(variable.members))

    def patterns(self, variable: Variable) -> tuple[str, ...]:
        """Return the regular expressions that can be used; each of the others is a problem of its own."""
        usable: list[str] = []
        for pattern in self.items(variable, _split_patterns):
            problem = _pattern_problem(pattern)
            if problem is None:
                usable.append(pattern)
            else:
                self._note([(variable.name, f"has {_shown(pattern)}, which {problem}")], "going on without it")
        return tuple(usable)

    def _note(self, unusable: list[tuple[str, str]], instead: str) -> None:
        self.problems += [f"{name} {problem}; {instead}." for name, problem in unusable]


def _shown(value: str) -> str:
    """Return a value for a log: short, in one line, and without the password of a URL."""
    masked = without_password(value)
    return repr(masked if len(masked) <= _SHOWN else f"{masked[:_SHOWN]}...")


def _text(value: str) -> str:
    """Return a value verbatim, save for bytes that are no text."""
    return value.encode("utf-8", "replace").decode()


def _stripped(value: str) -> str:
    return _text(value).strip()


def _key(value: str) -> bytes:
    return value.encode("utf-8", "backslashreplace")  # the same bytes in every process, also for what is no text


def _boolean(value: str) -> bool:
    word = value.strip().lower()
    if word not in {"true", "false"}:
        msg = "true or false"
        raise ValueError(msg)
    return word == "true"


def _is_off(value: str) -> bool:
    return value.strip().lower() in {"no_content", "false"}


def _whole_number(minimum: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        digits = value.strip()
        if digits.isascii() and digits.isdigit() and len(digits) < _DIGITS and int(digits) >= minimum:
            return int(digits)
        msg = f"a whole number from {minimum}"
        raise ValueError(msg)

    return parse


def _lower(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.lower() for word in words)


def _without_off(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if word != _OFF)


def _one_of(members: tuple[str, ...]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        word = value.strip().lower()
        if word not in members:
            msg = f"one of {', '.join(members)}"
            raise ValueError(msg)
        return word

    return parse


def _some_of(members: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def parse(value: str) -> tuple[str, ...]:
        words = _lower_items(value)
        if not words or not set(words) <= set(members):
            msg = f"a comma list of {', '.join(members)}"
            raise ValueError(msg)
        return words

    return parse


def _items(value: str) -> tuple[str, ...]:
    """Return the items of a comma list, each once."""
    return tuple(dict.fromkeys(item for part in _text(value).split(",") if (item := part.strip())))


def _lower_items(value: str) -> tuple[str, ...]:
    return _items(value.lower())


def _envelopes(value: str) -> tuple[str, ...]:
    try:
        return check_envelopes(value.split(","))
    except ValueError:
        msg = f"a comma list of {', '.join(env.AOTEL_ENVELOPES.members)}, with auto and none alone"
        raise ValueError(msg) from None


def _split_patterns(value: str) -> tuple[str, ...]:
    """Split at line breaks, and at commas that are neither inside brackets nor escaped."""
    return tuple(dict.fromkeys(p for line in value.splitlines() for part in _split_line(line) if (p := part.strip())))


def _split_line(line: str) -> list[str]:
    parts, depth, in_class, escaped = [""], 0, False, False
    for character in line:
        if character == "," and not (depth or in_class or escaped):
            parts.append("")
            continue
        parts[-1] += character
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        else:
            depth = max(depth + (character in "({") - (character in ")}"), 0)
    return parts


def _pattern_problem(pattern: str) -> str | None:
    """Return why a pattern cannot be used, as the end of a sentence, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pattern with an odd bracket in it works all the same
            matches_nothing = re.compile(pattern).search("")
    except Exception as error:  # noqa: BLE001 - `re` raises more than its own error: on nesting, on large repeats
        return f"is no regular expression ({error})"
    return None if matches_nothing is None else "matches the empty text, so it would match everywhere"
