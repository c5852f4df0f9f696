"""Old records out of a log."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flywheel_log.loop.filter import Filter
from flywheel_log.loop.reading.read import read
from flywheel_log.loop.retention.prune import Pruned, prune

DAY_3 = datetime(2026, 1, 3, tzinfo=UTC)


def line(day: int, number: int = 0, **fields: Any) -> bytes:
    event = {"id": f"r-{day}-{number}", "timestamp": f"2026-01-{day:02}T10:00:00.000Z", "kind": "llm", **fields}
    return json.dumps(event).encode() + b"\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two records a day: days 1 and 2 compressed, 3 and 4 rotated, 5 current."""
    path = tmp_path / "genai.log"
    Path(f"{path}.2.gz").write_bytes(gzip.compress(b"".join(line(day, n) for day in (1, 2) for n in (0, 1))))
    Path(f"{path}.1").write_bytes(b"".join(line(day, n) for day in (3, 4) for n in (0, 1)))
    path.write_bytes(line(5, 0) + line(5, 1))
    return path


def left(log: Path) -> list[str]:
    return [event["id"] for event in read(f"{log}*")]


def numbers(found: list[Pruned]) -> dict[str, tuple[int, int]]:
    return {one.file.name: (one.kept, one.removed) for one in found}


def test_what_is_older_goes_and_files_that_are_empty_then_too(log: Path):
    found = prune(log, before=datetime(2026, 1, 4, tzinfo=UTC))
    assert numbers(found) == {"genai.log.2.gz": (0, 4), "genai.log.1": (2, 2), "genai.log": (2, 0)}
    assert left(log) == ["r-4-0", "r-4-1", "r-5-0", "r-5-1"]
    assert sorted(file.name for file in log.parent.iterdir()) == ["genai.log", "genai.log.1"]
    assert [one.after for one in found] == [0, Path(f"{log}.1").stat().st_size, log.stat().st_size]


def test_a_dry_run_says_the_same_and_changes_nothing(log: Path):
    before = {file: file.read_bytes() for file in log.parent.iterdir()}
    dry = prune(log, before=datetime(2026, 1, 4, tzinfo=UTC), dry_run=True)
    assert {file: file.read_bytes() for file in log.parent.iterdir()} == before
    assert numbers(dry) == numbers(prune(log, before=datetime(2026, 1, 4, tzinfo=UTC)))


def test_what_a_filter_matches_stays(log: Path):
    with log.open("ab") as file:
        file.write(line(1, 9, workload_id="gold") + line(1, 8, workload_id="lead", status="error") + line(1, 7))
    prune(log, before=DAY_3, keep=[Filter(where={"workload_id": ("gold",)}), Filter(where={"status": ("error",)})])
    assert left(log)[-2:] == ["r-1-9", "r-1-8"]
    assert len(left(log)) == 8


def test_what_people_liked_stays_with_what_they_said_also_next_time(log: Path):
    def said(day: int, target: str, thumbs: str) -> bytes:
        return line(day, 7, kind="feedback", target=target, quality={"thumbs": thumbs})

    with log.open("ab") as file:
        file.write(line(2, 6, response={"id": "chatcmpl-1"}))
        file.write(said(2, "r-1-0", "up") + said(1, "r-1-1", "down") + said(2, "chatcmpl-1", "up"))
    for _ in range(2):
        prune(log, before=DAY_3, keep=[Filter(feedback="good")])
        assert left(log)[0] == "r-1-0"
        assert left(log)[-3:] == ["r-2-6", "r-2-7", "r-2-7"]
        assert len(left(log)) == 1 + 6 + 3


def test_the_oldest_go_until_the_rest_is_small_enough(log: Path):
    record = len(line(1))
    (*_, last) = prune(log, most_bytes=record * 4)
    assert left(log) == ["r-4-0", "r-4-1", "r-5-0", "r-5-1"]
    assert last.file == log
    assert prune(log, most_bytes=record * 4)[0].removed == 0


def test_compressed_records_weigh_what_they_take_on_the_disk(tmp_path: Path):
    log = tmp_path / "genai.log"
    Path(f"{log}.1.gz").write_bytes(gzip.compress(b"".join(line(1, number) for number in range(5000))))
    limit = Path(f"{log}.1.gz").stat().st_size // 2
    prune(log, most_bytes=limit)
    size = Path(f"{log}.1.gz").stat().st_size
    assert limit * 0.8 < size <= limit
    assert left(log)[-1] == "r-1-4999"


def test_what_is_protected_is_not_sacrificed_for_space(log: Path):
    prune(log, most_bytes=0, keep=[Filter(where={"id": ("r-1-0", "r-5-1")})])
    assert left(log) == ["r-1-0", "r-5-1"]


def test_what_is_no_record_has_no_age(log: Path):
    with log.open("ab") as file:
        file.write(b"Traceback\n" + line(1, 5, timestamp="yesterday"))
    prune(log, before=datetime(2027, 1, 1, tzinfo=UTC))
    assert log.read_bytes() == b"Traceback\n" + line(1, 5, timestamp="yesterday")
    prune(log, most_bytes=1)
    assert log.read_bytes() == b""


def test_blank_lines_are_no_records_and_a_rotated_file_of_nothing_else_goes(log: Path):
    Path(f"{log}.1").write_bytes(b"\n" + line(3) + b"\0\0\n")
    log.write_bytes(b"\n\n" + line(3) + b"\n" + line(5))
    found = prune(log, before=datetime(2026, 1, 4, tzinfo=UTC))
    assert numbers(found) == {"genai.log.2.gz": (0, 4), "genai.log.1": (0, 1), "genai.log": (1, 1)}
    assert (log.read_bytes(), Path(f"{log}.1").exists()) == (b"\n\n\n" + line(5), False)
