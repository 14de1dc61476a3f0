"""The redactor: takes secrets out of texts, attributes and content, by name, by shape and by what the user adds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aotel.content.assignments import assigning_parts, scrub_assignments, secret_words
from aotel.content.encode import canonical_json, format_json_like, parse_json
from aotel.content.marker import MARKER, Marker
from aotel.content.media import scrub_media
from aotel.content.memory import Memory
from aotel.content.names import PLAIN, Names
from aotel.content.objects import read_object
from aotel.content.raw import encodable, raw_rules
from aotel.content.shapes import SHORTEST, SHORTEST_CUT, is_plain, scrub_shapes
from aotel.content.snapshot import DEPTH, NODES, Rules, Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.content.modes import Tree

UNREADABLE: Final = "<unreadable>"
"""Stands for what could not be read, or not be cleaned."""

_LONGEST_JSON: Final = 262_144  # characters of a text that is parsed to look for secret names in it
_DEEPEST_JSON: Final = 200
_LEAST_MEDIA: Final = 256  # characters of a text that may hold media
_UNLIMITED: Final = 2**62
_UNTOUCHED: Final = raw_rules(limit=_UNLIMITED, depth=_DEEPEST_JSON, nodes=_UNLIMITED)


class Redactor:
    """Takes secrets out; immutable, safe to use from many threads.

    Args:
        names: names that the user adds, as words: `ssn` is also in `userSsn`, `employee-id` in `EMPLOYEE_ID`.
        patterns: regular expressions that the user adds; each whole match is a secret.
        key: what markers are keyed with; None is a key that this process alone knows.
        redact: the user's own function: takes a text, cleaned already, and returns what to write. Where it raises
            or returns something else, a marker stands for the whole text.
    """

    __slots__ = ("_clean", "_json_rules", "_patterns", "_redact", "marker", "names")

    def __init__(
        self,
        names: Iterable[str] = (),
        patterns: Iterable[str] = (),
        key: bytes | None = None,
        redact: Callable[[str], str] | None = None,
    ) -> None:
        self.marker = Marker(key)
        self.names = Names(names, self.text)
        self._patterns = tuple(map(re.compile, patterns))
        self._redact = redact
        # What the user's function makes of a text may change from call to call.
        self._clean = Memory() if redact is None else None
        self._json_rules = self.rules(limit=_UNLIMITED, depth=_DEEPEST_JSON, nodes=_UNLIMITED)

    def rules(self, *, limit: int, depth: int = DEPTH, nodes: int = NODES, ids: bool = True) -> Rules:
        """Return the rules of a walk that redacts as this redactor does; see `Rules` for the arguments."""
        return Rules(
            verdicts=self.names.verdicts,
            judge=self.names.verdict,
            scrub=self.text,
            seal=self.seal,
            read_object=read_object,
            limit=limit,
            depth=depth,
            nodes=nodes,
            ids=ids,
        )

    def text(self, text: str) -> str:
        """Return a text without secrets, that can be encoded as UTF-8; never raises.

        Args:
            text: any text. Where it is or contains JSON, names in it count; media in it give way to a short note.
        """
        if not text.isascii():
            text = encodable(text)
        size = len(text)
        if size < SHORTEST_CUT and not self._patterns and self._redact is None and (size < SHORTEST or is_plain(text)):
            return text
        memory = self._clean
        if memory is None or size < memory.shortest:
            return self._scrubbed(text)
        if memory.knows(text):
            return text
        found = self._scrubbed(text)
        if found == text:
            memory.add(text)
        return found

    def is_secret_name(self, name: str) -> bool:
        """Say whether what a name stands for is a secret."""
        return self.names.is_secret(name)

    def seal(self, tree: Tree) -> Tree:
        """Return what stands for content that has a secret name: a marker, but for numbers, which are no secrets."""
        if isinstance(tree, str):
            return self.marker.seal(tree)
        if isinstance(tree, (list, dict)) and _has_text(tree):
            return self.marker.of(canonical_json(tree).decode())
        return tree

    def attributes(self, attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue] | None:
        """Return the attributes of a span or an event that have to change, or None if none has to.

        Args:
            attributes: the attributes of a span, an event or a log record, whoever made it.

        Returns:
            New values by name; None where an attribute has to go, because its name held a secret.
        """
        changed: dict[str, AttributeValue] = {}
        for name, value in attributes.items():
            if value is None:
                continue
            verdict = self.names.verdict(name)
            found: AttributeValue = value
            if not isinstance(value, (int, float)):
                try:
                    found = self._attribute(value, secret=verdict.secret)
                except Exception:  # noqa: BLE001 - rather nothing than a secret
                    found = UNREADABLE
            if verdict is not PLAIN and verdict.name != name:
                changed[name] = None
                changed[verdict.name] = found
            elif found != value:
                changed[name] = found
        return changed or None

    def _attribute(self, value: AttributeValue, *, secret: bool, nested: bool = False) -> AttributeValue:
        clean = self.marker.seal if secret else self.text
        if isinstance(value, str):
            return clean(str.__str__(value))
        if isinstance(value, bytes):
            text = value.decode("utf-8", "replace")
            found = clean(text)
            return value if found == text else found
        if isinstance(value, (tuple, list)):
            pair = nested and len(value) == 2 and isinstance(value[0], str) and self.is_secret_name(value[0])  # noqa: PLR2004
            items = [self._attribute(item, secret=secret, nested=True) for item in value]
            return (items[0], self._attribute(value[1], secret=True)) if pair else tuple(items)
        if isinstance(value, dict):
            return self._nested_attributes(value, secret=secret)
        return value

    def _nested_attributes(self, values: dict[str, AttributeValue], *, secret: bool) -> dict[str, AttributeValue]:
        found: dict[str, AttributeValue] = {}
        for name, value in values.items():
            verdict = self.names.verdict(name)
            written = name if verdict is PLAIN else verdict.name
            found[written] = self._attribute(value, secret=secret or verdict.secret, nested=True)
        return found

    def _scrubbed(self, text: str) -> str:
        try:
            text = self._scrub_names(text)
            if len(text) >= _LEAST_MEDIA and (";base64," in text or '"data"' in text or "b64" in text):
                text = scrub_media(text)
            text = scrub_shapes(text, self.marker)
            return self._scrub_users(text) if self._patterns or self._redact is not None else text
        except Exception:  # noqa: BLE001 - rather nothing than a secret
            return UNREADABLE

    def _scrub_names(self, text: str) -> str:
        parts = assigning_parts(text)
        if not parts or not secret_words(parts.lower(), self.names.needles):
            return text
        parsed = parse_json(text) if text[0] in '{["' and len(text) <= _LONGEST_JSON else None
        if isinstance(parsed, (dict, list, str)):
            text = self._scrub_json(text, parsed)
        # Names that JSON has twice are lost in parsing; in the text they still stand.
        words = secret_words(lower(text), self.names.needles)
        return scrub_assignments(text, words, self.names, self.marker, containers=parsed is None)

    def _scrub_json(self, text: str, parsed: Tree) -> str:
        found = Walk(self._json_rules).tree(parsed, 0)
        # Numbers that other rooms have no use for are written differently, but are no reason to rewrite a text.
        if found == parsed or found == Walk(_UNTOUCHED).tree(parsed, 0):
            return text
        return format_json_like(found, text)

    def _scrub_users(self, text: str) -> str:
        for pattern in self._patterns:
            text = self._outside_markers(pattern, text)
        if self._redact is None:
            return text
        try:
            found = self._redact(text)
            return encodable(str.__str__(found))
        except Exception:  # noqa: BLE001 - the text may hold what the function was to take out
            return self.marker.of(text)

    def _outside_markers(self, pattern: re.Pattern[str], text: str) -> str:
        def seal(found: re.Match[str]) -> str:
            return self.marker.of(found[0]) if found[0] else ""

        pieces: list[str] = []
        written = 0
        for found in MARKER.finditer(text):
            pieces += (pattern.sub(seal, text[written : found.start()]), found[0])
            written = found.end()
        return "".join((*pieces, pattern.sub(seal, text[written:])))


def lower(text: str) -> str:
    """Return a text in lower case, character by character: positions in it are positions in the text."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(character.lower() if character.isascii() else character for character in text)


def _has_text(tree: Tree) -> bool:
    if isinstance(tree, dict):
        return any(map(_has_text, tree.values()))
    if isinstance(tree, list):
        return any(map(_has_text, tree))
    return isinstance(tree, str)
