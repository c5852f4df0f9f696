"""`tail`: the latest calls."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import EVENTS, TOOL, Ran

Command = Callable[..., Ran]


def test_the_latest_calls_come_last(command: Command, log: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert command("tail", "-n", "2", log) == Ran(
        0,
        "01-31 10:00:01 ✓ weather   gpt-4.1          60→12   2.1s  Is it ra… → weather({…\n"
        "01-31 10:00:02 ✗ support   gpt-4.1-mini       -→-  7.5ms  Hello ␛[… → 429 RateL…\n",
        "",
    )


def test_json_lines_are_the_events(command: Command, log: Path):
    assert [json.loads(line) for line in command("tail", "--json", log).out.splitlines()] == EVENTS


def test_those_with_the_highest_number_in_a_field_are_found(command: Command, log: Path):
    def ids(*options: object) -> list[str]:
        return [json.loads(line)["id"] for line in command("tail", "--json", *options, log).out.splitlines()]

    assert ids("--top", "latency_ms") == ["run-2", "run-1", "other-3"]
    assert ids("--top", "latency_ms", "-n", "1", "--workload", "support") == ["run-1"]
    assert ids("--top", "cost_usd") == ["run-1"]  # of the others nobody knows it
    wrong = command("tail", "--top", "latncy_ms", log)
    assert (wrong.code, "did you mean latency_ms?" in wrong.err) == (2, True)
    assert command("tail", "--top", "surface") == Ran(
        1, "", "flywheel-log: no records with a number as surface in genai.log yet\n"
    )
    assert command("tail", "-f", "--top", "latency_ms", log).code == 2


def test_several_logs_are_one(command: Command, log: Path):
    log.with_name("genai.log.1").write_text(json.dumps({**TOOL, "id": "older"}) + "\n")
    out = command("tail", "--json", "genai.log", "genai.log.1").out
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["older", "run-1", "run-2", "other-3"]


def test_what_no_screen_can_show_is_escaped(command: Command, log: Path):
    log.write_text(json.dumps({**TOOL, "workload_id": "\ud800"}) + "\n")
    ran = command("tail", log)
    assert (ran.code, ran.out[17:24]) == (0, "\\ud800 ")
    assert json.loads(command("tail", "--json", log).out)["workload_id"] == "\ud800"


def test_only_one_plain_file_can_be_followed(command: Command):
    assert [command("tail", "-f", *names).code for names in (["a", "b"], ["-"])] == [2, 2]


def test_a_follower_shows_what_is_added_until_interrupted(log: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "flywheel_log", "tail", "-f", "-n", "1", "--json", str(log)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())["id"]
        with log.open("a") as more:
            more.write(json.dumps({**TOOL, "id": "new"}) + "\n")
        second = json.loads(process.stdout.readline())["id"]
        process.send_signal(signal.SIGINT)
        assert (first, second, process.wait(60), process.stderr.read()) == ("other-3", "new", 130, b"")
