"""Attributes no larger than a value and a span may be: texts are cut, JSON loses text in its leaves and stays JSON."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from aotel.dialects.flatten import newest
from aotel.dialects.json_text import decode, encode
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Json

__all__ = ["SPAN_BUDGET", "cut", "cut_all", "fit"]

SPAN_BUDGET: Final = 1_500_000
"""Bytes of the attributes of one span. Receivers refuse requests of 4 MiB; what encoding adds comes on top."""

_LEAVES: Final = tuple(round(256 * 2 ** (step / 2)) for step in range(27))
"""Lengths that texts are cut to in a span that is too large; what is shorter than the least are ids and names."""

_MESSAGES: Final = tuple(2**step for step in range(14))
"""Numbers of input messages that stay in a span that is too large with the shortest texts."""

_LIMITS: Final = (0, 8, 64, 512, 4_096)
"""Lengths that whole values are cut to in a span that is too large with one message."""

_WHOLE: Final = 8
"""How many times as long as its texts may be a JSON value, or an item of a conversation, is at most."""

_NUMBER: Final = 8
"""Bytes of a number in a list."""

_LONGEST_UTF8: Final = 4
"""Bytes of a character."""

_DEEPEST: Final = 64
"""Levels of a tree that is cut; what is deeper is left out, as where we encode it."""

_NESTED: Final = frozenset({dict, list})

_CONVERSATION: Final = frozenset(
    {
        names.GEN_AI_INPUT_MESSAGES,
        names.GEN_AI_OUTPUT_MESSAGES,
        names.GEN_AI_SYSTEM_INSTRUCTIONS,
        names.GEN_AI_TOOL_DEFINITIONS,
    },
)
"""JSON arrays whose items stand for themselves, as those of an indexed family do."""

_ALWAYS: Final = frozenset(
    {
        names.OPENINFERENCE_SPAN_KIND,
        names.GEN_AI_OPERATION_NAME,
        names.AOT_OPERATION,
        names.AOT_KIND,
        names.AOT_SESSION_ID,
        names.AOT_RUN_ID,
        names.SESSION_ID,
        names.GEN_AI_CONVERSATION_ID,
        names.GEN_AI_PROVIDER_NAME,
        names.GEN_AI_REQUEST_MODEL,
        names.GEN_AI_RESPONSE_MODEL,
        names.LLM_MODEL_NAME,
        names.LLM_REQUEST_MODEL_NAME,
        names.LLM_RESPONSE_MODEL_NAME,
        names.EMBEDDING_MODEL_NAME,
        names.RERANKER_MODEL_NAME,
        names.DECISION_MODEL_NAME,
        names.DECISION_REQUEST_MODEL_NAME,
        names.DECISION_RESPONSE_MODEL_NAME,
    },
)
"""Texts that say what a span is; they stay whatever goes, as numbers do."""


class _Item(NamedTuple):
    """Decoded JSON, and how many characters it has without its texts."""

    tree: Json
    frame: int


class _Value(NamedTuple):
    """A value of a span that is too large.

    Args:
        given: as the span has it.
        items: what it is the JSON of, where it is any and is long: of a conversation the items, else one.
        many: whether it is a conversation.
    """

    given: AttributeValue
    items: Sequence[_Item] = ()
    many: bool = False


Values = dict[str, _Value]
Attributes = dict[str, "AttributeValue"]


def cut_all(attributes: Attributes, limit: int) -> Attributes:
    """Attributes of which no text is longer than a limit, as `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` asks.

    Args:
        attributes: changed in place.
        limit: characters.

    Returns:
        The same attributes; JSON that can't be made to fit without ceasing to be JSON is left out.
    """
    for name, value in list(attributes.items()):
        if isinstance(value, str):
            fitting = cut(value, limit)
            if fitting is None:
                del attributes[name]
            elif fitting is not value:
                attributes[name] = fitting
        elif isinstance(value, (list, tuple)) and any(isinstance(item, str) and len(item) > limit for item in value):
            attributes[name] = [item[:limit] for item in value if isinstance(item, str)]
    return attributes


def cut(text: str, limit: int) -> str | None:
    """A text of at most `limit` characters: JSON as JSON, None where that is impossible, any other text cut off."""
    if len(text) <= limit:
        return text
    tree = _tree(text)
    if tree is None:
        return text[:limit]
    leaf = limit // 2
    while leaf:
        fitting = encode(_shortened(tree, leaf))
        if len(fitting) <= limit:
            return fitting
        leaf //= 4
    return _pruned(tree, 0, limit)


def fit(attributes: Attributes, budget: int = SPAN_BUDGET) -> None:
    """Makes the attributes of a span so small that receivers take it: better all of it shorter than none of it.

    All texts are cut to one length, the largest that fits. Where the shortest texts are too many still, the oldest
    input messages go; and last, whatever is longest. Kind, models, sessions and token counts stay.

    Args:
        attributes: all of a span's; changed in place where they are too large.
        budget: bytes that names and values may have in all.
    """
    if _fits(attributes, budget):
        return
    least = _LEAVES[0]
    values = _values(attributes, least)
    fitting = (
        _largest(_LEAVES, lambda leaf: _shorter(values, leaf), budget)
        or _largest(_MESSAGES, lambda keep: _shorter(_newest(values, keep), least), budget)
        or _largest(_LIMITS, lambda limit: _meagre(_shorter(_newest(values, 1), least), limit), budget)
        or _indispensable(_shorter(values, least))
    )
    for name in attributes.keys() - fitting.keys():
        del attributes[name]
    attributes.update(fitting)


def _fits(attributes: Attributes, budget: int) -> bool:
    characters = sum(map(len, attributes))
    characters += sum([len(value) if type(value) is str else _size(value) for value in attributes.values()])
    return _LONGEST_UTF8 * characters <= budget or _size_of_all(attributes) <= budget


def _size_of_all(attributes: Attributes) -> int:
    return sum([_size(name) + _size(value) for name, value in attributes.items()])


def _size(value: AttributeValue) -> int:
    """Bytes of a value, about; a number alone counts as nothing."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, (list, tuple)):
        return sum([_size(item) if isinstance(item, str) else _NUMBER for item in value])
    return 0


def _values(attributes: Attributes, least: int) -> Values:
    found: Values = {}
    known: dict[str, _Value] = {}
    for name, value in attributes.items():
        if not isinstance(value, str) or len(value) <= least:
            found[name] = _Value(value)
            continue
        if value not in known:  # the vocabularies say the same texts
            known[value] = _value(value, many=name in _CONVERSATION)
        found[name] = known[value]
    return found


def _value(text: str, *, many: bool) -> _Value:
    tree = _tree(text)
    if tree is None:
        return _Value(text)
    many = many and isinstance(tree, list)
    trees = tree if many and isinstance(tree, list) else [tree]
    return _Value(text, [_Item(item, len(encode(_shortened(item, 0)))) for item in trees], many)


def _tree(text: str) -> Json:
    return decode(text) if text[0] in '{["' else None


def _largest(steps: Sequence[int], made: Callable[[int], Attributes], budget: int) -> Attributes | None:
    """What is made with the largest of some ascending numbers that makes it fit; None where none of them does."""
    found: Attributes | None = None
    low, high = 0, len(steps)
    while low < high:
        middle = (low + high) // 2
        tried = made(steps[middle])
        if _size_of_all(tried) <= budget:
            found, low = tried, middle + 1
        else:
            high = middle
    return found


def _shorter(values: Values, leaf: int) -> Attributes:
    """Attributes whose texts have at most `leaf` characters."""
    found: Attributes = {}
    known: dict[int, str] = {}
    for name, value in values.items():
        given = value.given
        shorter: AttributeValue | None = given
        if isinstance(given, (list, tuple)):
            shorter = _shorter_list(given, leaf)
        elif isinstance(given, str) and len(given) > leaf:
            shorter = known.get(id(value))
            if shorter is None:
                shorter = known[id(value)] = _shorter_text(given, value, leaf)
        if shorter is not None:
            found[name] = shorter
    return found


def _shorter_text(text: str, value: _Value, leaf: int) -> str:
    if value.many:
        return f"[{','.join([_shorter_json(item, leaf) for item in value.items])}]"
    return _shorter_json(value.items[0], leaf) if value.items else text[:leaf]


def _shorter_json(item: _Item, leaf: int) -> str:
    limit = _WHOLE * leaf
    if item.frame <= limit:
        fitting = encode(_shortened(item.tree, leaf))
        if len(fitting) <= limit:
            return fitting
    return _pruned(item.tree, leaf, limit) or "null"


def _shorter_list(given: Sequence[object], leaf: int) -> AttributeValue | None:
    """A list with shorter texts; too many are cut off, but not numbers: a part of a vector is another vector."""
    items = [item[:leaf] if isinstance(item, str) else item for item in given]
    if _size(cast("AttributeValue", items)) <= _WHOLE * leaf:
        return cast("AttributeValue", items)
    return [item for item in items if isinstance(item, str)][:_WHOLE] or None


def _newest(values: Values, keep: int) -> Values:
    """A span's values without its oldest input messages, in any vocabulary."""
    entries = keep
    messages = values.get(names.GEN_AI_INPUT_MESSAGES)
    if messages is not None and messages.many:
        kept = messages.items[-keep:]
        values = {**values, names.GEN_AI_INPUT_MESSAGES: messages._replace(items=kept)}
        entries = sum([_entries(item.tree) for item in kept])
    values = newest(values, names.LLM_INPUT_MESSAGES, entries)
    return newest(newest(values, names.GEN_AI_PROMPT, keep), names.LLM_PROMPTS, keep)


def _entries(message: Json) -> int:
    """How many messages OpenInference makes of a GenAI message: one of each tool result, and one of the rest."""
    parts = message.get("parts") if isinstance(message, dict) else None
    if not isinstance(parts, list):
        return 1
    results = sum([isinstance(part, dict) and part.get("type") == "tool_call_response" for part in parts])
    return results + (results < len(parts)) or 1


def _meagre(attributes: Attributes, limit: int) -> Attributes:
    """Attributes none of which is long, but for those that are indispensable."""
    indispensable = _indispensable(attributes)
    return {**cut_all(attributes, limit), **indispensable}


def _indispensable(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if name in _ALWAYS or isinstance(value, (int, float))}


def _shortened(tree: Json, leaf: int, most: int | None = None, depth: int = 0) -> Json:
    """A tree whose texts have at most `leaf` characters; keys say what a leaf is and stay.

    Args:
        tree: decoded JSON.
        leaf: characters.
        most: items that stay of an array, the last ones (in a conversation, the newest), and of an object, the first.
        depth: of the tree in the whole.
    """
    if isinstance(tree, str):
        return tree[:leaf]
    if not isinstance(tree, (dict, list)):
        return tree
    if depth > _DEEPEST:
        return None
    # Most items are leaves, and are looked at right here: a call for each would take twice the time.
    if isinstance(tree, dict):
        return {
            key: item[:leaf]
            if type(item) is str
            else (_shortened(item, leaf, most, depth + 1) if type(item) in _NESTED else item)
            for key, item in islice(tree.items(), most)
        }
    return [
        item[:leaf]
        if type(item) is str
        else (_shortened(item, leaf, most, depth + 1) if type(item) in _NESTED else item)
        for item in (tree if most is None else tree[max(0, len(tree) - most) :])
    ]


def _pruned(tree: Json, leaf: int, limit: int) -> str | None:
    """JSON of at most `limit` characters: a tree's arrays and objects with as many items as fit, doubled from none."""
    found: str | None = None
    most = 0
    while most <= limit and len(fitting := encode(_shortened(tree, leaf, most))) <= limit:
        found = fitting
        most = 2 * most or 1
    return found
