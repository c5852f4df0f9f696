"""A journal that somebody deletes under a running program, or that cannot be written for a moment."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from flywheel_log.delivery import Delivery, adopt, drain
from flywheel_log.delivery.segments import Segment
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.health import health
from tests.faults.oracle import NOTHING_WRONG, stored, until, verdict

LINE = b'{"kind":"step"}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """A log that cannot be written before its directory is unblocked."""
    (tmp_path / "logs").write_text("for now")
    return tmp_path / "logs" / "genai.log"


def delete(root: Path) -> None:
    until(lambda: shutil.rmtree(root, ignore_errors=True) or not root.exists())  # Its threads are at work in there.


def restored(root: Path) -> list[Path]:
    return [path for path in root.glob("*/*.seg") if path.stat().st_size < 1000]


def drained(root: Path, log: Path) -> list[tuple[int, int]]:
    log.parent.unlink()
    return [(report.delivered, report.left) for report in drain(root, 20)]


def test_what_waits_in_a_deleted_journal_is_left_behind_by_a_close_all_the_same(root: Path, log: Path) -> None:
    delivery = Delivery([f"file:{log}"], root, tuning=Tuning(adopt_s=3600.0, sync_s=3600.0), random=lambda: 1.0)
    returned = [str(delivery.put(LINE)) for _ in range(5)]
    until(lambda: delivery.stats()["sinks"][f"file:{log}"]["last_error"])
    delete(root)
    assert delivery.close(0.0) == 5
    assert drained(root, log) == [(5, 0)]
    assert (verdict(returned, stored(log)), health.dropped()) == (NOTHING_WRONG, {})


def test_what_cannot_be_left_behind_is_counted(root: Path, log: Path) -> None:
    delivery = Delivery([f"file:{log}"], root, tuning=Tuning(adopt_s=3600.0, sync_s=3600.0), random=lambda: 1.0)
    for _ in range(5):
        delivery.put(LINE)
    until(lambda: delivery.stats()["sinks"][f"file:{log}"]["last_error"])
    delete(root)
    root.write_text("no directory any more")
    assert delivery.close(0.0) == 5
    assert health.dropped() == {"segment_lost": 5}


def test_what_waits_in_a_deleted_journal_outlives_a_kill(root: Path, log: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            delivery = Delivery([f"file:{log}"], root, tuning=Tuning(adopt_s=0.02, sync_s=0.02), random=lambda: 1.0)
            for number in (1, 2):
                os.write(writer, f"{delivery.put(LINE)}\n".encode())
                delete(root)
                until(lambda wanted=number: len(restored(root)) == wanted)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as ids:
        returned = ids.read().split()
    assert drained(root, log) == [(2, 0)]
    assert (len(returned), verdict(returned, stored(log))) == (2, NOTHING_WRONG)


def test_who_takes_over_a_restored_segment_knows_how_far_each_sink_came(root: Path) -> None:
    """Some, such as stdout, cannot look up what they have."""
    root.mkdir()
    segment = Segment.create(root / "0-here-1-a1b2-0.seg", 4096, 2)
    for number in (b"1", b"2"):
        segment.append(b'{"id":"' + number + b'",', LINE)
        segment.acknowledge(0, segment.used, 1)
    segment.acknowledge(1, segment.used // 2, 1)
    delete(root)
    segment.restore(root.mkdir)
    segment.close()
    heir = Segment.adopt(root / "0-here-1-a1b2-0.seg", 2)
    assert heir is not None
    assert (heir.waiting(0), heir.waiting(1)) == (0, 1)
    heir.close()


def test_a_journal_that_can_be_written_again_is(root: Path, log: Path) -> None:
    root.write_text("for now")
    delivery = Delivery([f"file:{log}"], root, tuning=Tuning(adopt_s=0.02, sync_s=0.02))
    delivery.put(LINE)
    root.unlink()
    until(lambda: f'"{delivery.put(LINE)}"' in "".join(path.read_text() for path in root.glob("*/*.seg")))
    assert delivery.stats()["accepted"] < 10_000, "only a full segment brought a new one"
    log.parent.unlink()
    assert delivery.close(20) == 0


def test_a_segment_that_is_being_made_is_no_rubbish_whatever_the_clock_says(root: Path) -> None:
    root.mkdir()
    mine, left = root / "a.tmp", root / "b.tmp"
    with mine.open("w") as made:
        fcntl.flock(made, fcntl.LOCK_EX)
        for path in (mine, left):
            path.touch()
            os.utime(path, (0, 0))
        adopt.sweep(root)
        assert [path.name for path in root.iterdir()] == ["a.tmp"]


def test_rubbish_of_another_user_does_not_hold_up_who_looks_for_orphans(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> bool:
        raise PermissionError

    root.mkdir()
    (root / "a.tmp").touch()
    os.utime(root / "a.tmp", (0, 0))
    monkeypatch.setattr(adopt, "_is_orphan", refused)
    adopt.sweep(root)
    assert [path.name for path in root.iterdir()] == ["a.tmp"]
