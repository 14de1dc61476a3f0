"""`stream_options.include_usage` in calls of litellm: asked for where the program does not, as litellm allows.

litellm asks OpenAI itself for it, and others only where the program does. It can keep what comes to itself.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from aotel.instrumentation.wire.usage_option import is_too_old, names_the_option

if TYPE_CHECKING:
    from aotel.instrumentation.formats.format import Format

_OPENAI: Final = frozenset({"openai", "azure", "azure_ai", "azure_text", "custom_openai", "text-completion-openai"})
_REFUSE: Final = frozenset({"mistral", "codestral", "text-completion-codestral"})

_refused_by: set[object] = set()
_taken: dict[object, bool] = {}


class UsageRequest:
    """The option in the arguments of one call.

    Args:
        form: which API is called.
        provider: in litellm's words.
        model: without the provider.
        kwargs: of the function; they are left as they are, a copy of them has the option.

    Attributes:
        kwargs: to call the function with.
        asked: what the program asks for itself.
    """

    __slots__ = ("_key", "asked", "is_asked_by_us", "kwargs")

    def __init__(self, form: Format, provider: str | None, model: Any, kwargs: dict[str, Any]) -> None:
        self.kwargs = kwargs
        self.asked = kwargs.get("stream_options")
        self._key = (provider, kwargs.get("api_base") or kwargs.get("base_url"))
        self.is_asked_by_us = False
        # What is asked by position passes: `stream_options` may be among it.
        if not (form.asks_for_usage and kwargs.get("stream") is True and provider is not None):
            return
        if self.asked is not None and (type(self.asked) is not dict or "include_usage" in self.asked):
            return
        textual = form.operation == "text_completion"
        if self._key in _refused_by or is_too_old(kwargs.get("api_version")) or not _takes(provider, model, textual):
            return
        self.is_asked_by_us = True
        self.kwargs = {**kwargs, "stream_options": {**(self.asked or {}), "include_usage": True}}

    def is_refused(self, error: Exception) -> bool:
        """Say whether a server refuses the option: the call is then made again without it, and later ones too."""
        if not self.is_asked_by_us or not names_the_option(error):
            return False
        _refused_by.add(self._key)
        self.is_asked_by_us = False
        return True


def _takes(provider: str, model: Any, textual: bool) -> bool:  # noqa: FBT001 - part of what is remembered
    """Say whether litellm passes the option on to a provider that speaks OpenAI's API."""
    key = (provider, model, textual)
    known = _taken.get(key)
    if known is None:
        if len(_taken) > 512:  # noqa: PLR2004 - a bound
            _taken.clear()
        known = _taken[key] = _asked_litellm(provider, model, textual=textual)
    return known


def _asked_litellm(provider: str, model: Any, *, textual: bool) -> bool:
    litellm = sys.modules["litellm"]
    if provider in _REFUSE or not (provider in _OPENAI or provider in litellm.openai_compatible_providers):
        return False
    if textual and provider == "openai":
        provider = "text-completion-openai"
    try:
        return "stream_options" in (litellm.get_supported_openai_params(model, provider) or ())
    except Exception:  # noqa: BLE001 - of litellm, about a model that it does not know
        return False
