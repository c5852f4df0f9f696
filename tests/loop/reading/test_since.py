"""The part of a log that is recent."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_log.loop.reading.read import read
from flywheel_log.loop.reading.since import OLD_BYTES, first_byte

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def begin(path: Path, since: datetime, **sizes: int) -> int | None:
    with path.open("rb") as file:
        return first_byte(file.fileno(), since, packed=path.suffix == ".gz", **sizes)


def line(minutes: float, number: int = 0) -> bytes:
    at = (NOON + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return b'{"id":"r-%d","timestamp":"%s","kind":"llm","metadata":{"said":"%s"}}\n' % (number, at.encode(), b"x" * 100)


def test_a_file_that_nobody_wrote_to_since_then_is_left_out(tmp_path: Path):
    path = tmp_path / "genai.log"
    path.write_bytes(line(0))
    os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    assert begin(path, NOON + timedelta(minutes=2)) is None
    assert begin(path, NOON) == 0
    assert list(read(path, since=NOON + timedelta(minutes=2))) == []


def test_what_is_compressed_is_read_from_its_beginning(tmp_path: Path):
    path = tmp_path / "genai.log.1.gz"
    path.write_bytes(gzip.compress(line(0) * 1000))
    assert begin(path, NOON, chunk=100, old=100) == 0


def test_the_search_ends_where_enough_is_older(tmp_path: Path):
    path = tmp_path / "genai.log"
    path.write_bytes(b"".join(line(minute, minute) for minute in range(100)))
    size = path.stat().st_size // 100
    found = begin(path, NOON + timedelta(minutes=90), chunk=size * 2, old=size * 10)
    assert found is not None
    assert size * 84 < found < size * 91
    assert begin(path, NOON + timedelta(minutes=90)) == 0


def test_what_arrived_late_does_not_hide_what_is_recent(tmp_path: Path):
    path = tmp_path / "genai.log"
    path.write_bytes(b"".join([line(100), *(line(0) for _ in range(5)), line(101)]))
    size = path.stat().st_size // 7
    assert begin(path, NOON + timedelta(minutes=99), chunk=size, old=size * 6) == 0


def test_a_log_that_is_in_no_order_is_read_whole(tmp_path: Path):
    path = tmp_path / "genai.log"
    path.write_bytes(b"".join([*(line(0) for _ in range(50)), line(100), *(line(0) for _ in range(50))]))
    size = path.stat().st_size // 100
    assert begin(path, NOON + timedelta(minutes=99), chunk=size, old=size * 6) == 0


@given(
    waits=st.lists(st.integers(0, 30), min_size=1, max_size=60),
    since=st.integers(0, 200),
    chunk=st.integers(130, 1000),
)
def test_nothing_that_is_recent_is_missed(tmp_path_factory: pytest.TempPathFactory, waits, since, chunk):
    path = tmp_path_factory.mktemp("log") / "genai.log"
    path.write_bytes(b"".join(line(sum(waits[: place + 1]), place) for place in range(len(waits))))
    wanted = NOON + timedelta(minutes=since)
    found = begin(path, wanted, chunk=chunk, old=chunk)
    assert found is not None
    left = path.read_bytes()[found:]
    left = left.partition(b"\n")[2] if found else left
    assert [one for one in path.read_bytes().splitlines() if _time(one) >= wanted] == [
        one for one in left.splitlines() if _time(one) >= wanted
    ]


def _time(one: bytes) -> datetime:
    return datetime.fromisoformat(one.split(b'"timestamp":"')[1].split(b'"')[0].decode())


def test_a_large_log_is_read_from_where_it_is_recent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "genai.log"
    many = OLD_BYTES // len(line(0)) + 200_000
    path.write_bytes(line(0) * many + line(60, 1) + line(61, 2))
    read_since = [event["id"] for event in read(path, since=NOON + timedelta(minutes=60)) if event["id"] != "r-0"]
    assert read_since == ["r-1", "r-2"]
    assert sum(1 for _ in read(path, since=NOON + timedelta(minutes=60))) < many
