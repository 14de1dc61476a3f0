"""The project that a backend files spans under: an attribute of their resource, given to what is sent to it alone."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.resources import SERVICE_NAME, Resource

from aotel.semconv.attributes import OPENINFERENCE_PROJECT_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_UNNAMED: Final = "unknown_service"  # what the SDK calls a service without a name, and how that begins
_DEFAULT: Final = "default"


class Project:
    """Names the project of spans, on copies of them: other exporters see what the program made.

    Args:
        name: the project; None for what the resource says.
        needed: whether there has to be one: then it is the service's name where nothing says it.
    """

    def __init__(self, name: str | None, *, needed: bool) -> None:
        self._name = name
        self._needed = needed
        self._resources: dict[int, tuple[Resource, Resource]] = {}

    def name(self, spans: Sequence[ReadableSpan]) -> Sequence[ReadableSpan]:
        """Return spans whose resources name the project."""
        if self._name is None and not self._needed:
            return spans
        return [self._named(span) for span in spans]

    def _named(self, span: ReadableSpan) -> ReadableSpan:
        resource = getattr(span, "_resource", None)
        if not isinstance(resource, Resource):
            return span
        # One program has one or two: they are kept, so that spans of one are still of one.
        known = self._resources.get(id(resource))
        if known is None or known[0] is not resource:
            known = self._resources[id(resource)] = resource, self._with_project(resource)
        if known[1] is resource:
            return span
        found = copy.copy(span)
        vars(found)["_resource"] = known[1]
        return found

    def _with_project(self, resource: Resource) -> Resource:
        name = self._name
        if name is None:
            if resource.attributes.get(OPENINFERENCE_PROJECT_NAME):
                return resource
            service = str(resource.attributes.get(SERVICE_NAME) or _UNNAMED)
            name = _DEFAULT if service.startswith(_UNNAMED) else service
        return Resource({**resource.attributes, OPENINFERENCE_PROJECT_NAME: name}, resource.schema_url)
