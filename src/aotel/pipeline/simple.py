"""A simple call: a span of ours that nobody else had a hand in, the commonest there is; mapped when it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aotel.calls import PORT
from aotel.content import Deferred
from aotel.dialects import fit, missing
from aotel.pipeline.common import add_own_attributes, scope_attributes
from aotel.pipeline.lazy import SUPPORTED, become_lazy
from aotel.pipeline.mapping import NO_TEXTS, Texts, operation_of, operation_of_texts, texts_of
from aotel.pipeline.templates import SIMPLE, Template, template_for

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.calls import Call
    from aotel.envelopes import Recording
    from aotel.operation import Operation
    from aotel.pipeline.common import Facts


class SimpleCall:
    """A call of ours that ended, and what is to be said of it once somebody asks.

    Args:
        recording: what is known of its span.
        call: the call.
        facts: what the configuration said when it ended.
    """

    __slots__ = ("_call", "_facts", "_recording", "_texts")

    def __init__(self, recording: Recording, call: Call, facts: Facts) -> None:
        self._recording = recording
        self._call = call
        self._facts = facts
        self._texts: Texts | None = None

    def operation(self) -> Operation:
        """Return what happened; of a simple operation, whose envelope shows its input and output itself, the rest."""
        site = self._call.site
        if site.tag in SIMPLE:
            return operation_of_texts(site.tag, self._recording.name, site.taxonomy.end_kind, NO_TEXTS)
        return operation_of(self._recording, self._read())

    def fill(self, attributes: dict[str, AttributeValue]) -> None:
        """Add to a span's attributes all that is to be said; never raises."""
        try:
            self._fill(attributes)
        except Exception as error:  # noqa: BLE001 - it would reach an exporter
            PORT.report("mapping of a span", error)

    def _fill(self, attributes: dict[str, AttributeValue]) -> None:
        recording = self._recording
        texts = self._read()
        template = self._template(texts)
        if template is not None:
            template.fill(attributes, texts.given, texts.output)
        else:
            attributes.update(missing(attributes, operation_of(recording, texts), self._facts.dialects))
        if self._facts.hiding:
            self._facts.hiding.apply(attributes)
        if recording.scope is not None:
            attributes.update(scope_attributes(recording.scope))
        add_own_attributes(attributes, recording, self._call, self._facts)
        fit(attributes)

    def _read(self) -> Texts:
        texts = self._texts
        if texts is None:
            texts = self._texts = texts_of(self._recording, self._call)
        return texts

    def _template(self, texts: Texts) -> Template | None:
        return template_for(
            self._call.site,
            self._recording.name,
            self._facts.dialects,
            has_input=texts.given is not None,
            output_type=texts.output_type,
        )


def map_later(span: Any, attributes: dict[str, AttributeValue], call: SimpleCall, recording: Recording) -> None:
    """Let `call` fill the attributes of its span when they are read; at once where this SDK does not allow for that."""
    if recording.announced and recording.described is None:  # where there are envelopes, whose worker asks for it
        recording.operation = Deferred(call.operation)
    if SUPPORTED:
        become_lazy(span._attributes, call.fill)  # noqa: SLF001 - see `aotel.pipeline.spans`
    else:
        call.fill(attributes)
