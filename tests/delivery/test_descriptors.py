"""A program that closes all descriptors there are, as daemons do, and is given their numbers for a file of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flywheel_log.delivery.positions import Positions
from flywheel_log.delivery.segments import Segment
from flywheel_log.sinks import open_sink

THEIRS = b'{"id":"theirs"}\n' * 3
SIZE = 1 << 16
Usurp = Callable[[Path], list[int]]


@pytest.fixture
def usurp(tmp_path: Path) -> Iterator[Usurp]:
    """Close every descriptor of a file, and give its number to the program's own; what is ours leaves that alone."""
    theirs = os.open(tmp_path / "theirs", os.O_RDWR | os.O_CREAT)
    os.write(theirs, THEIRS)
    given: list[int] = []

    def give(path: Path) -> list[int]:
        taken = [number for number in range(256) if _is_of(number, path)]
        for number in taken:
            os.dup2(theirs, number)
        given.extend(taken)
        return taken

    yield give
    assert given
    for number in (*given, theirs):
        os.close(number)  # It would raise, had we closed it.
    assert (tmp_path / "theirs").read_bytes() == THEIRS


def _is_of(number: int, path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(number), path.stat())
    return False


def test_a_segment_is_read_and_written_on_by_its_map_and_stays_locked(tmp_path: Path, usurp: Usurp) -> None:
    path = tmp_path / "one.seg"
    segment = Segment.create(path, SIZE, 1)
    segment.append(b'{"id":"1",', b'{"a":1}')
    usurp(path)
    segment.append(b'{"id":"2",', b'{"a":2}')
    segment.sync()
    lines = b'{"id":"1","a":1}\n{"id":"2","a":2}\n'
    assert segment.read(0, segment.used) == lines
    assert not segment.exists(), "the next event begins a new one"
    segment.sealed = True
    segment.rest()
    assert segment.read(0, segment.used) == lines
    assert Segment.adopt(path, 1) is None
    segment.close(shrunk=True)
    assert path.read_bytes()[: len(lines)] == lines


def test_a_segment_without_a_map_is_taken_again_unless_another_process_has_it(tmp_path: Path, usurp: Usurp) -> None:
    path = tmp_path / "one.seg"
    first = Segment.create(path, SIZE, 1)
    first.append(b'{"id":"1",', b'{"a":1}')
    first.close()
    adopted = Segment.adopt(path, 1)
    assert adopted is not None
    usurp(path)
    assert adopted.read(0, adopted.used) == b'{"id":"1","a":1}\n'
    assert Segment.adopt(path, 1) is None, "it is locked anew"
    usurp(path)
    other = Segment.adopt(path, 1)
    assert other is not None
    with pytest.raises(BlockingIOError):
        adopted.read(0, adopted.used)
    for one in (adopted, other):
        one.close()


def test_positions_are_noted_in_their_own_file(tmp_path: Path, usurp: Usurp) -> None:
    path = tmp_path / "one.pos"
    positions = Positions(path, 2)
    positions.acknowledge(0, 5)
    usurp(path)
    positions.acknowledge(1, 7)
    usurp(path)
    positions.close()
    again = Positions(path, 2)
    again.load(10)
    assert again.acknowledged == [5, 7]


def test_a_log_is_written_on_in_its_own_file(tmp_path: Path, usurp: Usurp) -> None:
    path = tmp_path / "genai.log"
    sink = open_sink(f"file:{path}")
    sink.write([b'{"id":"1"}'])
    usurp(path)
    sink.write([b'{"id":"2"}'])
    usurp(path)
    sink.close()
    assert path.read_bytes() == b'{"id":"1"}\n{"id":"2"}\n'
