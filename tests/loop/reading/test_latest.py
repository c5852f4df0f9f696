"""The latest events of a log: the same as reading all of it, without reading all of it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flywheel_log.loop.reading.latest import latest
from flywheel_log.loop.reading.read import read
from flywheel_log.loop.reading.sources import file
from flywheel_log.loop.retention.rotate import rotate


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"r-{number}", "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm", **fields}


def line(number: int, **fields: Any) -> bytes:
    return json.dumps(event(number, **fields)).encode() + b"\n"


def even(events: Iterable[Any]) -> Iterator[Any]:
    return (one for one in events if int(one["id"].removeprefix("r-")) % 2 == 0)


@given(st.lists(st.integers(0, 400), max_size=60), st.booleans(), st.integers(1, 500))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_backwards_is_forwards_turned_around(tmp_path: Path, lengths: list[int], ended: bool, block: int):
    content = b"\n".join(bytes([65 + at % 26]) * length for at, length in enumerate(lengths)) + b"\n" * ended
    path = tmp_path / "some.log"
    path.write_bytes(content)
    with path.open("rb") as data:
        found = [*file.backwards(data, block)][::-1]
    assert [text for _, text in found] == content.split(b"\n")
    assert all(content[place : place + len(text)] == text for place, text in found)


def test_the_latest_events_of_several_files_are_the_last_of_all(tmp_path: Path):
    (tmp_path / "genai.log.2.gz").write_bytes(gzip.compress(b"".join(line(number) for number in range(5))))
    (tmp_path / "genai.log.1").write_bytes(b"".join(line(number) for number in range(5, 9)))
    (tmp_path / "genai.log").write_bytes(line(9) + b"{torn\n" + line(10) + line(11)[:20])
    everything = [one["id"] for one in read(tmp_path / "genai.log*")]
    for count in range(13):
        found = [one["id"] for one in latest(tmp_path / "genai.log*", count)]
        assert found == (everything[-count:] if count else [])
    assert [one["id"] for one in latest(tmp_path / "genai.log*", 3, select=even)] == ["r-6", "r-8", "r-10"]


def test_a_rotation_while_the_latest_are_looked_for_has_none_found_twice(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(line(1) + line(2))
    rotate(log, compress=False)
    log.write_bytes(line(3) + line(4))

    def rotating(events: Iterable[Any]) -> Iterator[Any]:
        for one in events:
            rotate(log, at_least=1)
            yield one

    assert [one["id"] for one in latest(log, 9, select=rotating)] == ["r-1", "r-2", "r-3", "r-4"]


def test_what_is_not_needed_is_not_looked_at(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(b"{torn\n" + line(1) + b"{torn too\n" + line(2) + line(3))
    seen: list[bytes] = []
    assert [one["id"] for one in latest(log, 3, on_bad=seen.append)] == ["r-1", "r-2", "r-3"]
    assert seen == [b"{torn too"]


def test_they_come_with_what_was_said_about_them_since(tmp_path: Path):
    said = {"kind": "feedback", "target": "r-1", "quality": {"rating": 2}}
    late = said | {"quality": {"rating": 5, "label": "fine"}}
    (tmp_path / "genai.log.1.gz").write_bytes(gzip.compress(line(0) + line(1) + line(2, **said)))
    (tmp_path / "genai.log").write_bytes(line(3) + line(4, **late))
    found = latest(tmp_path / "genai.log*", 9)
    assert [one["id"] for one in found] == ["r-0", "r-1", "r-2", "r-3", "r-4"]
    quality = dict(found[1])["quality"]
    assert (quality["rating"], quality["label"], len(quality["feedback"])) == (5, "fine", 2)


def test_files_that_nobody_wrote_to_since_are_not_looked_at(tmp_path: Path):
    since = datetime(2026, 1, 31, 10, tzinfo=UTC)
    for name, age in (("genai.log.1", 1), ("genai.log", 0)):
        (tmp_path / name).write_bytes(b"{torn\n" + line(age))
        written = (since - timedelta(hours=age)).timestamp()
        os.utime(tmp_path / name, (written, written))
    seen: list[bytes] = []
    found = latest(tmp_path / "genai.log*", 9, since=since, on_bad=seen.append)
    assert ([one["id"] for one in found], seen) == (["r-0"], [b"{torn"])


def test_lines_that_a_glance_rules_out_are_not_parsed_but_what_is_said_in_them_is_heard(tmp_path: Path):
    said = {"kind": "feedback", "target": "r-1", "quality": {"thumbs": "up"}}
    path = tmp_path / "some.log"
    path.write_bytes(line(1, name="meant") + line(2) + b"torn\n" + line(3, **said) + line(4))
    seen: list[Any] = []

    def watched(events: Iterable[Any]) -> Iterator[Any]:
        for one in events:
            seen.append(one["id"])
            if one.get("name") == "meant":
                yield one

    bad: list[bytes] = []
    (found,) = latest(path, 5, select=watched, glance=lambda one: b"meant" in one, on_bad=bad.append)
    assert (found["id"], found["quality"]["thumbs"], seen, bad) == ("r-1", "up", ["r-3", "r-1"], [])
