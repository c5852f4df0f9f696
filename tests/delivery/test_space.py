"""How much of the disk the journal takes."""

from __future__ import annotations

from pathlib import Path

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
