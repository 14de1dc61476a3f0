"""What is known of a model call before it is made: name, operation, model, provider and server; one a combination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import SpanKind

from aotel.calls import CallSite
from aotel.content import active
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import AttributeValue

    from aotel.instrumentation.formats.format import Format

_MOST: Final = 512
_LONGEST: Final = 256  # characters of a name
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""Ports of URLs that name none, by their schemes."""

_sites: dict[object, CallSite] = {}
_by_url: dict[object, tuple[CallSite, Any]] = {}


def site_for(provider_of: Callable[[str, str], str], client: Any, form: Format, model: Any) -> CallSite:
    """Return the site of calls of a client over HTTP.

    Args:
        provider_of: returns the GenAI provider name, by the names of the client's classes and the host.
        client: has a `base_url` of httpx.
        form: which API is called.
        model: the model asked for, if it says one.
    """
    url = client.base_url
    # The URL itself is part of what is remembered, so that no other can have its id meanwhile; to hash it takes longer
    # than all the rest.
    key = (active(), type(client), id(url), form, model if type(model) is str else None)
    known = _by_url.get(key)
    if known is not None:
        return known[0]
    port = url.port or DEFAULT_PORTS.get(url.scheme)
    # A subclass of the program's own may be called anything.
    lineage = " ".join([cls.__name__ for cls in type(client).__mro__])
    provider = provider_of(lineage, url.host)
    site = new_site(form.tag, form.operation, model, provider, url.host, port)
    if len(_by_url) >= _MOST:
        _by_url.clear()
    _by_url[key] = site, url
    return site


def new_site(  # noqa: PLR0913 - one argument a fact
    tag: str, operation: str, model: Any, provider: str | None, host: str | None = None, port: int | None = None
) -> CallSite:
    """Return the site of calls of one kind; see `site_for`.

    Args:
        tag: the operation, as in `Op`.
        operation: the GenAI operation name.
        model: the model asked for, if it is a text.
        provider: the GenAI provider name.
        host: that is called.
        port: that is called.
    """
    model = clean(model)
    facts: dict[str, AttributeValue | None] = {
        names.GEN_AI_OPERATION_NAME: operation,
        names.GEN_AI_PROVIDER_NAME: provider or None,
        names.GEN_AI_REQUEST_MODEL: model or None,
        names.SERVER_ADDRESS: host or None,
        names.SERVER_PORT: port,
    }
    known = {name: value for name, value in facts.items() if value is not None}
    return CallSite(tag, f"{operation} {model}".strip(), attributes=known, own=True, kind=SpanKind.CLIENT)


def clean(text: Any) -> str:
    """Return a name that somebody else made up, clean and not too long; "" for what is no text."""
    return active().redactor.text(text[:_LONGEST]) if type(text) is str else ""


def remembered_site(key: object, make: Callable[[], CallSite]) -> CallSite:
    """Return the site of a key, made on first use."""
    site = _sites.get(key)
    if site is None:
        if len(_sites) >= _MOST:
            _sites.clear()
        site = _sites[key] = make()
    return site
