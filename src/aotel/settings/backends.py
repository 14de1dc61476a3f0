"""What the variables of observability vendors say: where they are, and the keys to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from aotel.semconv import environment as env
from aotel.settings.reading import stripped, whole_number

if TYPE_CHECKING:
    from aotel.settings.reading import Reader

_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2
_SITE = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z", re.IGNORECASE)
_LAST_PORT = 65535


class BackendVariables(NamedTuple):
    """Where backends are and how they are entered; None is what isn't set. Secrets do not show.

    Args:
        phoenix_endpoint: address of a Phoenix.
        phoenix_grpc_port: its port for OTLP over gRPC.
        phoenix_api_key: its key.
        phoenix_headers: further headers for it.
        phoenix_project: project of the spans.
        arize_endpoint: address of Arize's collector.
        arize_space_id: space of the spans.
        arize_api_key: its key.
        arize_project: project of the spans.
        datadog_site: site of Datadog.
        datadog_api_key: its key.
        langfuse_url: address of a Langfuse.
        langfuse_public_key: public half of its key.
        langfuse_secret_key: secret half of its key.
    """

    phoenix_endpoint: str = env.PHOENIX_COLLECTOR_ENDPOINT.default or ""
    phoenix_grpc_port: int | None = None
    phoenix_api_key: str | None = None
    phoenix_headers: tuple[tuple[str, str], ...] = ()
    phoenix_project: str | None = None
    arize_endpoint: str = env.ARIZE_COLLECTOR_ENDPOINT.default or ""
    arize_space_id: str | None = None
    arize_api_key: str | None = None
    arize_project: str | None = None
    datadog_site: str = env.DD_SITE.default or ""
    datadog_api_key: str | None = None
    langfuse_url: str = env.LANGFUSE_BASE_URL.default or ""
    langfuse_public_key: str | None = None
    langfuse_secret_key: str | None = None

    def __repr__(self) -> str:
        """Name what is set, without its values."""
        return f"BackendVariables({', '.join(name for name, value in self._asdict().items() if value)})"


def read_backends(read: Reader) -> BackendVariables:
    """Read the vendors' variables."""
    return BackendVariables(
        phoenix_endpoint=read.required(env.PHOENIX_COLLECTOR_ENDPOINT, _url),
        phoenix_grpc_port=read.optional(env.PHOENIX_GRPC_PORT, _port),
        phoenix_api_key=read.optional(env.PHOENIX_API_KEY, _header),
        phoenix_headers=read.optional(env.PHOENIX_CLIENT_HEADERS, _headers) or (),
        phoenix_project=read.optional(env.PHOENIX_PROJECT, stripped),
        arize_endpoint=read.required(env.ARIZE_COLLECTOR_ENDPOINT, _url),
        arize_space_id=read.optional(env.ARIZE_SPACE_ID, _header),
        arize_api_key=read.optional(env.ARIZE_API_KEY, _header),
        arize_project=read.optional(env.ARIZE_PROJECT_NAME, stripped),
        datadog_site=read.required(env.DD_SITE, _site),
        datadog_api_key=read.optional(env.DD_API_KEY, _header),
        langfuse_url=read.required(env.LANGFUSE_BASE_URL, _url),
        langfuse_public_key=read.optional(env.LANGFUSE_PUBLIC_KEY, _header),
        langfuse_secret_key=read.optional(env.LANGFUSE_SECRET_KEY, _header),
    )


def _url(value: str) -> str:
    found = stripped(value).rstrip("/")
    message = "an http:// or https:// address"
    try:
        parts = urlsplit(found)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise ValueError(message) from None
    if not is_good or not found.isascii() or not found.isprintable():
        raise ValueError(message)
    return found


def _port(value: str) -> int:
    found = whole_number(1)(value)
    if found > _LAST_PORT:
        msg = f"a port, from 1 to {_LAST_PORT}"
        raise ValueError(msg)
    return found


def _header(value: str) -> str:
    """Return what can stand in a header; the message doesn't say what came, which may be a secret."""
    found = stripped(value)
    if not found or not found.isascii() or not found.isprintable():
        msg = "printable ASCII"
        raise ValueError(msg)
    return found


def _headers(value: str) -> tuple[tuple[str, str], ...]:
    """Return `name=value,name=value`, percent-encoded as OpenTelemetry has it, with names in lower case."""
    found: dict[str, str] = {}
    for item in value.split(","):
        if item.strip():
            name, equals, content = item.partition("=")
            name, content = unquote(name.strip()).lower(), unquote(content.strip())
            if not equals or not _TOKEN.match(name) or not content.isascii() or not content.isprintable():
                msg = "headers as name=value,name=value"
                raise ValueError(msg)
            found[name] = content
    return tuple(found.items())


def _site(value: str) -> str:
    found = stripped(value).lower()
    if not _SITE.match(found):
        msg = "a site, as datadoghq.eu"
        raise ValueError(msg)
    return found
