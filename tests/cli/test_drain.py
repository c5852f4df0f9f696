"""`drain`: what dead programs left behind is delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.delivery.dying import leave

from .conftest import Ran

Command = Callable[..., Ran]

EVENT = b'{"timestamp":"2026-01-31T10:00:00.000Z","kind":"llm"}'


def test_a_journal_without_orphans_says_so(command: Command, tmp_path: Path):
    said = f"nothing is waiting in {tmp_path}/j"
    assert command("drain", "--journal", tmp_path / "j") == Ran(0, f"{said}, which does not exist\n", "")
    (tmp_path / "j").mkdir()
    assert command("drain", "--journal", tmp_path / "j") == Ran(0, f"{said}\n", "")
    (tmp_path / "file").touch()
    ran = command("drain", "--journal", tmp_path / "file")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"flywheel-log: {tmp_path}/file is not a directory; expected a journal, such as /")


def test_what_a_killed_program_said_arrives_once(command: Command, tmp_path: Path):
    leave([EVENT], "file:genai.log", tmp_path / "journal")
    first, second = command("drain", "--json"), command("drain", "--json")
    assert [first.code, second.code] == [0, 0]
    assert len((tmp_path / "genai.log").read_text().splitlines()) == 1
    assert command("drain").out.startswith("nothing is waiting in ")


def test_what_cannot_be_delivered_is_told(command: Command, tmp_path: Path):
    (tmp_path / "genai.log").mkdir()
    leave([EVENT], "file:genai.log", tmp_path / "journal")
    ran = command("drain", "--timeout", "0.5", "--json")
    report = json.loads(ran.out)
    assert (ran.code, report["delivered"], report["left"]) == (1, 0, 1)
    assert ": 1; run `flywheel-log drain` again when their sinks answer, or let another one" in ran.err


def test_what_waits_for_a_sink_that_is_gone_goes_to_another_one(command: Command, tmp_path: Path):
    for name in ("gone.log", "other.log"):
        (tmp_path / name).mkdir()
        leave([EVENT], f"file:{name}", tmp_path / "journal")
    ran = command("drain", "--from", "file:gone.log", "--into", "file:new.log", "--timeout", "3", "--json")
    reports = [
        (report["sinks"][0].rpartition("/")[2], report["left"]) for report in map(json.loads, ran.out.splitlines())
    ]
    assert sorted(reports) == [("gone.log", 0), ("other.log", 1)]
    assert len((tmp_path / "new.log").read_text().splitlines()) == 1
    assert command("drain", "--into", "file:new.log").code == 0
    assert len((tmp_path / "new.log").read_text().splitlines()) == 2


def test_the_doctor_says_where_else_what_waits_for_a_file_that_is_gone_can_go(command: Command, tmp_path: Path):
    (tmp_path / "gone.log").mkdir()
    leave([EVENT], "file:gone.log", tmp_path / "journal")
    gone = f"file:{tmp_path}/gone.log"
    assert command("doctor").out.splitlines()[-1] == (
        f"FIX  1 event waiting for {gone}: run `flywheel-log drain`, or let another file take them: "
        f"flywheel-log drain --from '{gone}' --into file:genai.log"
    )


def test_a_sink_that_cannot_take_the_events_is_refused_at_once(command: Command):
    assert "sink 'kafka' is unknown; expected one of" in command("drain", "--into", "kafka:").err
    alone = command("drain", "--from", "file:a.log")
    assert (alone.code, "for --from: it needs --into, the sink" in alone.err) == (2, True)
    unlike = command("drain", "--from", "file:a.log", "--into", "stdout:")
    assert (unlike.code, "--from is file:, --into is stdout:; they must" in " ".join(unlike.err.split())) == (2, True)
