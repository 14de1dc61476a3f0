"""The terminal of the example: lines that are not too long, and questions that do not wait for ever."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples.programs import module

if TYPE_CHECKING:
    from collections.abc import Iterator

console = module("console")


@pytest.fixture
def typing_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input is a terminal; what is written here is typed there."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, closefd=True) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield ours
    os.close(ours)


def test_nobody_is_asked_where_nobody_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert console.Console().ask("Really?", default="n", timeout=60) == "n"
    monkeypatch.setattr(sys, "stdin", None)
    assert console.Console().ask("Really?", default="n", timeout=60) == "n"
    assert capsys.readouterr().out == ""


def test_person_who_answers_is_heard(typing_hand: int, capsys: pytest.CaptureFixture[str]) -> None:
    os.write(typing_hand, b"yes\n")
    assert console.Console().ask("Really?", default="n", timeout=10) == "yes"
    assert capsys.readouterr().out == "Really? "


def test_person_who_does_not_answer_is_not_waited_for(typing_hand: int, capsys: pytest.CaptureFixture[str]) -> None:
    before = time.monotonic()
    assert console.Console().ask("Really?", default="n", timeout=0.1) == "n"
    assert time.monotonic() - before < 10
    assert capsys.readouterr().out == "Really? n\n"


@given(st.lists(st.text("abc", min_size=1, max_size=30)))
def test_lines_are_wrapped_and_no_word_is_lost(words: list[str]) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as written:
        console.Console().write(words, mark="A  ")
    text = written.getvalue()
    assert text.split() == (["A", *words] if words else [])
    assert all(len(line) <= console.WIDTH for line in text.splitlines())
    assert all(line.startswith("   ") for line in text.splitlines()[1:])
