"""Prose behind the name of a secret: `The password: please choose another`. Said of a password, it is none."""

from __future__ import annotations

import re
from typing import Final

# A sentence begins with them and is held together by them. No secret is one, though a passphrase may have some.
LITTLE: Final = frozenset(
    {"a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "for", "from", "how", "if", "in", "is"}
    | {"it", "its", "may", "must", "no", "not", "of", "on", "one", "or", "our", "please", "see", "should", "so", "such"}
    | {"that", "the", "their", "them", "then", "these", "they", "this", "those", "to", "until", "use", "used", "was"}
    | {"we", "what", "when", "where", "whether", "which", "who", "will", "with", "you", "your"}
)
_WORD: Final = re.compile(r"\(?[A-Za-z]+(?:['-][A-Za-z]+)*[).,;:!?…]{0,3}|[-…]")
_AROUND: Final = "().,;:!?…"
_LEAST_WORDS: Final = 4
_LEAST_LITTLE: Final = 2
_SHARE_OF_LITTLE: Final = 0.4


def is_sentence(line: str) -> bool:
    """Say whether a line is prose. A passphrase has few little words: `correct horse battery staple` none at all."""
    words = line.split()
    little = sum(word.strip(_AROUND).lower() in LITTLE for word in words)
    return (
        len(words) >= _LEAST_WORDS
        and little >= max(_LEAST_LITTLE, _SHARE_OF_LITTLE * len(words))
        and all(map(_WORD.fullmatch, words))
    )


def is_heading(name: str) -> bool:
    """Say whether a name in lower case is a heading as links write it, `secrets-of-your-own`."""
    return not LITTLE.isdisjoint(name.split("-"))
