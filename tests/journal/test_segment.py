"""Segments: what was added is found again; what was damaged on the way never is."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.journal.segment import HEADER_BYTES, MAGIC, MARKER, RECORD_BYTES, Segment, is_sealed, open_segment

if TYPE_CHECKING:
    import random

SIZE = 64 << 10
PAYLOADS = st.lists(st.binary(max_size=300), max_size=12)


def make(path: Path, payloads: list[bytes], size: int = SIZE) -> Segment:
    segment = Segment.create(path, size, {"pid": 7})
    for payload in payloads:
        assert segment.append(payload)
    return segment


def reopened(path: Path) -> Segment:
    segment = open_segment(path)
    assert segment is not None
    return segment


def test_records_are_found_by_the_process_itself_and_by_the_next(tmp_path: Path) -> None:
    payloads = [b"one", b"", "zwölf".encode(), b"\0" * 100, MARKER, MARKER * 30]
    segment = make(tmp_path / "a.aotseg", payloads)
    assert found_in(segment) == payloads
    segment.append(b"later")
    assert found_in(segment) == [*payloads, b"later"]
    segment.close()
    again = reopened(tmp_path / "a.aotseg")
    assert again.facts == {"pid": 7}
    assert found_in(again) == [*payloads, b"later"]
    again.close()


def test_a_segment_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    segment = make(tmp_path / "a.aotseg", [b"one"])
    assert open_segment(tmp_path / "a.aotseg") is None
    segment.close()
    again = reopened(tmp_path / "a.aotseg")
    assert open_segment(tmp_path / "a.aotseg") is None
    again.delete()
    assert open_segment(tmp_path / "a.aotseg") is None


def test_what_is_settled_is_not_read_again(tmp_path: Path) -> None:
    segment = make(tmp_path / "a.aotseg", [b"one", b"two", b"three"])
    offsets = [offset for _, offset in segment.read(segment.settled)]
    segment.settle(offsets[1])
    assert segment.count() == 1
    segment.close()
    again = reopened(tmp_path / "a.aotseg")
    assert found_in(again) == [b"three"]
    again.close()


@pytest.mark.parametrize("damage", [b"\xff" * 12, bytes(12), (7).to_bytes(8, "little") + bytes(4)])
def test_a_settled_offset_that_cannot_be_read_is_none(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.aotseg"
    segment = make(path, [b"one", b"two"])
    segment.settle(segment.end)
    segment.close()
    with path.open("r+b") as file:
        file.seek(64)
        file.write(damage)
    again = reopened(path)
    assert found_in(again) == [b"one", b"two"]
    again.close()


def test_a_settled_offset_outside_of_the_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.aotseg"
    segment = make(path, [b"one"])
    segment.settle(1 << 40)
    assert segment.settled == HEADER_BYTES
    segment.close()


def test_a_record_fits_or_is_refused(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "a.aotseg", SIZE)
    room = SIZE - HEADER_BYTES - RECORD_BYTES
    assert not segment.append(bytes(room + 1))
    assert segment.has_room(room)
    assert segment.append(bytes(room))
    assert not segment.append(b"")
    assert found_in(segment) == [bytes(room)]
    segment.close()


def test_the_file_is_private_and_has_all_its_room(tmp_path: Path) -> None:
    segment = make(tmp_path / "a.aotseg", [b"one"])
    found = (tmp_path / "a.aotseg").stat()
    assert found.st_mode & 0o777 == 0o600
    assert found.st_size == SIZE
    assert found.st_blocks * 512 >= SIZE
    segment.touch()
    segment.close()


def test_facts_that_are_too_large_are_left_out(tmp_path: Path) -> None:
    Segment.create(tmp_path / "a.aotseg", SIZE, {"long": "x" * HEADER_BYTES}).close()
    again = reopened(tmp_path / "a.aotseg")
    assert again.facts == {}
    again.close()


def test_sealed(tmp_path: Path) -> None:
    segment = make(tmp_path / "a.aotseg", [])
    assert not is_sealed(tmp_path / "a.aotseg")
    segment.seal()
    assert is_sealed(tmp_path / "a.aotseg")
    segment.close()
    assert not is_sealed(tmp_path / "none")


@pytest.mark.parametrize(
    "content",
    [b"", b"x", MAGIC, bytes(SIZE), b"AOTSEG\0\x02" + bytes(SIZE), os.urandom(SIZE), MAGIC + bytes(HEADER_BYTES - 9)],
    ids=["empty", "short", "magic alone", "zeros", "another version", "noise", "less than a header"],
)
def test_what_is_no_segment_is_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.aotseg"
    path.write_bytes(content)
    assert open_segment(path) is None
    assert path.read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    make(tmp_path / "target", [b"one"]).close()
    (tmp_path / "a.aotseg").symlink_to(tmp_path / "target")
    assert open_segment(tmp_path / "a.aotseg") is None


def test_no_room_on_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.new").mkdir()
    with pytest.raises(OSError, match="a"):
        Segment.create(tmp_path / "a.aotseg", SIZE)
    with pytest.raises(OSError, match=r"large|space|big|Invalid"):
        Segment.create(tmp_path / "b.aotseg", 1 << 62)
    assert [path.name for path in tmp_path.iterdir()] == ["a.new"]


def found_in(segment: Segment) -> list[bytes]:
    return [payload for payload, _ in segment.read(segment.settled)]


def is_part(found: list[bytes], written: list[bytes]) -> bool:
    """Say whether all that was found was written, in that order."""
    rest = iter(written)
    return all(payload in rest for payload in found)


@settings(max_examples=300, deadline=None)
@given(PAYLOADS, st.integers(0, SIZE))
def test_a_truncated_segment_gives_what_is_whole(payloads: list[bytes], length: int) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "a.aotseg"
        segment = make(path, payloads)
        end = segment.end
        segment.close()
        os.truncate(path, length)
        again = open_segment(path)
        if again is None:
            assert length < HEADER_BYTES
            return
        found = found_in(again)
        assert found == payloads[: len(found)]
        assert len(found) == len(payloads) or length < end
        assert again.count() == len(found)
        again.close()


@settings(max_examples=300, deadline=None)
@given(PAYLOADS, st.lists(st.integers(0, (SIZE * 8) - 1), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_flipped_bits_never_give_a_damaged_record(payloads: list[bytes], bits: list[int], rng: random.Random) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "a.aotseg"
        segment = make(path, payloads)
        end = segment.end
        segment.close()
        data = bytearray(path.read_bytes())
        for bit in [*bits, *(rng.randrange(end * 8) for _ in bits)]:
            data[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(data)
        again = open_segment(path)
        if again is None:
            assert data[: len(MAGIC)] != MAGIC
            return
        assert is_part(found_in(again), payloads)
        again.close()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 40))
def test_noise_with_markers_in_it_gives_nothing(noise: bytes, every: int) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "a.aotseg"
        make(path, []).close()
        body = b"".join(noise[at : at + every] + MARKER for at in range(0, len(noise), every))
        with path.open("r+b") as file:
            file.seek(HEADER_BYTES)
            file.write(body)
        again = reopened(path)
        assert found_in(again) == []
        again.close()


def test_a_damaged_record_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.aotseg"
    make(path, [b"one" * 50, b"two" * 50, b"three" * 50]).close()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"twotwo", b"twxtwo", 1))
    again = reopened(path)
    assert found_in(again) == [b"one" * 50, b"three" * 50]
    again.close()


def test_a_whole_record_in_a_payload_is_no_record_of_its_own(tmp_path: Path) -> None:
    inner = MARKER + (3).to_bytes(4, "little") + crc32(b"abc").to_bytes(4, "little")
    inner += crc32(inner).to_bytes(4, "little") + b"abc"
    segment = make(tmp_path / "a.aotseg", [inner, b"next"])
    assert found_in(segment) == [inner, b"next"]
    segment.close()
