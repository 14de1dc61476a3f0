"""Redaction by name: which names stand for a secret, told by the words they are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.semconv import attributes as semconv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST_NAME: Final = 128  # characters; what is longer is a text, not a name
_LONGEST_JUDGED: Final = 1024  # characters; of what is longer, the beginning and the end
_LONGEST_KEY: Final = 256  # characters of a key that are written
_REMEMBERED: Final = 4096  # verdicts

# A secret by itself, but also a word of prose: `key: C major`.
_WEAK: Final = frozenset({"auth", "bearer", "key", "oauth", "token"})

_SECRET: Final = _WEAK | {
    "apikey",
    "authorization",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "creds",
    "jwt",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pwd",
    "secret",
    "secrets",
}

# Written in one word: PGPASSWORD, dbpassword, XAPIKEY, accesstoken.
_SECRET_ENDINGS: Final = (
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "refreshtoken",
    "secretkey",
    "sessiontoken",
)

# `keys` and `tokens` are counted or listed; with these words before them they are secrets.
_OF_PLURAL: Final = {
    "keys": frozenset({"access", "api", "encryption", "private", "secret", "signing", "ssh"}),
    "tokens": frozenset({"access", "api", "auth", "bearer", "id", "refresh", "session"}),
}

# What is measured of tokens is none: `token_count`, `llm.token_count.prompt`.
_MEASURES: Final = frozenset(
    {
        "budget",
        "cost",
        "count",
        "counter",
        "counts",
        "details",
        "length",
        "limit",
        "limits",
        "size",
        "total",
        "type",
        "usage",
    }
)

# `KeyError: 'x'` in an error message names no secret.
_FAILURES: Final = frozenset({"error", "errors", "exception", "failure", "warning"})

# Headers and parameters that hold a secret although no word of their names says so.
_SECRET_PHRASES: Final = (
    ("envpod", "access"),
    ("x", "amz", "signature"),
    ("x", "goog", "signature"),
    ("x", "hub", "signature"),
)

# Every secret name has one of these in lower case: looking for them is how most names and texts are passed over.
_NEEDLES: Final = ("key", "token", "pass", "pwd", "secret", "auth", "bearer", "cred", "cookie", "jwt", "envpod")
_SIGNATURE: Final = "signat"  # in a name only; in a text a signature counts as part of a URL

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")


class Verdict(NamedTuple):
    """What becomes of a name, and of what it names.

    Attributes:
        name: the name as it is written.
        secret: whether what it names is a secret.
    """

    name: str
    secret: bool


PLAIN: Final = Verdict("", secret=False)
"""The verdict on nearly all names: written as they are, and so is what they name."""


class Names:
    """Tells secret names from others, and remembers.

    Args:
        extra: names that the user adds; each is secret wherever its words stand in a name.
        scrub: cleans a name that may itself hold a secret.
    """

    __slots__ = ("_extra", "_may_be_secret", "_scrub", "needles", "verdicts")

    def __init__(self, extra: Iterable[str], scrub: Callable[[str], str]) -> None:
        self._extra = tuple(words for name in extra if (words := words_of(name)))
        self._scrub = scrub
        self.needles: tuple[str, ...] = (*_NEEDLES, *dict.fromkeys(words[0] for words in self._extra))
        self._may_be_secret = re.compile("|".join(map(re.escape, (*self.needles, _SIGNATURE)))).search
        self.verdicts: dict[str, Verdict] = {}

    def verdict(self, name: str) -> Verdict:
        """Return the verdict on a name; `verdicts` holds what was asked for lately."""
        found = self.verdicts.get(name)
        if found is not None:
            return found
        written = self._scrub(name[: _LONGEST_KEY + LONGEST_NAME])[:_LONGEST_KEY]
        secret = self._judge(name)
        found = Verdict(written, secret) if secret or written != name else PLAIN
        if len(name) <= LONGEST_NAME:
            if len(self.verdicts) >= _REMEMBERED:
                self.verdicts.clear()
            self.verdicts[name] = found
        return found

    def is_secret(self, name: str) -> bool:
        """Say whether what a name stands for is a secret."""
        return self.verdict(name).secret

    def _judge(self, name: str) -> bool:
        if len(name) > _LONGEST_JUDGED:
            name = f"{name[: _LONGEST_JUDGED // 2]} {name[-_LONGEST_JUDGED // 2 :]}"
        if self._may_be_secret(name.lower()) is None or name in semconv.NAMES:
            return False
        words = words_of(name)
        return is_secret(words) or any(_contains(words, extra) for extra in self._extra)


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a snake_case, kebab-case, camelCase or dotted name, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(name.replace("OAuth", "oauth")))


def is_weak(name: str) -> bool:
    """Say whether a secret name is one that prose uses too, so that what follows its colon may be no secret."""
    words = words_of(name)
    return len(words) == 1 and words[0] in _WEAK


def is_secret(words: tuple[str, ...]) -> bool:
    """Say whether the words of a name, in lower case, are those of a secret."""
    if not words or words[-1] in _FAILURES:
        return False
    if len(words) > 1 and words[-1] == "pass":
        return True
    return any(_is_secret_at(words, index) for index in range(len(words))) or any(
        _contains(words, phrase) for phrase in _SECRET_PHRASES
    )


def _is_secret_at(words: tuple[str, ...], index: int) -> bool:
    word = words[index]
    if word in _OF_PLURAL:
        return index > 0 and words[index - 1] in _OF_PLURAL[word]
    if word == "token" and index + 1 < len(words) and words[index + 1] in _MEASURES:
        return False
    return word in _SECRET or word.endswith(_SECRET_ENDINGS)


def _contains(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    size = len(phrase)
    return any(words[index : index + size] == phrase for index in range(len(words) - size + 1))
