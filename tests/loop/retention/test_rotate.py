"""Rotation from outside."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from flywheel_log.contract import event
from flywheel_log.loop.reading.read import parse, read
from flywheel_log.loop.reading.sources.file import opened
from flywheel_log.loop.retention.rotate import Rotated, rotate
from flywheel_log.sinks import open_sink


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "genai.log"


def files(log: Path) -> dict[str, list[str]]:
    return {file.name: _ids(file) for file in sorted(log.parent.iterdir())}


def _ids(file: Path) -> list[str]:
    with opened(file) as lines:
        return [parse(line)["id"] for line in lines]


def test_a_log_is_compressed_and_a_new_one_begun(log: Path):
    sink = open_sink(f"file:{log}")
    for number in range(3):
        sink.write([event(number)])
        done = rotate(log)
        assert done == Rotated(log, rotated=True, compressed=[Path(f"{log}.1.gz")])
    sink.write([event(3)])
    assert files(log) == {
        "genai.log": ["a1b2-3"],
        "genai.log.1.gz": ["a1b2-2"],
        "genai.log.2.gz": ["a1b2-1"],
        "genai.log.3.gz": ["a1b2-0"],
    }
    assert [one["id"] for one in read(f"{log}*")] == [f"a1b2-{number}" for number in range(4)]


def test_too_many_are_deleted_and_without_a_number_none(log: Path):
    for number in range(4):
        log.write_bytes(event(number) + b"\n")
        done = rotate(log, keep=2, compress=number % 2 == 0)
    assert done.compressed == []
    assert files(log) == {"genai.log.1": ["a1b2-3"], "genai.log.2.gz": ["a1b2-2"]}
    log.write_bytes(event(4) + b"\n")
    assert rotate(log, keep=1).deleted == [Path(f"{log}.2.gz")]
    assert files(log) == {"genai.log.1.gz": ["a1b2-4"]}


def test_too_many_are_deleted_however_they_are_compressed_and_those_with_a_date_stay(log: Path):
    dated = Path(f"{log}-20260131")
    old = [Path(f"{log}.{number}{suffix}") for number, suffix in ((2, ".xz"), (3, ".bz2"), (4, ".zst"), (10, ""))]
    for file in (dated, *old):
        file.write_bytes(event(1) + b"\n")
    assert rotate(log, keep=2, compress=False).deleted == [*reversed(old[1:])]
    assert sorted(log.parent.iterdir()) == [dated, old[0]]


def test_too_many_are_deleted_where_the_log_is_a_link_to_them(log: Path):
    disk = log.with_name("the-real.log")
    log.symlink_to(disk)
    for file in (disk, *(old := [Path(f"{disk}.{number}") for number in (1, 2, 3)])):
        file.write_bytes(event(1) + b"\n")
    assert rotate(log, keep=1, compress=False).deleted == [*reversed(old[1:])]
    assert sorted(log.parent.iterdir()) == [log, old[0]]


def test_a_log_that_is_empty_or_too_small_stays(log: Path):
    log.write_bytes(b"")
    assert rotate(log) == Rotated(log)
    log.write_bytes(event(1) + b"\n")
    assert rotate(log, at_least=1000) == Rotated(log)
    assert list(files(log)) == ["genai.log"]


def test_what_a_crash_left_beside_its_compressed_self_goes(log: Path):
    one = Path(f"{log}.1")
    one.write_bytes(event(1) + b"\n")
    Path(f"{log}.1.gz").write_bytes(gzip.compress(one.read_bytes()))
    rotate(log)
    assert files(log) == {"genai.log.1.gz": ["a1b2-1"]}


def test_what_only_has_the_same_number_is_kept(log: Path):
    one = Path(f"{log}.1")
    one.write_bytes(event(1) + b"\n")
    Path(f"{log}.1.gz").write_bytes(gzip.compress(event(2) + b"\n"))
    rotate(log)
    assert files(log) == {"genai.log.1": ["a1b2-1"], "genai.log.1.gz": ["a1b2-2"]}


def test_a_sink_that_rotates_moves_compressed_files_too(log: Path):
    sink = open_sink(f"file:{log}?rotate_mb=1&keep=3")
    for number in range(6):
        sink.write([event(number, "x" * 600_000)])
        rotate(log, at_least=10_000_000)
    assert files(log) == {
        "genai.log": ["a1b2-5"],
        "genai.log.1.gz": ["a1b2-4"],
        "genai.log.2.gz": ["a1b2-3"],
        "genai.log.3.gz": ["a1b2-2"],
    }


def test_what_a_crash_left_is_compared_with_compressed_files_too(log: Path):
    sink = open_sink(f"file:{log}")
    sink.write([event(1), event(2)])
    rotate(log)
    assert sink.missing([event(1), event(2), event(3)]) == [event(3)]
