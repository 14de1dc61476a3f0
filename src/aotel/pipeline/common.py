"""What every span of an operation carries, whoever made it: the session, the run, the process, the kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aotel.content import to_json
from aotel.semconv import attributes as names
from aotel.semconv import kinds

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.calls import Call, Scope
    from aotel.envelopes import EnvelopeBuilder, Recording
    from aotel.pipeline.hiding import Hiding


class Facts(NamedTuple):
    """What the configuration says of all spans that end under it."""

    pid: int
    process_attributes: dict[str, AttributeValue]
    builder: EnvelopeBuilder
    dialects: tuple[str, ...]
    hiding: Hiding


def scope_attributes(scope: Scope) -> dict[str, AttributeValue]:
    """Return what a session or run says on every span inside it."""
    found: dict[str, AttributeValue] = {}
    if scope.session_id:
        found[names.SESSION_ID] = found[names.GEN_AI_CONVERSATION_ID] = scope.session_id
    if scope.user_id:
        found[names.USER_ID] = scope.user_id
    if scope.agent_id:
        found[names.AGENT_ID] = found[names.GEN_AI_AGENT_ID] = scope.agent_id
    if scope.agent_role:
        found[names.AGENT_ROLE] = scope.agent_role
    return found


def add_own_attributes(added: dict[str, AttributeValue], recording: Recording, call: Call | None, facts: Facts) -> None:
    """Add what is ours to say of an operation: `aot.*`, `envpod.*`, and what the manual API was told."""
    added.update(facts.process_attributes)
    added[names.AOT_SESSION_ID] = facts.builder.session_id_of(recording)
    added[names.AOT_RUN_ID] = facts.builder.run_id_of(recording)
    added[names.AOT_CAPTURE_CONTENT] = recording.capture
    taxonomy, failure = recording.taxonomy, recording.failure
    if taxonomy is not None:
        added[names.AOT_OPERATION] = taxonomy.tag
        added[names.AOT_KIND] = taxonomy.end_kind if failure is None else kinds.COAT_ERROR
    if failure is not None and failure.outcome is not None:
        added[names.AOT_OUTCOME] = failure.outcome.value
    if call is None:
        return
    if call.attributes:
        added.update(call.attributes)
    if call.late_attributes is not None:
        added.update(call.late_attributes())
    if call.site.keywords_as_attributes and recording.input is not None:
        for name, value in recording.input.get().keywords.items():
            plain = isinstance(value, (str, bool, int, float))
            added[f"{names.AOT_ATTRIBUTES}.{name}"] = value if plain else to_json(value)
