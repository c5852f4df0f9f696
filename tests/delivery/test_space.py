"""How much of the disk the journal takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from flywheel_log.delivery import space
from flywheel_log.delivery.space import Gauge, taken


def test_the_bytes_of_all_files_of_all_programs_count(tmp_path: Path) -> None:
    assert taken(tmp_path / "none") == 0
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.seg").write_bytes(b"x" * 100)
    assert taken(tmp_path) == 200


def test_who_asks_all_the_time_does_not_make_us_look_all_the_time(tmp_path: Path) -> None:
    now = [10.0]
    gauge = Gauge(tmp_path, clock=lambda: now[0])
    seen = [gauge.read()]
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.seg").write_bytes(b"x" * 100)
    for now[0] in (10.9, 11.0, 11.9):
        seen.append(gauge.read())
    assert seen == [0, 0, 100, 100]


def test_who_may_not_look_any_more_is_told_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    gauge = Gauge(tmp_path, clock=lambda: now[0])
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.seg").write_bytes(b"x" * 100)
    seen = [gauge.read()]

    def refused(_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", refused)
    now[0] = 20.0
    assert [*seen, gauge.read()] == [100, 100]


MAY_WRITE_LITTLE = """
import resource, signal, sys
import flywheel_log

@flywheel_log.logged_llm
def say(text):
    return text.upper()

signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
print(say("little"), flywheel_log.flush())
"""


def test_a_program_that_may_write_small_files_only_is_not_ended_by_a_segment(tmp_path: Path) -> None:
    program = [sys.executable, "-c", MAY_WRITE_LITTLE]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "LITTLE 0\n")
    assert "LITTLE" in (tmp_path / "genai.log").read_text()


NO_ADDRESSES = """
import resource
from pathlib import Path
from flywheel_log.delivery import Delivery
from flywheel_log.health import health

delivery = Delivery(["file:genai.log"], Path("journal"))
delivery.start()
delivery.flush(20)
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (1 << 19), resource.RLIM_INFINITY))
print(delivery.put(b'{"kind":"step"}') is not None, len(list(Path("journal").rglob("*.seg"))), health.dropped())
delivery.flush(20)
"""


def test_a_program_without_room_for_a_map_has_its_events_on_disk(tmp_path: Path) -> None:
    program = [sys.executable, "-c", NO_ADDRESSES]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("True 1 {}\n", 0), done.stderr
    assert len((tmp_path / "genai.log").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("waiting", "free", "room"),
    [
        (0, 1000, 500),  # Others have filled the disk: a first segment has room all the same.
        (800, 1000, 100),  # What waits piles up to half of what others have left, and no farther.
        (1000, 800, -100),
        (1000, 5600, 2300),
        (1000, 9600, 4600),  # Above five percent it is these that stay free,
        (6000, 50_000, 4000),  # or the quota alone that counts.
    ],
)
def test_on_a_nearly_full_disk_the_journal_leaves_as_much_as_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waiting: int, free: int, room: int
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.seg").write_bytes(b"x" * waiting)
    disk = SimpleNamespace(f_blocks=100_000, f_frsize=1, f_bavail=free)  # Five percent are 5000.
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    assert space.room(tmp_path, quota=10_000) == room
