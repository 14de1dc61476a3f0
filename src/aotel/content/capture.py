"""The five capture modes: what becomes of arguments, results, messages and foreign attributes under each."""

from __future__ import annotations

import hmac
from os import urandom
from typing import TYPE_CHECKING, Any, ClassVar

from aotel.content.encode import canonical_json, parse_json, to_json
from aotel.content.marker import HASHED
from aotel.content.modes import Mode
from aotel.content.names import PLAIN
from aotel.content.redaction import UNREADABLE
from aotel.content.snapshot import NODES, Walk
from aotel.content.summary import summary_of
from aotel.semconv.attributes import is_content

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.content.modes import Tree
    from aotel.content.redaction import Redactor
    from aotel.content.snapshot import Rules


_process_key = urandom(32)


class Arguments:
    """What was passed to a call, as it is written.

    Attributes:
        positional: what was passed by position.
        keywords: what was passed by name.
    """

    __slots__ = ("_names", "keywords", "positional")

    def __init__(self, names: tuple[str, ...], positional: list[Tree], keywords: dict[str, Tree]) -> None:
        self._names = names
        self.positional = positional
        self.keywords = keywords

    def named(self) -> dict[str, Tree]:
        """Return all arguments by name; what was passed beyond the named positions is a list under `args`."""
        named = dict(zip(self._names, self.positional, strict=False))
        named.update(self.keywords)
        beyond = self.positional[len(self._names) :]
        if beyond:
            named["*args" if "args" in named else "args"] = beyond
        return named


class Capture:
    """How content is written under one mode; immutable, and none of its methods raises.

    This class is the mode `none`: nothing is written, and the attributes of others that hold content are removed.

    Attributes:
        mode: the mode.
        writes: whether anything is written at all; where it is not, callers need not ask.
    """

    __slots__ = ("_redactor",)

    mode: ClassVar[Mode] = Mode.NONE
    writes: ClassVar[bool] = False

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def value(self, value: object, name: str | None = None) -> Tree:
        """Return a value as it is written.

        Args:
            value: anything; none of its own code runs, but for what the user registered with `describe`.
            name: what the value is called, if it may be secret by that.
        """
        del value, name
        return None

    def arguments(self, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        """Return the arguments of a call as they are written.

        Args:
            names: names of the positional parameters, in order.
            args: what was passed by position.
            kwargs: what was passed by name.
        """
        del args, kwargs
        return Arguments(names, [], {})

    def variables(self, values: Mapping[str, object]) -> dict[str, Tree]:
        """Return values by the names that they have in the code, as they are written."""
        del values
        return {}

    def is_secret_name(self, name: str) -> bool:
        """Say whether what a name stands for is a secret, under whatever mode."""
        return self._redactor.is_secret_name(name)

    def text(self, text: str) -> str:
        """Return a message, a stack trace or another text as it is written; empty under `none`."""
        del text
        return ""

    def attributes(
        self, attributes: Mapping[str, AttributeValue], content: Collection[str] = ()
    ) -> dict[str, AttributeValue] | None:
        """Return the attributes of anybody's span or event that have to change, or None if none has to.

        Secrets are taken out of all of them, whatever the mode, but for `raw`; those that hold content, by our
        registry, are written as the mode says.

        Args:
            attributes: the attributes of a span, an event or a log record.
            content: names of those that hold content here, beside those of the registry.

        Returns:
            New values by name; None where an attribute has to go.
        """
        try:
            said = {name: value for name, value in attributes.items() if name in content or is_content(name)}
            others = {name: value for name, value in attributes.items() if name not in said}
            changed = self._redactor.attributes(others) or {}
            for name, value in said.items():
                verdict = self._redactor.names.verdict(name)
                written = name if verdict is PLAIN else verdict.name
                if written != name:  # a secret stands in the name itself
                    changed[name] = None
                changed[written] = self._content(value)
        except Exception:  # noqa: BLE001 - rather nothing than a secret
            return dict.fromkeys(attributes)
        return changed or None

    def _content(self, value: AttributeValue) -> AttributeValue:
        del value
        return None


class RedactedCapture(Capture):
    """The mode `redacted`: everything is written, secrets are replaced.

    Args:
        redactor: takes the secrets out.
        rules: what a walk does and how far it goes.
    """

    __slots__ = ("_rules",)

    mode: ClassVar[Mode] = Mode.REDACTED
    writes: ClassVar[bool] = True

    def __init__(self, redactor: Redactor, rules: Rules) -> None:
        super().__init__(redactor)
        self._rules = rules

    def value(self, value: object, name: str | None = None) -> Tree:
        """Return a value as it is written; see `Capture.value`."""
        walk = Walk(self._rules)
        try:
            return walk.sealed(value, 0) if name is not None and walk.is_secret(name) else walk.tree(value, 0)
        except Exception:  # noqa: BLE001 - a traced program goes on
            return UNREADABLE

    def arguments(self, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        """Return the arguments of a call as they are written; see `Capture.arguments`."""
        walk = Walk(self._rules)
        try:
            positional = walk.parameters(names, args)
            keywords = walk.fields(kwargs) if kwargs else {}
        except Exception:  # noqa: BLE001 - see above
            return Arguments(names, [UNREADABLE for _ in args[: len(names)]], {})
        return Arguments(names, positional, keywords)

    def variables(self, values: Mapping[str, object]) -> dict[str, Tree]:
        """Return named values as they are written; see `Capture.variables`."""
        try:
            return Walk(self._rules).fields(values)
        except Exception:  # noqa: BLE001 - see above
            return {}

    def text(self, text: str) -> str:
        """Return a text as it is written; see `Capture.text`."""
        try:
            return Walk(self._rules).cut_text(text, self._rules.limit)
        except Exception:  # noqa: BLE001 - see above
            return UNREADABLE

    def attributes(
        self, attributes: Mapping[str, AttributeValue], content: Collection[str] = ()
    ) -> dict[str, AttributeValue] | None:
        """Return the attributes that have a secret to lose; see `Capture.attributes`."""
        del content
        try:
            return self._redactor.attributes(attributes)
        except Exception:  # noqa: BLE001 - rather nothing than a secret
            return dict.fromkeys(attributes)


class RawCapture(RedactedCapture):
    """The mode `raw`: everything is written as it is, within the bounds of a walk."""

    __slots__ = ()

    mode: ClassVar[Mode] = Mode.RAW

    def attributes(self, attributes: Mapping[str, AttributeValue], content: Collection[str] = ()) -> None:
        """Return None: nothing has to change."""
        del attributes, content


class HashCapture(Capture):
    """The mode `hash`: of each argument, result, message and variable a keyed SHA-256 of its canonical JSON.

    Of what is beyond the bounds of the walk (see `Rules`), the hash says nothing.

    Args:
        redactor: takes the secrets out first.
        rules: what the walk before the hash does.
        key: key of the hash; None is one that this process alone knows.
    """

    __slots__ = ("_key", "_rules")

    mode: ClassVar[Mode] = Mode.HASH
    writes: ClassVar[bool] = True

    def __init__(self, redactor: Redactor, rules: Rules, key: bytes | None) -> None:
        super().__init__(redactor)
        self._rules = rules
        self._key = key or _process_key

    def value(self, value: object, name: str | None = None) -> str:
        """Return the hash of a value; see `Capture.value`."""
        walk = Walk(self._rules)
        try:
            tree = walk.sealed(value, 0) if name is not None and walk.is_secret(name) else walk.tree(value, 0)
        except Exception:  # noqa: BLE001 - a traced program goes on
            tree = UNREADABLE
        return f"sha256:{hmac.digest(self._key, canonical_json(tree), 'sha256').hex()}"

    def arguments(self, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        """Return the arguments of a call as they are written; see `Capture.arguments`."""
        named = [self.value(value, name) for name, value in zip(names, args, strict=False)]
        beyond = [self.value(value) for value in args[len(names) : self._rules.nodes]]
        return Arguments(names, [*named, *beyond], self.variables(kwargs))

    def variables(self, values: Mapping[str, object]) -> dict[str, Tree]:
        """Return named values as they are written; see `Capture.variables`."""
        judge = self._rules.judge
        return {
            name if (verdict := judge(name)) is PLAIN else verdict.name: self.value(value, name)
            for name, value in values.items()
        }

    def text(self, text: str) -> str:
        """Return a text as it is written; see `Capture.text`."""
        return self.value(text)

    def _content(self, value: AttributeValue) -> AttributeValue:
        return value if isinstance(value, str) and HASHED.fullmatch(value) else self.value(_parsed(value))


class SummaryCapture(Capture):
    """The mode `summary`: the shape of everything, no value and no key of anything."""

    __slots__ = ()

    mode: ClassVar[Mode] = Mode.SUMMARY
    writes: ClassVar[bool] = True

    def value(self, value: object, name: str | None = None) -> Tree:
        """Return a value as it is written; see `Capture.value`."""
        del name
        return summary_of(value)

    def arguments(self, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        """Return the arguments of a call as they are written; see `Capture.arguments`."""
        # The name of a parameter is no content; what was passed to `**kwargs` has keys that are.
        keywords = {
            name if name in names else f"keyword {index}": self.value(value)
            for index, (name, value) in enumerate(kwargs.items())
        }
        return Arguments(names, list(map(summary_of, args[:NODES])), keywords)

    def variables(self, values: Mapping[str, object]) -> dict[str, Tree]:
        """Return named values as they are written; see `Capture.variables`."""
        return {name: self.value(value) for name, value in values.items()}

    def text(self, text: str) -> str:
        """Return a text as it is written; see `Capture.text`."""
        return to_json(summary_of(text))

    def _content(self, value: AttributeValue) -> AttributeValue:
        return to_json(summary_of(_parsed(value)))


def _parsed(value: AttributeValue) -> object:
    """Return what a JSON attribute says, so that its hash and its shape are those of the content."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        parsed = parse_json(value)
        return value if parsed is None else parsed
    return value
