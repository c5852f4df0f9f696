"""Files made anew while others write: nothing but what was doomed is gone, and nobody sees a half."""

from __future__ import annotations

import errno
import fcntl
import gzip
import json
import os
import stat
from pathlib import Path

import pytest

from flywheel_log.loop.reading.sources.file import opened
from flywheel_log.loop.retention.rewrite import Rewritten, count, locked, rewrite
from flywheel_log.loop.retention.rotate import rotate
from flywheel_log.process.rotations import family

from .writers import writing


def ids(log: Path) -> list[str]:
    found = []
    for file in family(log):
        with opened(file) as lines:
            found += [json.loads(line)["id"] for line in lines]
    return found


def names(log: Path) -> list[str]:
    return sorted(file.name for file in log.parent.iterdir())


def even(line: bytes) -> bool:
    return int(json.loads(line)["id"].partition("-")[2]) % 2 == 0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "genai.log"
    path.write_bytes(b"".join(b'{"id":"r-%d"}\n' % number for number in range(10)))
    return path


def test_lines_go_and_the_others_stay_as_they_were(log: Path):
    assert count(log, even) == Rewritten(kept=5, removed=5)
    assert rewrite(log, log, even) == Rewritten(kept=5, removed=5, changed=True)
    assert log.read_bytes() == b"".join(b'{"id":"r-%d"}\n' % number for number in (1, 3, 5, 7, 9))
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert names(log) == ["genai.log"]


def test_a_file_of_which_nothing_goes_is_not_touched(log: Path):
    before = log.stat()
    assert rewrite(log, log, lambda _: False) == Rewritten(kept=10)
    assert log.stat().st_ino == before.st_ino


def test_a_compressed_file_stays_compressed_and_keeps_its_time(log: Path):
    packed = Path(f"{log}.1.gz")
    packed.write_bytes(gzip.compress(log.read_bytes()) + gzip.compress(b'{"id":"r-10"}\n{"id":"r-11"}\n'))
    os.utime(packed, (1_000_000, 1_000_000))
    assert rewrite(log, packed, even).removed == 6
    assert gzip.decompress(packed.read_bytes()).count(b"\n") == 6
    assert (packed.stat().st_mtime, stat.S_IMODE(packed.stat().st_mode)) == (1_000_000, 0o600)


def test_a_rotated_file_of_which_all_goes_is_deleted_and_the_current_one_is_emptied(log: Path):
    rotated = Path(f"{log}.1")
    rotated.write_bytes(log.read_bytes())
    assert rewrite(log, rotated, lambda _: True).changed
    assert rewrite(log, log, lambda _: True).changed
    assert (rotated.exists(), log.read_bytes()) == (False, b"")


def test_a_line_that_was_not_ended_is_one(log: Path):
    with log.open("ab") as file:
        file.write(b'{"id":"r-1')
    seen: list[bytes] = []
    rewrite(log, log, lambda line: bool(seen.append(line)) or line.startswith(b'{"id":"r-0"'))
    assert seen[-1] == b'{"id":"r-1'
    assert log.read_bytes().endswith(b'{"id":"r-9"}\n{"id":"r-1')


def test_what_is_written_meanwhile_is_asked_about_too(log: Path):
    def doomed(line: bytes) -> bool:
        if line.startswith(b'{"id":"r-9"'):
            with log.open("ab") as file:
                file.write(b'{"id":"r-10"}\n{"id":"r-11"}\n')
        return even(line)

    assert rewrite(log, log, doomed) == Rewritten(kept=6, removed=6, changed=True)
    assert ids(log)[-2:] == ["r-9", "r-11"]


def test_a_log_that_is_rotated_meanwhile_is_found_under_its_new_name(log: Path):
    def doomed(line: bytes) -> bool:
        if line.startswith(b'{"id":"r-9"'):
            log.rename(f"{log}.1")
            log.write_bytes(b'{"id":"r-20"}\n')
        return even(line)

    assert rewrite(log, log, doomed).changed
    assert (ids(log), log.read_bytes()) == (["r-1", "r-3", "r-5", "r-7", "r-9", "r-20"], b'{"id":"r-20"}\n')


def test_a_file_that_somebody_deletes_meanwhile_does_not_come_back(log: Path):
    def doomed(line: bytes) -> bool:
        log.unlink(missing_ok=True)
        return even(line)

    assert rewrite(log, log, doomed).vanished
    assert names(log) == []


def test_on_a_full_disk_it_is_said_what_had_no_room(log: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = log.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"no room for the new file, made beside the old one: '{log}'") as raised:
        rewrite(log, log, even)
    assert (raised.value.errno, log.read_bytes(), names(log)) == (errno.ENOSPC, before, ["genai.log"])


def test_a_failure_leaves_everything_as_it_was(log: Path):
    before = log.read_bytes()
    with pytest.raises(ValueError, match="Expecting value"):
        rewrite(log, log, lambda line: json.loads(line[:0]))
    assert (log.read_bytes(), names(log)) == (before, ["genai.log"])


def test_the_draft_of_a_killed_process_goes_with_the_next_rewrite(log: Path):
    log.with_name(".genai.log.999999999.part").write_bytes(log.read_bytes())
    rewrite(log, log, even)
    assert names(log) == ["genai.log"]


def test_a_lock_that_is_never_let_go_of_is_said(log: Path):
    with log.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError, match=r"genai\.log is held by somebody"), locked(log, timeout=0.01):
            pass


def test_a_log_that_is_not_there_needs_no_lock(tmp_path: Path):
    with locked(tmp_path / "genai.log") as fd:
        assert fd is None


@pytest.mark.parametrize("options", ["", "?rotate_mb=1&keep=50"], ids=["plain", "rotating"])
def test_while_processes_write_only_what_is_doomed_is_gone(tmp_path: Path, options: str):
    log = tmp_path / "genai.log"
    gone: set[str] = set()

    def doomed(line: bytes) -> bool:
        event = json.loads(line)
        if event["user_id"] == "u1":
            gone.add(event["id"])
        return event["user_id"] == "u1"

    with writing(log, options=options) as writers:
        for _ in range(10):
            for file in family(log):
                rewrite(log, file, doomed)
            writers.wait_for_more()
        written = writers.stop()
    assert gone
    assert sorted([*ids(log), *gone]) == sorted(written)


def test_while_processes_write_a_rotation_loses_nothing(tmp_path: Path):
    log = tmp_path / "genai.log"
    with writing(log) as writers:
        for _ in range(8):
            rotate(log)
            writers.wait_for_more()
        written = writers.stop()
    assert sorted(ids(log)) == sorted(written)
    assert len(family(log)) == 9
    assert {stat.S_IMODE(file.stat().st_mode) for file in family(log)} == {0o600}
