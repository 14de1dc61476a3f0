"""The snapshot: one bounded walk over a value that copies, redacts and cuts it, and runs no code of the value's own."""

from __future__ import annotations

from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from aotel.content.encode import to_json
from aotel.content.media import SHORTEST_BASE64, base64_digest, media_of
from aotel.content.names import LONGEST_NAME, PLAIN
from aotel.content.trees import cut
from aotel.content.type_facts import type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aotel.content.modes import Tree
    from aotel.content.names import Verdict

DEPTH: Final = 10
NODES: Final = 10_000
_LEAVES: Final = 32  # leaves of full length that a snapshot may hold; past that, each is short
_SHORT: Final = 128  # characters of a leaf that is not counted
_MARGIN: Final = 8192  # characters after a cut that are looked at, so that no secret across it is overlooked
_MANY: Final = 16  # elements, from which on a list of numbers is worth telling from others
_HEADER_KEYS: Final = 8  # keys of an object that says the name and the value of something
_LARGEST: Final = 2**63 - 1
_LONGEST_INT: Final = 2048  # bits of an integer that is written in digits: no interpreter's limit is lower
CUT: Final = "..."

# What describes a field without holding a value of it: in the definition of a tool, and in our own summaries.
_SCHEMA: Final = frozenset(
    {"description", "format", "keys", "length", "maxLength", "minLength", "pattern", "title", "type"}
)
_SCHEMA_TYPES: Final = frozenset(
    {"NoneType", "bool", "boolean", "bytes", "float", "int", "integer", "null", "number", "str", "string"}
)


class Rules:
    """What a walk does with names and texts, and how far it goes.

    Args:
        verdicts: the verdicts on names that are known.
        judge: gives the verdict on another name.
        scrub: cleans a text, and makes it encodable.
        seal: replaces what has a secret name.
        read_object: writes what is neither a scalar nor an exact builtin container.
        limit: the most characters of a leaf.
        depth: containers inside each other; what is deeper is named, not walked.
        raw: whether binary content is written as it is.
        ids: whether objects that are not walked are told apart by their ids.
    """

    __slots__ = (
        "chars",
        "depth",
        "ids",
        "judge",
        "limit",
        "nodes",
        "raw",
        "read_object",
        "scrub",
        "seal",
        "short",
        "verdicts",
    )

    def __init__(  # noqa: PLR0913 - one keyword a rule
        self,
        *,
        verdicts: dict[str, Verdict],
        judge: Callable[[str], Verdict],
        scrub: Callable[[str], str],
        seal: Callable[[Tree], Tree],
        read_object: Callable[[Walk, object, int], Tree],
        limit: int,
        depth: int = DEPTH,
        nodes: int = NODES,
        raw: bool = False,
        ids: bool = True,
    ) -> None:
        self.verdicts = verdicts
        self.judge = judge
        self.scrub = scrub
        self.seal = seal
        self.read_object = read_object
        self.limit = limit
        self.short = min(limit, _SHORT)
        self.chars = _LEAVES * limit
        self.depth = depth
        self.nodes = nodes
        self.raw = raw
        self.ids = ids


class Walk:
    """One walk: what is left of its bounds, and which containers it is in."""

    __slots__ = ("_chars", "_left", "_open", "rules")

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._left = rules.nodes
        self._chars = rules.chars
        self._open: set[int] = set()

    def tree(self, value: Any, depth: int) -> Tree:  # noqa: PLR0911 - by type, the most frequent first
        """Return the snapshot of a value.

        Args:
            value: anything.
            depth: how many containers it is in.
        """
        cls = type_of(value)
        if cls is str:
            return self.rules.scrub(value) if len(value) <= self.rules.short else self.text(value)
        if cls is dict:
            return self.mapping(value.items(), len(value), depth, id(value))
        if cls is list:
            return self.sequence(value, len(value), depth, id(value))
        if cls is tuple:
            return self.sequence(value, len(value), depth, id(value), pair=True)
        if cls is bool or value is None:
            return value  # type: ignore[no-any-return]
        if cls is int:
            return value if -_LARGEST <= value <= _LARGEST else write_int(value)
        if cls is float:
            return value if isfinite(value) else write_float(value)
        return self.rules.read_object(self, value, depth)

    def mapping(self, items: Iterable[tuple[Any, Any]], size: int, depth: int, identity: int) -> Tree:
        """Return the snapshot of names and values.

        Args:
            items: exact pairs; iterating over them must run no code of the caller's.
            size: how many there are.
            depth: how many containers this one is in.
            identity: what the walk knows the container by, to notice that it is in it already.
        """
        rules = self.rules
        if depth >= rules.depth:
            return f"<dict of {size}>"
        if identity in self._open:
            return "<cycle>"
        taken = size if size <= self._left else self._left  # noqa: FURB136 - a call takes as long as all the rest
        self._left -= taken
        # A copy: another thread may change the container meanwhile.
        pairs = list(items if taken == size else islice(items, taken))
        self._open.add(identity)
        depth += 1
        known, scrub, short = rules.verdicts.get, rules.scrub, rules.short
        found: dict[str, Tree] = {}
        for key, value in pairs:
            name = key if type(key) is str else self._key(key)
            verdict = known(name) or rules.judge(name)
            if verdict is not PLAIN:
                found[verdict.name] = self.sealed(value, depth) if verdict.secret else self.tree(value, depth)
            elif type(value) is str and len(value) <= short:
                found[name] = scrub(value)
            else:
                found[name] = self.tree(value, depth)
        self._open.discard(identity)
        if len(found) < taken:
            found = self._apart(pairs, depth)
        if ("value" in found or "data" in found) and taken <= _HEADER_KEYS:
            self._mend(found, pairs)
        if taken < size:
            found[CUT] = f"{size - taken} more"
        return found

    def sequence(self, items: Iterable[Any], size: int, depth: int, identity: int, *, pair: bool = False) -> Tree:
        """Return the snapshot of elements.

        Args:
            items: the elements; see `mapping`.
            size: see `mapping`.
            depth: see `mapping`.
            identity: see `mapping`.
            pair: whether two elements may be a name and a value, like `("authorization", "…")`.
        """
        if depth >= self.rules.depth:
            return f"<list of {size}>"
        if identity in self._open:
            return "<cycle>"
        taken = size if size <= self._left else self._left  # noqa: FURB136 - a call takes as long as all the rest
        self._left -= taken
        elements = list(items if taken == size else islice(items, taken))
        if taken > _MANY and _are_numbers(elements):
            found: list[Tree] = elements
        else:
            self._open.add(identity)
            found = [self.tree(element, depth + 1) for element in elements]
            self._open.discard(identity)
            self._seal_named(elements, found, depth, pair=pair)
        if taken < size:
            found.append(f"{CUT} {size - taken} more")
        return found

    def fields(self, values: Mapping[str, Any]) -> dict[str, Tree]:
        """Return the snapshot of named values: the keywords of a call, the variables of a function."""
        found = self.mapping(values.items(), len(values), 0, id(values))
        return found if isinstance(found, dict) else {}

    def parameters(self, names: tuple[str, ...], args: tuple[Any, ...]) -> list[Tree]:
        """Return the snapshot of positional arguments; these have names too, which may be secret."""
        known, judge = self.rules.verdicts.get, self.rules.judge
        found: list[Tree] = []
        for name, value in zip(names, args, strict=False):
            secret = (known(name) or judge(name)).secret
            found.append(self.sealed(value, 0) if secret else self.tree(value, 0))
        size = len(args)
        if size > len(found):
            beyond = args[len(names) :]
            more = self.sequence(beyond, len(beyond), 0, id(beyond), pair=True)
            found += more if isinstance(more, list) else [more]
        if size == 2 and type(args[0]) is str and self.is_secret(args[0]):  # noqa: PLR2004 - a header, say
            found[1] = self.sealed(args[1], 0)
        return found

    def text(self, text: str) -> Tree:
        """Return a leaf: the text cleaned, and cut if it is too long; what stands for it if it is media."""
        if len(text) >= SHORTEST_BASE64 and not self.rules.raw:
            media = media_of(text)
            if media is not None:
                return media
        found = self.cut_text(text, min(self.rules.limit, max(_SHORT, self._chars)))
        self._chars -= len(found)
        return found

    def cut_text(self, text: str, limit: int) -> str:
        """Return a text cleaned and, past the limit in characters, cut; in this order, so that no secret is cut."""
        looked_at = limit + _MARGIN
        if len(text) <= looked_at:
            found = self.rules.scrub(text)
            return found if len(found) <= limit else cut(found, limit)
        found = self.rules.scrub(text[:looked_at])
        return cut(found, limit) if len(found) > limit - len(CUT) else found + CUT

    def sealed(self, value: Any, depth: int) -> Tree:
        """Return what stands for a value that has a secret name."""
        cls = type_of(value)
        if cls is str:
            return self.rules.seal(value)
        if cls is bytes or cls is bytearray:
            return self.rules.seal(value.decode("utf-8", "replace"))
        tree = self.tree(value, depth)
        return tree if cls is dict and _is_schema(value) else self.rules.seal(tree)

    def is_secret(self, name: Any) -> bool:
        """Say whether something is a secret name: the first of a pair, or the name of a header."""
        if type(name) is bytes:
            name = name[:LONGEST_NAME].decode("latin-1")
        if type(name) is not str or len(name) > LONGEST_NAME:
            return False
        return (self.rules.verdicts.get(name) or self.rules.judge(name)).secret

    def _key(self, key: Any) -> str:
        """Return the name that JSON has for a key: all of them are strings there."""
        if type(key) is bytes:
            return key[: 2 * LONGEST_NAME].decode("latin-1")
        written = self.tree(key, self.rules.depth - 1)
        return written if isinstance(written, str) else to_json(written)

    def _apart(self, pairs: list[tuple[Any, Any]], depth: int) -> dict[str, Tree]:
        """Return the snapshot of names and values where several keys have the same name in JSON: these get numbers."""
        found: dict[str, Tree] = {}
        for index, (key, value) in enumerate(pairs):
            name = key if type(key) is str else self._key(key)
            verdict = self.rules.judge(name)
            written = name if verdict is PLAIN else verdict.name
            found[f"{written}#{index}" if written in found else written] = (
                self.sealed(value, depth) if verdict.secret else self.tree(value, depth)
            )
        return found

    def _seal_named(self, elements: list[Any], found: list[Tree], depth: int, *, pair: bool) -> None:
        """Seal the second of a pair, in a tuple or in a list of lists, and what follows an option like `--password`."""
        if pair and len(elements) == 2 and self.is_secret(elements[0]):  # noqa: PLR2004
            found[1] = self.sealed(elements[1], depth + 1)
        for index, element in enumerate(elements):
            cls = type_of(element)
            if cls is list:
                written = found[index]
                # A list by itself may well be one of names: `"required": ["token", "text"]`.
                if len(element) == 2 and isinstance(written, list) and self.is_secret(element[0]):  # noqa: PLR2004
                    written[1] = self.sealed(element[1], depth + 2)
            elif cls is str and element[:2] == "--" and index + 1 < len(elements) and self.is_secret(element):
                found[index + 1] = self.sealed(elements[index + 1], depth + 1)

    def _mend(self, found: dict[str, Tree], pairs: list[tuple[Any, Any]]) -> None:
        """Seal the value of `{"name": "authorization", "value": …}`; write `{"data": …, "media_type": …}` as media."""
        fields = {key: value for key, value in pairs if type(key) is str}
        if "value" in fields and any(self.is_secret(fields.get(key)) for key in ("name", "key", "header")):
            found["value"] = self.sealed(fields["value"], DEPTH)
        data = fields.get("data")
        if type(data) is str and len(data) >= _SHORT and not self.rules.raw:
            mime_types = (fields.get(key) for key in ("media_type", "mime_type", "mimeType"))
            mime_type = next((given for given in mime_types if type(given) is str), None)
            kind = fields.get("type")
            if mime_type is not None or (type(kind) is str and kind == "base64"):
                found["data"] = base64_digest(data, mime_type or "") or found["data"]


def _is_schema(fields: dict[Any, Any]) -> bool:
    """Say whether a dictionary is what describes a secret, and no secret."""
    if len(fields) > len(_SCHEMA) or not all(type(key) is str and key in _SCHEMA for key in fields):
        return False
    kind = fields.get("type")
    return type(kind) is str and kind in _SCHEMA_TYPES


def write_int(value: int) -> str:
    """Return an integer that does not fit 64 bits as text."""
    bits = value.bit_length()
    return str(value) if bits <= _LONGEST_INT else f"<int of {bits} bits>"


def write_float(value: float) -> str:
    """Return a number that JSON does not have as text."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124


def _are_numbers(elements: list[Any]) -> bool:
    """Say whether all elements are numbers that JSON has: vectors are long, and looked at best all at once."""
    kinds = set(map(type, elements))
    if kinds == {float}:
        return isfinite(sum(elements))
    return kinds == {int} and min(elements) >= -_LARGEST and max(elements) <= _LARGEST
