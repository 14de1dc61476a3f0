"""Checking the chain: every change shows, and the first line that is not as it was written is named."""

from __future__ import annotations

import json
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.audit import Anchor, AnchorError, AuditLog, anchor, files, scanning, verify
from tests.audit.logs import write

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"a key"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path, range(10))


def lines(log: Path) -> list[bytes]:
    return (log / "audit.jsonl").read_bytes().splitlines(keepends=True)


def change(log: Path, changed: list[bytes]) -> None:
    (log / "audit.jsonl").write_bytes(b"".join(changed))


def broken(log: Path, key: bytes | None = None, at: Anchor | None = None) -> tuple[int, int | None, str]:
    found = verify(log, key, anchor=at).broken
    assert found is not None
    assert found.file == log / "audit.jsonl"
    return found.line, found.seq, found.why


def test_in_order(log: Path) -> None:
    verdict = verify(log)
    assert (verdict.ok, verdict.lines, verdict.half_line) == (True, 10, False)
    assert verdict.head == anchor(log)
    assert verify(log / "audit.jsonl").ok


def test_empty_and_absent(tmp_path: Path) -> None:
    assert verify(tmp_path).ok
    assert anchor(tmp_path) == Anchor(0, "0" * 64)


def test_changed_byte(log: Path) -> None:
    found = lines(log)
    found[4] = found[4].replace(b'"detail":"4"', b'"detail":"5"')
    change(log, found)
    assert broken(log) == (5, 5, "its hash is not that of its content: it was changed, or written with a key")


def test_removed_line(log: Path) -> None:
    found = lines(log)
    del found[4]
    change(log, found)
    assert broken(log) == (5, 6, "line 6 follows line 4: what was between them is missing")


def test_inserted_line(log: Path) -> None:
    found = lines(log)
    found.insert(4, found[2])
    change(log, found)
    assert broken(log) == (5, 3, "line 3 follows line 4: it was put there later, or moved")


def test_swapped_lines(log: Path) -> None:
    found = lines(log)
    found[4], found[5] = found[5], found[4]
    change(log, found)
    assert broken(log)[:2] == (5, 6)


def test_line_of_somebody_else(log: Path) -> None:
    found = lines(log)
    found[4] = b'{"action":"claim"}\n'
    change(log, found)
    assert broken(log) == (5, None, "it has no hash at its end: it was not written by a pod, or was changed")


def test_line_of_another_log(log: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = write(tmp_path_factory.mktemp("other"), ["other"] * 10)
    change(log, [*lines(log)[:4], *lines(other)[4:]])
    assert broken(log) == (5, 5, "it was written after another line than the one before it")


def test_first_lines_missing(log: Path) -> None:
    change(log, lines(log)[3:])
    assert broken(log) == (1, 4, "it is line 4 of the log: those before it are missing")


def test_truncated_tail_is_shown_by_an_anchor_alone(log: Path) -> None:
    kept = anchor(log)
    change(log, lines(log)[:7])
    assert verify(log).ok
    assert broken(log, at=kept) == (8, None, "the log ends with line 7, before the anchor's line 10")


def test_log_that_was_chained_anew_is_shown_by_an_anchor_alone(tmp_path: Path) -> None:
    kept = anchor(write(tmp_path / "log", ["the truth"]))
    shutil.rmtree(tmp_path / "log")
    log = write(tmp_path / "log", ["something else", "more"])
    assert verify(log).ok
    assert broken(log, at=kept) == (1, 1, "it is another line than the anchor's")


def test_log_may_go_on_after_its_anchor(log: Path) -> None:
    kept = anchor(log)
    write(log, range(5))
    assert verify(log, anchor=kept).ok


def test_key(tmp_path: Path) -> None:
    log = write(tmp_path, range(3), key=KEY)
    assert verify(log, KEY).ok
    assert broken(log)[2] == "its hash is not that of its content: it was changed, or written with a key"
    assert broken(log, b"another")[2] == "its hash is not that of its content: the key is another, or it was changed"


def test_file_that_was_put_away_is_missing(tmp_path: Path) -> None:
    log = write(tmp_path, range(60), rotate_bytes=2000)
    assert verify(log).ok
    (log / "audit.jsonl.3").unlink()
    found = verify(log).broken
    assert found is not None
    assert (found.file.name, found.line) == ("audit.jsonl.4", 1)
    assert "what was between them is missing" in found.why


def test_half_a_line_in_the_midst_is_a_break_and_hides_nothing(tmp_path: Path) -> None:
    log = write(tmp_path, range(60), rotate_bytes=2000)
    file = log / "audit.jsonl.2"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    found = verify(log).broken
    assert found is not None
    assert (found.file, found.line, found.why) == (file, whole.count(b"\n"), "it has no end: it was cut off")
    file.write_bytes(whole + b"half")
    found = verify(log).broken
    assert found is not None
    assert (found.file, found.line) == (file, whole.count(b"\n") + 1)


def test_a_line_that_is_too_long_is_not_read_into_memory(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "LONGEST", 1000)
    change(log, [*lines(log)[:3], b"x" * 5000 + b"\n", *lines(log)[3:]])
    assert broken(log) == (4, None, "it is longer than 1,000 bytes: it was not written by a pod")


def test_a_log_whose_first_files_are_gone_goes_on_from_an_anchor(tmp_path: Path) -> None:
    log = write(tmp_path, range(20))
    kept = anchor(log)
    write(log, range(60), rotate_bytes=2000)
    assert verify(log, anchor=kept).follows == 0
    files_ = sorted(log.glob("audit.jsonl.*"), key=lambda file: int(file.suffix[1:]))
    assert files_[0].read_bytes().count(b"\n") == 20
    files_[0].unlink()
    assert verify(log, anchor=kept) == verify(log, anchor=kept)._replace(lines=60, follows=20, broken=None)
    assert "those before it are missing" in (broken_anywhere(log) or "")
    assert "those before it are missing" in (broken_anywhere(log, Anchor(20, "a" * 64)) or "")
    assert "those before it are missing" in (broken_anywhere(log, Anchor(19, kept.hash)) or "")


def broken_anywhere(log: Path, at: Anchor | None = None) -> str | None:
    found = verify(log, anchor=at).broken
    return None if found is None else found.why


def test_checked_while_it_is_written(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, pod_id="p", rotate_bytes=3000, fsync="none")
    ended = threading.Event()

    def go_on() -> None:
        while not ended.is_set():
            for _ in range(5):
                log.append("claim", "{}")
            log.write()
            time.sleep(0.001)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        found = [verify(tmp_path)]
        while found[-1].broken is None and (len(found) < 30 or found[-1].lines < 500):
            found.append(verify(tmp_path))
    finally:
        ended.set()
        thread.join()
        log.close()
    assert {verdict.broken for verdict in found} == {None}


def test_half_a_line_at_the_end_is_told_of(log: Path) -> None:
    with (log / "audit.jsonl").open("ab") as file:
        file.write(b'{"timesta')
    verdict = verify(log)
    assert (verdict.ok, verdict.lines, verdict.half_line) == (True, 10, True)


def test_what_a_detail_says_of_itself_counts_for_nothing(tmp_path: Path) -> None:
    log = write(tmp_path, [f'x","seq":9,"prev":"{"0" * 64}","hash":"{"0" * 64}"}}', "y"])
    assert verify(log).ok


def test_anchor_as_text() -> None:
    kept = Anchor(12, "ab" * 32)
    assert Anchor.parse(f" {kept}\n") == kept
    assert Anchor.parse(str(kept).upper()) == kept
    with pytest.raises(AnchorError, match=r"an anchor is NUMBER:HASH, .*, got 'x'"):
        Anchor.parse("x")
    with pytest.raises(AnchorError):
        Anchor.parse("9" * 5000 + ":" + "ab" * 32)


@settings(max_examples=60)
@given(st.data())
def test_any_changed_byte_shows(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    log = write(tmp_path_factory.mktemp("log"), ["a", "é", {"b": [1, 2]}], key=KEY)
    whole = (log / "audit.jsonl").read_bytes()
    place = data.draw(st.integers(0, len(whole) - 2))  # without the last line end, it is half a line
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    (log / "audit.jsonl").write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    assert not verify(log, KEY).ok


def _tampered(data: st.DataObject, found: list[list[bytes]]) -> list[list[bytes]]:
    """Return files, as lists of lines, after somebody has been at them."""
    files_ = [list(lines_) for lines_ in found]
    file = data.draw(st.sampled_from([place for place, lines_ in enumerate(files_) if lines_]))
    line = data.draw(st.integers(0, len(files_[file]) - 1))
    every = [each for lines_ in found for each in lines_]
    match data.draw(st.sampled_from(["byte", "remove", "insert", "swap", "cut", "file", "first", "half"])):
        case "byte":
            changed = bytearray(files_[file][line])
            place = data.draw(st.integers(0, len(changed) - 1))
            changed[place] = data.draw(st.integers(0, 255).filter(lambda value: value != changed[place]))
            files_[file][line] = bytes(changed)
        case "remove":
            del files_[file][line]
        case "insert":
            files_[file].insert(line, data.draw(st.sampled_from([*every, b"x\n", b"\n", b"{}\n"])))
        case "swap":
            other = data.draw(st.integers(0, len(files_[file]) - 1))
            files_[file][line], files_[file][other] = files_[file][other], files_[file][line]
        case "cut":
            files_[-1] = files_[-1][: data.draw(st.integers(0, max(len(files_[-1]) - 1, 0)))]
        case "file":
            files_[file] = []
        case "first":
            files_[0] = files_[0][data.draw(st.integers(1, max(len(files_[0]), 1))) :]
        case _:
            files_[file][line] = files_[file][line][:-1]
    return files_


@settings(max_examples=150)
@given(st.data(), st.sampled_from([None, KEY]), st.integers(1, 3000))
def test_whatever_is_done_to_it_shows_with_an_anchor(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, key: bytes | None, size: int
) -> None:
    log = write(tmp_path_factory.mktemp("log"), range(12), key=key, rotate_bytes=size)
    kept = anchor(log)
    assert verify(log, key, anchor=kept).lines == 12
    every = files.in_order(log)
    before = [file.read_bytes().splitlines(keepends=True) for file in every]
    after = _tampered(data, before)
    for file, lines_ in zip(every, after, strict=True):
        file.write_bytes(b"".join(lines_))
    was, now = (b"".join(line for lines_ in found for line in lines_) for found in (before, after))
    assert verify(log, key, anchor=kept).ok == (was == now)


@given(st.binary(max_size=2000))
def test_garbage_is_no_log_and_no_trouble(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    log = tmp_path_factory.mktemp("log")
    (log / "audit.jsonl").write_bytes(garbage)
    assert verify(log).lines == 0
    assert json.dumps(anchor(log)._asdict())
