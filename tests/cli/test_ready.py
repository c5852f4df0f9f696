"""`ready`: would a run go through."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CHAT, Ran

Command = Callable[..., Ran]
SMALL = ("--eval-size", "2", "--min-records", "3")


def asked(number: int) -> dict[str, object]:
    request = {"messages": [{"role": "user", "content": f"Question {number}?"}]}
    return {**CHAT, "id": f"run-{number}", "request": request, "training_unsafe": ["length"] * (number == 1)}


@pytest.fixture
def enough(log: Path) -> Path:
    failed = {**asked(9), "response": {"error": {}}}
    log.write_text("".join(json.dumps(event) + "\n" for event in (*map(asked, range(5)), asked(2), failed)))
    return log


def test_a_workload_that_is_ready_is_told_with_its_sizes(command: Command, enough: Path):
    assert command("ready", *SMALL, enough) == Ran(
        0,
        "✓ shop / support  ready\n"
        "  generic, 5 usable of 7 records, 4 needed\n"
        "  2 eval, 2 train, 1 validation\n"
        "  dropped 1: another record has the same messages and the same answer (run-2)\n"
        "  dropped 1: the call failed: there is no answer (run-9)\n"
        "  ! usable, but marked unsafe for training: 1 length\n",
        "",
    )


def test_a_workload_that_is_not_says_what_is_missing(command: Command, enough: Path):
    ran = command("ready", enough)
    assert (ran.code, ran.err) == (1, "flywheel-log: no workload is ready\n")
    assert "  missing: 97 more usable records: 5 of 102\n" in ran.out


def test_replays_are_no_workload_unless_it_is_named(command: Command, enough: Path):
    sent = {**asked(7), "workload_id": "support.replay", "metadata": {"replay": {"of": "run-2", "run": "try"}}}
    with enough.open("a") as more:
        more.write(json.dumps(sent) + "\n")
    assert [line for line in command("ready", *SMALL, enough).out.splitlines() if line[0] in "✓✗"] == [
        "✓ shop / support  ready"
    ]
    assert "✗ shop / support.replay  not ready" in command("ready", "--workload", "*", enough).out


def test_json_lines_name_all_ids(command: Command, enough: Path):
    line = json.loads(command("ready", *SMALL, "--json", "--client", "shop", "--workload", "support", enough).out)
    assert line == {
        "ready": True,
        "client_id": "shop",
        "workload_id": "support",
        "records": 7,
        "fetched": 7,
        "kind": "generic",
        "usable": 5,
        "needed": 4,
        "dropped": {"same_record": ["run-2"], "failed": ["run-9"]},
        "fatal": {},
        "sizes": {"eval": 2, "train": 2, "validation": 1},
        "missing": [],
        "warnings": ["usable, but marked unsafe for training: 1 length"],
    }


def test_a_log_without_calls_is_one(command: Command, enough: Path):
    assert command("ready", "--client", "x", enough).err == (
        f"flywheel-log: none of the calls in {enough} match client_id=x\n"
    )
