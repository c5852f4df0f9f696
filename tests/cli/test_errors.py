"""`errors`: what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CHAT, ERROR, Ran

Command = Callable[..., Ran]


def test_faults_are_a_table(command: Command, log: Path):
    assert [line.rstrip() for line in command("errors", log).out.splitlines()] == [
        "1 of 3 calls went wrong (33.3%)",
        "fault                     calls  share  by minute  trend   latest   meaning",
        "error 429 RateLimitError      1  33.3%  █          steady  other-3  the call failed",
    ]


def test_a_narrow_terminal_goes_without_what_can_be_spared(
    command: Command, log: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "72")
    assert [line.rstrip() for line in command("errors", log).out.splitlines()[1:]] == [
        "fault                     calls  share  trend   latest   meaning",
        "error 429 RateLimitError      1  33.3%  steady  other-3  the call failed",
    ]
    log.write_text(json.dumps({**CHAT, "status": "incomplete"}) + "\n")
    monkeypatch.setenv("COLUMNS", "60")
    assert [line.rstrip() for line in command("errors", log).out.splitlines()[1:]] == [
        "fault       calls   share  by minute  trend   latest",
        "incomplete      1  100.0%  █          steady  run-1",
    ]
    monkeypatch.setenv("COLUMNS", "40")
    assert [line.rstrip() for line in command("errors", log).out.splitlines()[1:]] == [
        "fault       calls   share  latest",
        "incomplete      1  100.0%  run-1",
    ]


def test_json_lines_have_intervals(command: Command, log: Path):
    line = json.loads(command("errors", "--json", log).out)
    low, high = line.pop("share_interval")
    assert (round(low, 2), round(high, 2)) == (0.06, 0.79)
    assert line == {
        "fault": "error 429 RateLimitError",
        "count": 1,
        "calls": 3,
        "effective_calls": 3,
        "share": 1 / 3,
        "trend": "steady",
        "period": "minute",
        "share_by_period": [1 / 3],
        "examples": ["other-3"],
    }


def test_prompts_of_faulty_calls_are_clustered(command: Command, log: Path):
    assert command("errors", "--clusters", "3", log).out.splitlines()[-1] == "1 (100%) ask about 31mred, hello: other-3"
    line = json.loads(command("errors", "--clusters", "3", "--json", log).out.splitlines()[-1])
    assert line == {"cluster": ["31mred", "hello"], "count": 1, "share": 1.0, "examples": ["other-3"]}


def test_a_log_without_faults_says_so(command: Command, log: Path):
    assert command("errors", "--status", "ok", log) == Ran(0, "0 of 2 calls went wrong (0.0%)\n", "")


def test_a_log_without_calls_is_one(command: Command, log: Path):
    assert command("errors", "--model", "x", log).err == f"flywheel-log: none of the calls in {log} match model=x\n"


def test_a_sample_is_scaled_up_where_one_asks_for_it(command: Command, log: Path):
    chat = {**CHAT, "sample_rate": 0.1}
    log.write_text("".join(json.dumps(event) + "\n" for event in [chat] * 9 + [ERROR] * 10))
    _, plain, hint = command("errors", log)
    _, scaled, said = command("errors", "--scale-up", log)
    first = [out.splitlines()[0] for out in (plain, scaled)]
    assert first == ["10 of 19 calls went wrong (52.6%)", "10 of 100 calls went wrong (10.0%)"]
    assert (
        hint == "flywheel-log: this log is a sample: its 19 calls stand for 100; --scale-up estimates their figures\n"
    )
    assert said == "flywheel-log: these are estimates: 19 recorded calls stand for 100, by their sample_rate\n"
