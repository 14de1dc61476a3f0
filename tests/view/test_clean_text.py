from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.view.clean_text import clean_json, clean_text

ANYTHING = st.text(st.characters(codec=None, categories=None), max_size=80) | st.text(
    st.sampled_from("a[\x1b\x9b\x07\u202e\u2066\u2028\ud800\udfff\U000e0041\U0001f600\u0301\ufe0f\xa0\u200d\n]"),
    max_size=40,
)
OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ANYTHING, st.none() | st.integers(0, 50))
def test_nothing_that_is_obeyed_is_left(text: str, limit: int | None) -> None:
    cleaned = clean_text(text, limit)
    assert not {unicodedata.category(each) for each in cleaned} & OBEYED
    assert cleaned.isprintable()
    cleaned.encode("utf-8")


@given(ANYTHING, st.integers(0, 50))
def test_what_is_longer_is_cut_and_shows_it(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    if len(clean_text(text)) > limit > 0:
        assert cleaned.endswith("…")


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b2J", "\\x9b2J"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x7f\x00", "\\x7f\\x00"),
        ("txt.\u202egpj", "txt.\\u202egpj"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\ud83d", "\\ud83d"),
        ("\U000e0041", "\\U000e0041"),
        ("[red]no markup[/red]", "[red]no markup[/red]"),
        ("naïve 日本語 😀", "naïve 日本語 😀"),
        ("a\xa0b\u3000c", "a b c"),
        ("e\u0301", "e\u0301"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 3),
        ("⚠\ufe0f", "⚠"),
    ],
)
def test_what_is_written_for_it(text: str, shown: str) -> None:
    assert clean_text(text) == shown


@given(st.recursive(ANYTHING, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANYTHING, inner, max_size=4)))
def test_json_means_the_same_and_has_nothing_that_is_obeyed(value: object) -> None:
    written = clean_json(json.dumps(value, ensure_ascii=False))
    assert written.isprintable()
    assert json.loads(written) == json.loads(json.dumps(value))


def test_json_stays_readable_in_every_script() -> None:
    assert clean_json('{"a": "日本語"}') == '{"a": "日本語"}'
    assert clean_json('"\x9b\u2028"') == '"\\u009b\\u2028"'
