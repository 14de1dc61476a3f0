"""The content policy: which capture mode a call gets, from the environment, the call, the code and the ecosystem."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aotel.content.capture import Capture, HashCapture, RawCapture, RedactedCapture, SummaryCapture
from aotel.content.marker import derived_key
from aotel.content.modes import Mode
from aotel.content.raw import raw_rules
from aotel.content.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.settings import Settings

_MODES: Final = frozenset(mode.value for mode in Mode)
_HASHED_LIMIT: Final = 262_144  # characters of a leaf that count for its hash
_REMEMBERED: Final = 64  # requests

_logger = logging.getLogger("aotel")
_warned: set[str] = set()


class ContentPolicy:
    """Decides how the content of a call is written; immutable.

    Args:
        settings: what the environment says: its `capture` wins over everything else.
        configured: the mode that the code configured.
        redact: the user's own redaction, see `Redactor`.

    Attributes:
        default: how content is written where a call asks for nothing.
        redactor: takes secrets out, also of the spans of others.
        preview_length: characters of a preview.
        content_limit: characters of a leaf in span attributes.
        hidden: what `OPENINFERENCE_HIDE_*` hides, in lower case: `inputs`, `output_messages`, …
        hides_input: whether no input is to be written.
        hides_output: whether no output is to be written.
    """

    __slots__ = (
        "_captures",
        "_env",
        "_requests",
        "content_limit",
        "default",
        "hidden",
        "hides_input",
        "hides_output",
        "preview_length",
        "redactor",
    )

    def __init__(
        self, settings: Settings, *, configured: str | None = None, redact: Callable[[str], str] | None = None
    ) -> None:
        limit = settings.attribute_value_length_limit
        self.preview_length = settings.preview_length
        self.content_limit = settings.content_limit if limit is None else min(settings.content_limit, limit)
        self.hidden = settings.hide
        self.hides_input = "inputs" in settings.hide
        self.hides_output = "outputs" in settings.hide
        self.redactor = Redactor(settings.redact_names, settings.redact_patterns, settings.redaction_key, redact)
        self._captures = self._build_captures(settings, redact)
        self._env = "none" if settings.message_content_off else _known_mode(settings.capture)
        self._requests: dict[str | None, Capture] = {}
        self._requests[None] = self.default = self._select(_known_mode(configured) or Mode.REDACTED.value)

    @classmethod
    def build(
        cls, settings: Settings, *, configured: str | None = None, redact: Callable[[str], str] | None = None
    ) -> ContentPolicy:
        """Return the policy of the given settings; see the class for the arguments."""
        return cls(settings, configured=configured, redact=redact)

    def for_call(self, requested: str | None) -> Capture:
        """Return how the content of a call is written.

        Args:
            requested: the mode that the call asks for, if it does; the environment may know better. One that does not
                exist counts as none, and is warned of once.
        """
        found = self._requests.get(requested)
        return found if found is not None else self._first(requested)

    def locals(self, auto_capture: bool | None, requested: str | None = None) -> Capture | None:  # noqa: FBT001
        """Return how local variables are written, or None if they are not captured.

        Args:
            auto_capture: whether the code asks for them; the environment asks for them by naming any mode but `none`.
            requested: the mode that the call asks for.
        """
        if self._env is None and not auto_capture:
            return None
        found = self.for_call(requested)
        return found if found.writes else None

    def _first(self, requested: str | None) -> Capture:
        """Answer a request that has not been made before, and remember the answer."""
        mode = _known_mode(requested)
        found = self.default if mode is None else self._select(mode)
        if len(self._requests) < _REMEMBERED:
            self._requests[requested] = found
        return found

    def _select(self, mode: str) -> Capture:
        found = self._captures[self._env or mode]
        if found.mode is Mode.RAW:
            _warn_once("raw", "Capture mode raw: content is written as it is, secrets included.")
        return found

    def _build_captures(self, settings: Settings, redact: Callable[[str], str] | None) -> dict[str, Capture]:
        redactor, limit = self.redactor, self.content_limit
        # Equal content has equal hashes wherever the key is the same: markers in it must not differ by process.
        key = settings.redaction_key or derived_key(settings.hash_key)
        hashed = redactor if key is None else Redactor(settings.redact_names, settings.redact_patterns, key, redact)
        captures = (
            Capture(redactor),
            RedactedCapture(redactor, redactor.rules(limit=limit)),
            HashCapture(redactor, hashed.rules(limit=_HASHED_LIMIT, ids=False), settings.hash_key),
            SummaryCapture(redactor),
            RawCapture(redactor, raw_rules(limit)),
        )
        return {capture.mode.value: capture for capture in captures}


class _Active:
    """The policy in force."""

    policy: ContentPolicy | None = None


def active() -> ContentPolicy:
    """Return the policy in force; before anything is configured, the default one, whatever the environment says."""
    return _Active.policy or _default()


def activate(policy: ContentPolicy) -> None:
    """Put a policy in force, for the whole process."""
    _Active.policy = policy


def _default() -> ContentPolicy:
    from aotel.settings import Settings

    policy = _Active.policy = ContentPolicy(Settings())
    return policy


def _known_mode(mode: str | None) -> str | None:
    if mode is None:
        return None
    known = str(mode.value if isinstance(mode, Mode) else mode).strip().lower()
    if known in _MODES:
        return known
    _warn_once(known, f"Unknown capture mode {mode!r}: expected one of {', '.join(sorted(_MODES))}; it is ignored.")
    return None


def _warn_once(subject: str, message: str) -> None:
    if subject not in _warned:
        _warned.add(subject)
        _logger.warning("%s", message)
