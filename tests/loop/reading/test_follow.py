"""Following a log through everything that happens to logs; the clock is the test's, so nothing waits."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flywheel_log.loop.reading.follow import follow
from flywheel_log.loop.retention.rotate import rotate
from flywheel_log.sinks.file.sharing import shift


class Over(Exception):
    """The test has no more steps."""


def line(name: str) -> str:
    return f'{{"id": "{name}", "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm"}}\n'


def followed(
    path: Path | str, steps: list[Callable[[], object]], last: int = 0, on_bad: Callable[[bytes], object] | None = None
) -> list[str]:
    """Return the ids seen while one of *steps* is done at every wait."""
    todo: Iterator[Callable[[], object]] = iter(steps)

    def wait(_seconds: float) -> None:
        step = next(todo, None)
        if step is None:
            raise Over
        step()

    seen: list[str] = []
    with suppress(Over):
        for event in follow(path, last=last, wait=wait, on_bad=on_bad):
            seen.append(event["id"])  # noqa: PERF401  what was seen before the end counts
    return seen


def append(path: Path, text: str) -> Callable[[], object]:
    def step() -> None:
        with path.open("a") as log:
            log.write(text)

    return step


def test_only_new_events_are_followed(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_text(line("a") + line("b"))
    assert followed(log, [append(log, line("c")), append(log, line("d") + line("e"))]) == ["c", "d", "e"]


def test_the_last_events_come_first(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_text(line("a") + line("b") + line("c"))
    assert followed(log, [append(log, line("d"))], last=2) == ["b", "c", "d"]


def test_of_a_long_file_only_the_end_is_read(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_text("{torn\n" + line("a") * 3000 + line("b") + line("c") + line("d")[:9])
    skipped: list[bytes] = []
    assert followed(log, [append(log, line("d")[9:])], last=2, on_bad=skipped.append) == ["b", "c", "d"]
    assert skipped == []


def test_half_a_line_waits_for_its_other_half(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_text(line("a")[:20])
    assert followed(log, [append(log, line("a")[20:30]), append(log, line("a")[30:])]) == ["a"]


def test_a_log_that_does_not_exist_yet_is_waited_for(tmp_path: Path):
    log = tmp_path / "genai.log"
    assert followed(log, [lambda: None, append(log, line("a"))]) == ["a"]


def test_a_renamed_log_is_finished_and_the_new_one_begun(tmp_path: Path):
    log, old = tmp_path / "genai.log", tmp_path / "genai.log.1"
    log.write_text(line("a"))
    steps = [lambda: log.rename(old), append(old, line("b")), append(log, line("c")), append(log, line("d"))]
    assert followed(log, steps) == ["b", "c", "d"]


def test_what_is_written_just_before_the_switch_is_seen(tmp_path: Path):
    log, old = tmp_path / "genai.log", tmp_path / "genai.log.1"
    log.write_text(line("a"))

    def rotate() -> None:
        append(log, line("b"))()
        log.rename(old)
        append(log, line("c"))()

    assert followed(log, [rotate]) == ["b", "c"]


@pytest.mark.parametrize("compress", [False, True])
def test_two_rotations_between_two_looks_lose_nothing(tmp_path: Path, compress: bool):
    log = tmp_path / "genai.log"
    log.write_text(line("a"))

    def rotate_twice() -> None:
        for name in ("b", "c"):
            append(log, line(name))()
            rotate(log, compress=compress)
        append(log, line("d"))()

    assert followed(log, [rotate_twice, append(log, line("e"))]) == ["b", "c", "d", "e"]


def test_a_link_is_followed_where_it_leads_to(tmp_path: Path):
    log, disk = tmp_path / "genai.log", tmp_path / "disk"
    disk.mkdir()
    (disk / "real.log").write_text(line("a"))
    log.symlink_to(disk / "real.log")

    def rotate_twice() -> None:
        for name in ("b", "c"):
            append(log, line(name))()
            shift(log, None)
        append(log, line("d"))()

    def delete() -> None:
        written = log.stat().st_mtime_ns
        (disk / "real.log").unlink()
        append(log, line("e"))()
        os.utime(log, ns=(written, written))  # Within one tick of the clock.

    assert followed(log, [rotate_twice, delete], last=1) == ["a", "b", "c", "d", "e"]


def test_a_file_with_a_date_from_before_is_not_followed_again_behind_one_with_a_number(tmp_path: Path):
    log, dated = tmp_path / "genai.log", tmp_path / "genai.log-20261127"
    dated.write_text(line("a"))
    os.utime(dated, (1, 1))
    log.write_text(line("b"))

    def rotate_by_number() -> None:
        append(log, line("c"))()
        rotate(log, compress=False)
        append(log, line("d"))()

    assert followed(log, [rotate_by_number]) == ["c", "d"]


def test_a_log_that_was_rotated_and_deleted_is_begun_anew(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_text(line("a"))

    def replace() -> None:
        log.unlink()
        log.write_text(line("b"))

    assert followed(log, [replace, append(log, line("c"))]) == ["b", "c"]


def test_the_last_events_may_have_been_rotated_away(tmp_path: Path):
    log = tmp_path / "genai.log"
    Path(f"{log}.2.gz").write_bytes(gzip.compress((line("a") + line("b")).encode()))
    Path(f"{log}.1").write_text(line("c") + line("d"))
    assert followed(log, [append(log, line("e")), append(log, line("f"))], last=3) == ["b", "c", "d", "e", "f"]
    assert followed(log, [], last=4) == ["c", "d", "e", "f"]
    assert followed(log, [append(log, line("g"))]) == ["g"]


def test_a_truncated_log_is_read_from_its_start(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_text(line("a") + line("b"))
    assert followed(log, [lambda: os.truncate(log, 0), append(log, line("c"))]) == ["c"]


def test_a_waiting_follower_asks_for_its_interval(tmp_path: Path):
    def wait(seconds: float) -> None:
        raise Over(seconds)

    with pytest.raises(Over) as over:
        next(follow(tmp_path / "genai.log", interval=1.5, wait=wait))
    assert over.value.args == (1.5,)


@pytest.mark.parametrize("source", ["-", "genai.log.1.gz", "genai.log*"])
def test_what_is_no_plain_file_cannot_be_followed(source: str):
    with pytest.raises(
        ValueError, match=r"cannot be followed; expected one plain file, e\.g\. genai\.log, or one index"
    ):
        follow(source)


def test_the_url_of_a_sink_is_followed_before_its_file_exists(tmp_path: Path):
    def wait(_seconds: float) -> None:
        (tmp_path / "genai.log").write_text(line("a"))

    assert next(follow(f"file:{tmp_path}/genai.log?format=full", wait=wait))["id"] == "a"
