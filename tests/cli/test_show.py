"""`show`: one call in full."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CHAT, TOOL, Ran

Command = Callable[..., Ran]

SHOWN = """\
       id  run-1
     time  2026-01-31 10:00:00 UTC
     call  openai · chat.completions · gpt-4.1-mini
 response  chatcmpl-1
   status  ✓ ok
      who  client shop · workload support · user u42
   tokens  1.4k → 4 (1.0k cached)
  latency  812ms, first token after 310ms
     cost  $0.0012

system
  Be brief.

user
  Where is
  my order?
  [image_url]

assistant  stop
  On its way.
"""


@pytest.mark.parametrize("identity", ["run-1", "chatcmpl-1"])
def test_a_call_is_found_by_its_id_or_its_responses(command: Command, log: Path, identity: str):
    assert command("show", identity, log) == Ran(0, SHOWN, "")


def test_what_was_said_about_a_call_later_is_shown_with_it(command: Command, log: Path):
    said = {"kind": "feedback", "target": "run-1", "timestamp": "2026-01-31T11:00:00.000Z"}
    verdict = {"hallucination_flag": True, "safety": {"moderation": "flagged"}}
    with log.open("a") as more:
        more.write(json.dumps(said | {"user_id": "u7", "quality": {"thumbs": "down"}}) + "\n")
        more.write(json.dumps(said | verdict | {"quality": {"rating": 2}}) + "\n")
    lines = command("show", "run-1", log).out.splitlines()
    assert lines[9:12] == [
        " feedback  thumbs: down, user_id: u7; rating: 2, hallucination_flag: True",
        "  flagged  a hallucination",
        "   safety  moderation: flagged",
    ]


def test_the_version_of_its_prompt_is_told(command: Command, log: Path):
    log.write_text(json.dumps(CHAT | {"prompt": {"name": "support", "version": "2"}, "tags": ["a", "b"]}) + "\n")
    assert command("show").out.splitlines()[6:8] == ["   prompt  support@2", "     tags  a,b"]


@pytest.mark.parametrize(("identity", "found"), [("last", "other-3"), ("oth", "other-3"), ("run-2", "run-2")])
def test_a_call_is_found_by_how_its_id_begins(command: Command, log: Path, identity: str, found: str):
    assert json.loads(command("show", "--json", identity, log).out)["id"] == found


def test_the_last_call_of_the_default_log_needs_no_words(command: Command, log: Path):
    assert command("show").out.startswith("       id  other-3\n")
    assert command("show", log).out.startswith("       id  other-3\n")


def test_what_came_after_the_last_call_is_shown_by_its_id_or_kind(command: Command, log: Path):
    """A trace and feedback are written behind the calls that they are about."""
    at = {"timestamp": "2026-01-31T11:00:00.000Z"}
    step = at | {"id": "s-1", "kind": "step", "name": "turn", "status": "ok", "duration_ms": 27.8}
    said = at | {"id": "f-1", "kind": "feedback", "target": "run-1", "quality": {"thumbs": "up"}}
    log.write_text(log.read_text() + json.dumps(step) + "\n" + json.dumps(said) + "\n")
    time = "     time  2026-01-31 11:00:00 UTC"
    assert command("show", "last").out.splitlines()[0] == "       id  other-3"
    shown = ["       id  s-1", time, "     name  turn", "   status  ✓ ok", "  latency  28ms"]
    assert command("show", "last", "--where", "kind=step").out.splitlines() == shown
    shown = ["       id  f-1", time, "    about  run-1", "   status  · feedback", " feedback  thumbs: up"]
    assert command("show", "f-1").out.splitlines() == shown


def test_an_id_wins_over_a_longer_one(command: Command, log: Path):
    log.write_text(json.dumps({**CHAT, "id": "run-11"}) + "\n" + log.read_text())
    assert json.loads(command("show", "--json", "run-1", log).out)["id"] == "run-1"


def test_an_ambiguous_beginning_names_the_candidates(command: Command, log: Path):
    assert command("show", "run", log) == Ran(1, "", "flywheel-log: several records begin with 'run': run-1, run-2\n")


def test_an_unknown_id_is_told(command: Command, log: Path):
    expected = "flywheel-log: no record has the id 'x'; `flywheel-log tail --json` shows the ids\n"
    assert command("show", "x", log) == Ran(1, "", expected)


def test_of_an_id_that_the_options_rule_out_it_is_told_which(command: Command, log: Path):
    ran = command("show", "run-1", "--user", "nobody", log)
    assert "no record of those that match user_id=nobody has the id 'run-1'" in ran.err


@pytest.mark.parametrize("options", [(), ("--status", "error")])
def test_the_last_call_of_a_large_log_is_found_from_its_end(command: Command, log: Path, options: tuple[str, ...]):
    log.write_text("no record\n" * 100_000 + log.read_text())
    ran = command("show", *options)
    assert (ran.out.splitlines()[0], ran.err) == ("       id  other-3", "")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("gone.log", "gone.log does not exist; a program writes it after"),
        ("logs", "logs is a directory; name the log in it, such as logs/genai.log"),
        ("old*", "no file matches old*; quote the pattern"),
        ("elasticsearch:", "'elasticsearch:' names no server"),
    ],
)
def test_a_log_that_cannot_be_read_is_not_taken_for_an_id(command: Command, tmp_path: Path, word: str, said: str):
    (tmp_path / "logs").mkdir()
    assert [said in command(name, word).err for name in ("show", "trace")] == [True, True]


def test_a_url_alone_is_a_log(command: Command, log: Path):
    assert command("show", f"file:{log}").out == command("show", log).out


def test_a_log_without_records_is_not_searched_for_an_id(command: Command, log: Path):
    log.write_text("")
    assert command("show").err == "flywheel-log: no calls in genai.log yet\n"
    assert command("show", "--status", "ok").err == "flywheel-log: none of the calls in genai.log match status=ok\n"


def test_an_error_is_told_and_a_tool_call_shown(command: Command, log: Path):
    assert "    error  429 RateLimitError: slow down\n" in command("show", "other-3", log).out
    out = command("show", "run-2", log).out
    assert out.endswith('\nassistant  tool_calls\n  → weather({"city": "Ulm"})\n')
    assert "    tools  weather\n" in out


def test_a_pipe_gets_long_lines_whole(command: Command, log: Path):
    said = "word " * 100
    log.write_text(json.dumps({**TOOL, "response": {"choices": [{"message": {"content": said}}]}}) + "\n")
    assert command("show", "last", log).out.endswith(f"\nassistant\n  {said}\n")


def test_on_a_terminal_what_is_known_is_folded_under_its_own_margin(
    command: Command, log: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "24"}.items():
        monkeypatch.setenv(name, value)
    shown = command("show", "last", log).out.splitlines()
    at = next(place for place, line in enumerate(shown) if line.startswith("      who  "))
    assert [line.rstrip() for line in shown[at : at + 2]] == ["      who  workload", "           support"]


def test_what_is_null_is_unknown(command: Command, log: Path):
    event = dict.fromkeys(CHAT) | {"id": "n", "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm"}
    log.write_text(json.dumps(event) + "\n")
    assert command("show", "n").out.splitlines() == [
        "       id  n",
        "     time  2026-01-31 10:00:00 UTC",
        "   status  · llm",
    ]
    assert [command(name, log).code for name in ("tail", "stats")] == [0, 0]


def test_a_retrieval_is_shown_with_what_was_searched_for_and_found(command: Command, log: Path):
    found = [{"id": "doc7", "text": "Ulm is on\nthe Danube.", "score": 0.9, "source": "atlas.pdf"}, {"id": "doc19"}]
    at = {"id": "r-1", "kind": "retrieval", "timestamp": "2026-01-31T11:00:00.000Z"}
    log.write_text(json.dumps(at | {"request": {"query": "Where is Ulm?"}, "retrieval_docs": found}) + "\n")
    assert command("show", "r-1", log).out.split("\n\n", 1)[1] == (
        "query\n  Where is Ulm?\n\ndoc7  score 0.9 · source atlas.pdf\n  Ulm is on\n  the Danube.\n\ndoc19\n"
    )
