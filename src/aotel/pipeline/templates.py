"""The mapping of a function's simplest calls, worked out once: every call of it is the same but for two texts.

Justified by the row "coat, redacted" of the benchmarks: writing both vocabularies anew costs a third of a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aotel.dialects import write
from aotel.pipeline.mapping import JSON, TEXT, Texts, operation_of_texts

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.calls import CallSite

# What stands for the texts while a template is made: valid JSON, and nothing that a program could say.
_INPUT = '{"\\u0000aotel":"input"}'
_OUTPUTS = {JSON: '{"\\u0000aotel":"output"}', TEXT: "\x00aotel output", None: None}
_MARK = "aotel"

# Their operations say no more than what went in and came out; a model call or a retrieval says more.
SIMPLE = frozenset(
    {
        "tool", "transform", "memory", "human", "guardrail", "validation", "decision", "reasoning", "observation",
        "planning", "step", "stream", "agent", "delegation", "session",
    }
)  # fmt: skip


class Template(NamedTuple):
    """What the vocabularies say of a call, with the names that take its input and its output."""

    constant: dict[str, AttributeValue]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    def fill(self, attributes: dict[str, AttributeValue], input_text: str | None, output_text: str | None) -> None:
        """Add what is to say of one call to its span's attributes."""
        attributes.update(self.constant)
        if input_text is not None:
            for name in self.input_names:
                attributes[name] = input_text
        if output_text is not None:
            for name in self.output_names:
                attributes[name] = output_text


def template_for(
    site: CallSite, name: str, dialects: tuple[str, ...], *, has_input: bool, output_type: str | None
) -> Template | None:
    """Return the template of a site's calls of one shape, made on first use; None where calls differ in more.

    Args:
        site: of a function; a block runs once and keeps no templates.
        name: its name, clean.
        dialects: the vocabularies asked for.
        has_input: whether the call has arguments to show.
        output_type: MIME type of what there is to show of the result; None for nothing.
    """
    templates = site.templates
    if templates is None or site.tag not in SIMPLE:
        return None
    shape = (name, dialects, has_input, output_type)
    if shape not in templates:
        templates[shape] = _make(site, name, dialects, _INPUT if has_input else None, output_type)
    found = templates[shape]
    return found if isinstance(found, Template) else None


def _make(
    site: CallSite, name: str, dialects: tuple[str, ...], given: str | None, output_type: str | None
) -> Template | None:
    output = _OUTPUTS[output_type]
    operation = operation_of_texts(
        site.tag, site.name, site.taxonomy.end_kind, Texts(None, given, None, output, output_type)
    )
    written = write(operation, dialects)
    input_names = tuple(name for name, value in written.items() if given is not None and value == given)
    output_names = tuple(name for name, value in written.items() if output is not None and value == output)
    constant = {name: value for name, value in written.items() if name not in input_names + output_names}
    if any(isinstance(value, str) and _MARK in value for value in constant.values() if value != name):
        return None  # a vocabulary looks into the texts: each call must be written for itself
    return Template(constant, input_names, output_names)
