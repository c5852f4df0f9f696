"""The order of a log's files, whoever rotated them."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path

import pytest

from flywheel_log.process.rotations import family, generations, in_order, place_of


def made(folder: Path, names: list[str]) -> list[str]:
    """Make files of these *names*, the first one written to first; return the names."""
    for second, name in enumerate(names):
        (folder / name).write_bytes(b"{}\n")
        os.utime(folder / name, (second, second))
    return names


@pytest.mark.parametrize(
    "names",
    [
        ["genai.log.10", "genai.log.9.gz", "genai.log.1", "genai.log"],
        ["genai.log-20261126", "genai.log.2026-11-27", "genai.log-20261127-05.xz", "genai.log-20261128", "genai.log"],
        ["genai.log-20261126", "genai.log.1", "genai.log"],
        ["genai.log.1", "genai.log-20261126", "genai.log"],
        ["genai.log.3.gz", "genai.log-20261126.gz", "genai.log.2", "genai.log.1", "genai.log-20261127", "genai.log"],
    ],
)
def test_numbers_and_dates_are_in_the_order_of_writing_however_they_are_mixed(tmp_path: Path, names: list[str]):
    made(tmp_path, names)
    assert [file.name for file in family(tmp_path / "genai.log")] == names
    assert generations(tmp_path / "genai.log") == family(tmp_path / "genai.log")
    for some in permutations(names, 3):
        assert [file.name for file in in_order(tmp_path / name for name in some)] == sorted(some, key=names.index)


def test_a_link_to_the_latest_of_the_files_with_a_date_is_the_log_itself(tmp_path: Path):
    names = made(tmp_path, ["genai.log-20261126", "genai.log-20261127"])
    (log := tmp_path / "genai.log").symlink_to(names[1])
    assert place_of(log) == log
    assert [file.name for file in family(log)] == [*names, "genai.log"]


def test_where_a_copy_has_other_times_the_numbers_and_the_dates_count(tmp_path: Path):
    made(tmp_path, ["genai.log", "genai.log-20261126", "genai.log-20261127", "genai.log.1", "genai.log.2"])
    names = [file.name for file in family(tmp_path / "genai.log")]
    assert names == ["genai.log-20261126", "genai.log-20261127", "genai.log.2", "genai.log.1", "genai.log"]
    logs = made(tmp_path, ["b.log", "b.log.1", "a.log.1", "a.log"])
    assert [file.name for file in in_order(tmp_path / name for name in [*logs, "gone.log.1", "gone.log-20261127"])] == [
        *("a.log.1", "a.log", "b.log.1", "b.log", "gone.log.1", "gone.log-20261127"),
    ]
