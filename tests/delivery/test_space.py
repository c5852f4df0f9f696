"""How much of the disk the journal takes."""

from __future__ import annotations

import os
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
