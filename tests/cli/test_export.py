"""`export`: a dataset from the command line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CHAT, Ran

Command = Callable[..., Ran]


def test_a_dataset_is_told_in_numbers(command: Command, log: Path):
    assert command("export", "--eval-share", "0", "--validation-share", "0.5", "-o", "d", log) == Ran(
        0,
        "2 of 3 calls in d\n"
        "         1  train.jsonl\n         1  validation.jsonl\n         1  left out: unsafe error\n",
        "",
    )


def test_json_is_the_manifest(command: Command, log: Path, tmp_path: Path):
    ran = command("export", "--format", "csv", "--json", "--workload", "support", log)
    manifest = json.loads((tmp_path / "dataset" / "manifest.json").read_text())
    data = log.read_bytes()
    assert (json.loads(ran.out), manifest["made_from"]) == (
        manifest,
        {
            "sources": [str(log)],
            "filter": {"where": {"workload_id": ["support"]}},
            "read": [{"file": str(log), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}],
        },
    )


def test_thousands_are_told_apart_in_every_line(command: Command, log: Path):
    log.write_text((json.dumps(CHAT) + "\n") * 1201)
    assert command("export", log).out.splitlines() == [
        "1 of 1,201 calls in dataset",
        "         1  train.jsonl",
        "         0  validation (no file)",
        "         0  eval (no file)",
        "     1,200  left out: duplicate",
    ]


def test_a_set_that_is_far_from_its_share_is_told(command: Command, log: Path):
    def call(number: int, **fields: str) -> str:
        asked = {"model": "m", "messages": [{"role": "user", "content": f"Question {number}"}]}
        return json.dumps({**CHAT, "id": f"run-{number}", "request": asked, **fields}) + "\n"

    log.write_text("".join(call(number, session_id="all" if number < 380 else f"s{number}") for number in range(400)))
    err = command("export", "--eval-share", "0", log).err
    assert err.startswith("flywheel-log: validation has ")
    assert "and its share would be 40: what belongs to one session" in err
    log.write_text("".join(call(number, session_id=f"s{number}") for number in range(400)))
    assert command("export", log).err == ""


def test_replays_are_taken_where_their_workload_is_named(command: Command, log: Path):
    replayed = {
        **CHAT,
        "id": "run-9",
        "workload_id": "support.replay",
        "metadata": {"replay": {"of": "run-1", "run": "x"}},
    }
    log.write_text(log.read_text() + json.dumps(replayed) + "\n")
    assert "         1  left out: replay" in command("export", log).out.splitlines()
    assert command("export", "--workload", "support.replay", log).out.startswith("1 of 1 call in dataset\n")


def test_what_near_duplicates_are_is_no_matter_where_they_are_kept(command: Command, log: Path):
    ran = command("export", "--similarity", "0.5", log)
    assert ran.code == 2
    assert "--similarity says what near duplicates are, which --dedup near leaves out" in ran.err


def test_nothing_to_take_is_one(command: Command, log: Path):
    ran = command("export", "--status", "error", log)
    assert (ran.code, ran.err) == (1, "flywheel-log: no call can be exported that matches status=error\n")


def test_where_there_is_nothing_to_take_a_dataset_that_was_there_stays(command: Command, log: Path):
    Path("empty.log").touch()
    assert command("export", "empty.log").err == "flywheel-log: no calls in empty.log yet\n"
    assert command("export", "--status", "error", log).out.splitlines()[0] == "0 of 1 call; nothing was written"
    assert not Path("dataset").exists()
    assert command("export", log).code == 0
    before = {path: path.read_bytes() for path in Path("dataset").iterdir()}
    for arguments in (("empty.log",), ("--status", "error", log), ("--workload", "x", log)):
        assert command("export", *arguments).code == 1
    assert {path: path.read_bytes() for path in Path("dataset").iterdir()} == before


def test_a_set_without_rows_is_told(command: Command, log: Path):
    ran = command("export", "--workload", "weather", log)
    assert ran.out.splitlines()[1:] == [
        "         1  train.jsonl",
        "         0  validation (no file)",
        "         0  eval (no file)",
    ]


def test_rated_answers_that_make_no_pair_are_one(command: Command, log: Path):
    ran = command("export", "--format", "dpo", "-o", "d", log)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "0 rows made of 1 of 3 calls; nothing was written")
    assert ran.err == (
        "flywheel-log: no answer has feedback: correct answers, or rate them (a pair needs two of one question)\n"
    )


def test_a_correction_makes_a_pair(command: Command, log: Path):
    said = {"id": "f-1", "kind": "feedback", "timestamp": CHAT["timestamp"]}
    quality = {"target": {"id": "run-2"}, "correction": "Soon."}
    log.write_text(log.read_text() + json.dumps({**said, "quality": quality}) + "\n")
    ran = command("export", "--format", "dpo", "-o", "d", log)
    assert (ran.code, ran.out.splitlines()[0], ran.err) == (0, "1 of 3 calls in d", "")


def test_wrong_usage_is_two(command: Command, log: Path):
    codes = [command("export", *options, log).code for options in (["--format", "xls"], ["--eval-share", "0.95"])]
    assert codes == [2, 2]
    assert command("export", "-").code == 2


def test_a_folder_in_use_is_one(command: Command, log: Path):
    assert command("export", "-o", ".", log).code == 1


def test_a_dataset_is_made_again_from_its_manifest(command: Command, log: Path, tmp_path: Path):
    how = ["--format", "nemo", "--seed", "7", "--since", "2026-01-31T09:00Z", "--redact", "pii", "--workload", "s*"]
    assert command("export", *how, "-o", "first", log).code == 0
    assert command("export", "--again", "first/manifest.json", "-o", "second").code == 0
    first, second = ((tmp_path / name / "manifest.json").read_text() for name in ("first", "second"))
    assert first == second


def test_a_dataset_that_cannot_be_made_again_says_so(command: Command, log: Path):
    command("export", "-o", "first", "--eval-share", "0", "--validation-share", "0", log)
    log.write_text(log.read_text().replace("On its way.", "Soon."))
    ran = command("export", "--again", "first/manifest.json", "-o", "second")
    assert (ran.code, ran.err.partition(":")[2]) == (
        1,
        f" train.jsonl differ from those of first/manifest.json: {log} changed\n",
    )


@pytest.mark.parametrize("more", [["--format", "csv"], ["--since", "1d"], ["--seed", "7"], ["--user", "u42"]])
def test_what_a_manifest_says_is_not_said_otherwise(command: Command, log: Path, more: list[str]):
    command("export", "-o", "first", log)
    ran = command("export", "--again", "first/manifest.json", "-o", "second", *more)
    assert (ran.code, (log.parent / "second").exists()) == (2, False)
    assert "says what is taken, and how; leave out all but" in " ".join(ran.err.split())


def test_only_a_manifest_can_be_made_again(command: Command, log: Path):
    (log.parent / "other.json").write_text('{"format": "csv"}')
    ran = command("export", "--again", "other.json", log)
    assert (ran.code, "other.json is not the manifest of a dataset: it lacks files, made_from, recipe" in ran.err) == (
        2,
        True,
    )
    assert command("export", "--again", "no.json", log).code == 1
