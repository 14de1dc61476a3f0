"""`stream_options.include_usage`: asked for where the program does not, since without it no stream counts tokens."""

from __future__ import annotations

from copy import copy
from typing import Any, Final

# Servers that take no parameter that they don't know, this one among them.
_REFUSE: Final = ("mistral.ai",)
_NAMES: Final = ("stream_options", "include_usage")
_STATUS: Final = frozenset({400, 404, 422})
_AZURE_SINCE: Final = "2024-09-01"  # the first API version of Azure OpenAI that takes it

_refused_by: set[str] = set()


class UsageOption:
    """The option in one request.

    Args:
        client: has a `base_url` of httpx, and on Azure an `_api_version`.
        options: the request's; they are left as they are, a copy of them has the option.
        wanted: whether the request is one for a stream that counts tokens on request only.
    """

    __slots__ = ("_host", "_options", "_with")

    def __init__(self, client: Any, options: Any, *, wanted: bool) -> None:
        self._options = options
        self._with: Any = None
        self._host = ""
        if not wanted:
            return
        url = client.base_url
        self._host = url.netloc.decode("ascii", "replace")
        # What is in `extra_body` goes over what is in the body.
        where = "extra_json" if "stream_options" in _mapping(getattr(options, "extra_json", None)) else "json_data"
        body = getattr(options, where)
        asked = _mapping(body).get("stream_options")
        is_open = asked is None or (type(asked) is dict and "include_usage" not in asked)
        if type(body) is not dict or not is_open or not _takes(client, self._host):
            return
        changed = copy(options)
        setattr(changed, where, {**body, "stream_options": {**(asked or {}), "include_usage": True}})
        self._with = changed

    @property
    def is_set(self) -> bool:
        """Whether we ask for it."""
        return self._with is not None

    def args(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the positional arguments of the request with the option in them."""
        return args if self._with is None else tuple([self._with if each is self._options else each for each in args])

    def kwargs(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments of the request with the option in them."""
        return kwargs if self._with is None or "options" not in kwargs else {**kwargs, "options": self._with}

    def is_refused(self, error: Exception) -> bool:
        """Say whether a server refuses the option: the request is then made again without it, and later ones too."""
        if self._with is None or not names_the_option(error):
            return False
        _refused_by.add(self._host)
        return True


def names_the_option(error: Exception) -> bool:
    """Say whether a server refused a request because of the option."""
    if getattr(error, "status_code", None) not in _STATUS:
        return False
    said = f"{error} {getattr(error, 'body', None)}"
    return any(name in said for name in _NAMES)


def is_too_old(api_version: Any) -> bool:
    """Say whether a version of Azure's API does not know the option yet."""
    return type(api_version) is str and api_version[:1].isdigit() and api_version < _AZURE_SINCE


def _mapping(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _takes(client: Any, host: str) -> bool:
    if is_too_old(getattr(client, "_api_version", None)):
        return False
    return host not in _refused_by and not host.partition(":")[0].endswith(_REFUSE)
