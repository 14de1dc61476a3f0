"""The AOT envelope (`aotp/0.1`) as typed structs, in the order in which its keys are written."""

from __future__ import annotations

from typing import Any, Union

from msgspec import UNSET, Struct, UnsetType

SPEC = "aotp/0.1"


class Ids(Struct, frozen=True):
    """Where the operation stands; ids derive from the OpenTelemetry ids of its span."""

    session_id: str
    run_id: str
    step_id: str
    trace_id: str
    span_id: str
    parent_span_id: str


class Subject(Struct, frozen=True):
    """Who acts; on the pod's socket the receiver overwrites the agent by what the kernel says."""

    agent_id: str
    agent_role: str
    framework: str
    framework_version: str


class CaptureMode(Struct, frozen=True):
    """How content was written: `mode` as the wire has always meant it, `content` for everything."""

    mode: str
    content: str


class Envpod(Struct, frozen=True):
    """Where the process runs."""

    pod_id: str
    pid: int


class Preview(Struct, frozen=True):
    """What went in, as strings to look at."""

    args: list[str]
    kwargs: dict[str, str]


class Llm(Struct, frozen=True, omit_defaults=True):
    """What is known of a model call; what is unknown is left out."""

    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    finish_reasons: list[str] | None = None
    time_to_first_chunk_ms: float | None = None


class Tool(Struct, frozen=True, omit_defaults=True):
    """Which tool was called."""

    name: str | None = None
    call_id: str | None = None


class Retrieval(Struct, frozen=True, omit_defaults=True):
    """What was looked for, and how many documents were found."""

    query: str | None = None
    documents: int | None = None


class StartPayload(Struct, frozen=True):
    """An operation begins."""

    fn: str
    preview: Preview


class EndPayload(Struct, frozen=True):
    """An operation ended with a result."""

    fn: str
    result_preview: str
    captured: dict[str, str]
    duration_ms: float
    ok: bool = True
    llm: Union[Llm, UnsetType] = UNSET  # noqa: UP007 - msgspec evaluates it, on Python 3.10 too
    tool: Union[Tool, UnsetType] = UNSET  # noqa: UP007
    retrieval: Union[Retrieval, UnsetType] = UNSET  # noqa: UP007


class ErrorPayload(Struct, frozen=True):
    """An operation ended with an exception, or was stopped (`outcome`)."""

    fn: str
    error_type: str
    message: str
    duration_ms: float
    ok: bool = False
    outcome: Union[str, UnsetType] = UNSET  # noqa: UP007


class EmitPayload(Struct, frozen=True):
    """Something happened inside an operation."""

    tag: str
    data: Any


class Envelope(Struct, frozen=True):
    """One line of the audit trail."""

    spec: str
    kind: str
    ts: str
    producer: str
    seq: int
    ids: Ids
    subject: Subject
    capture: CaptureMode
    payload: Union[StartPayload, EndPayload, ErrorPayload, EmitPayload]  # noqa: UP007
    envpod: Envpod
