"""`rotate` and `prune`: what is kept of a log."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ran

Command = Callable[..., Ran]


def test_a_log_is_rotated_and_read_as_before(command: Command, log: Path):
    before = command("stats", "genai.log*").out
    assert command("rotate", "genai.log") == Ran(0, f"{log}: rotated; compressed genai.log.1.gz\n", "")
    assert command("stats", "genai.log*").out == before
    assert command("rotate") == Ran(0, f"{log}: nothing to rotate\n", "")


def test_a_log_that_never_was_is_said(command: Command):
    for name in ("rotate", "prune"):
        ran = command(name, "none.log", *["--older-than", "1d"] * (name == "prune"))
        assert (ran.code, ran.err.startswith("flywheel-log: none.log does not exist; a program writes it")) == (1, True)


def test_the_log_of_the_settings_is_rotated(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "calls.log").write_text('{"id": "r-1"}\n')
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "file:calls.log")
    assert command("rotate", "--plain", "--json") == Ran(
        0,
        json.dumps(
            {"log": f"{tmp_path}/calls.log", "rotated": True, "compressed": [], "deleted": []}, separators=(",", ":")
        )
        + "\n",
        "",
    )
    assert (tmp_path / "calls.log.1").exists()


def test_a_small_log_is_left_alone(command: Command, log: Path):
    assert command("rotate", log, "--larger-than", "1MB") == Ran(0, f"{log}: nothing to rotate\n", "")
    for number in range(3):
        log.write_text(f"{number}")
        ran = command("rotate", log, "--keep", "1", "--larger-than", "1B", "--plain")
    assert ran == Ran(0, f"{log}: rotated\n", "")
    assert Path(f"{log}.1").read_text() == "2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rotate", "--larger-than", "big"), "size 'big' is invalid; expected for example 500kB, 100MB, 1.5GB"),
        (("rotate", "elasticsearch://h/i"), "'elasticsearch://h/i' is not a file; expected one such as genai.log"),
        (("rotate", "-"), "'-' is not a file; expected one such as genai.log"),
        (("prune",), "say what to remove: --older-than 90d, or --larger-than 10GB"),
        (("prune", "--older-than", "old"), "time 'old' is invalid; expected for example 90s"),
        (
            ("prune", "--older-than", "1d", "--keep", "gold"),
            "condition 'gold' has no value; expected one such as workload_id",
        ),
        (
            ("prune", "--older-than", "1d", "--keep", "wokload=x"),
            "did you mean workload_id?",
        ),
        (
            ("prune", "--older-than", "1d", "--keep", "feedback=great"),
            "feedback 'great' is unknown; expected one of good, bad",
        ),
    ],
)
def test_wrong_usage_says_what_is_right(command: Command, arguments: tuple[str, ...], message: str):
    ran = command(*arguments)
    told = " ".join(ran.err.replace("│", " ").split())
    assert (ran.code, message in told) == (2, True), told


def test_old_records_go_but_for_those_that_are_kept(command: Command, log: Path):
    Path(f"{log}.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    arguments = ("prune", "--older-than", "2026-01-31T10:00:02Z", "--keep", "workload_id=weather")
    dry = command(*arguments, "--dry-run", log)
    assert dry.code == 0
    assert [line.partition(" (")[0] for line in dry.out.splitlines()] == [
        f"{log}.1.gz: 1 of 3 records would go",
        f"{log}: 1 of 3 records would go",
    ]
    ran = command(*arguments, log)
    assert [line.partition(" (")[0] for line in ran.out.splitlines()] == [
        f"{log}.1.gz: 1 of 3 records gone",
        f"{log}: 1 of 3 records gone",
    ]
    assert [json.loads(line)["id"] for line in log.read_text().splitlines()] == ["run-2", "other-3"]
    assert [json.loads(line)["removed"] for line in command(*arguments, "--json", log).out.splitlines()] == [0, 0]


def test_a_log_is_cut_to_a_size(command: Command, log: Path):
    size = len(log.read_bytes().splitlines(keepends=True)[2])
    ran = command("prune", "--larger-than", f"{size}B", log, "--json")
    assert json.loads(ran.out) == {
        "file": str(log),
        "kept": 1,
        "removed": 2,
        "before": json.loads(ran.out)["before"],
        "after": size,
        "vanished": False,
        "dry_run": False,
    }
    assert [json.loads(line)["id"] for line in log.read_text().splitlines()] == ["other-3"]
