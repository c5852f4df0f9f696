"""The options that select records, alike in every command that reads some."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CHAT, EVENTS, TOOL, Ran

Command = Callable[..., Ran]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--status", "error"], ["other-3"]),
        (["--workload", "sup*"], ["run-1", "other-3"]),
        (["--workload", "weather", "--workload", "support", "--status", "ok"], ["run-1", "run-2"]),
        (["--client", "shop"], ["run-1"]),
        (["--model", "gpt-4.1"], ["run-2"]),
        (["--user", "u42"], ["run-1"]),
        (["--since", "2026-01-31T10:00:01Z", "--until", "2026-01-31T10:00:02Z"], ["run-2"]),
        (["--where", "error.status_code=429"], ["other-3"]),
        (["--where", "user=u42"], ["run-1"]),
        (["--where", "provider=", "--where", "status=ok"], ["run-2"]),
        (["--text", "RAINING"], ["run-2"]),
    ],
)
def test_an_option_selects(command: Command, log: Path, options: list[str], ids: list[str]):
    shown = command("tail", "--json", *options, log).out.splitlines()
    assert [json.loads(line)["id"] for line in shown] == ids


def test_feedback_selects_the_calls_it_is_about(command: Command, log: Path):
    said = {"timestamp": "2026-01-31T11:00:00.000Z", "kind": "feedback", "target": "chatcmpl-2", "score": 1}
    log.write_text(log.read_text() + json.dumps(said) + "\n")
    assert json.loads(command("show", "last", "--json", "--feedback", "good", log).out)["id"] == "run-2"


def test_versions_of_a_prompt_and_traces_and_sessions_select(command: Command, log: Path):
    events = [{**CHAT, "prompt": {"version": "v2"}}, {**TOOL, "trace_id": "t", "session_id": "s"}]
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    found = [
        command("stats", "--json", *options, log).out for options in (["--prompt-version", "v2"], ["--trace", "t"])
    ]
    assert [json.loads(line)["model"] for line in found] == ["gpt-4.1-mini", "gpt-4.1"]
    assert json.loads(command("show", "--json", "last", "--session", "s", log).out) == events[1]


def test_a_selection_without_a_match_says_what_was_selected(command: Command, log: Path):
    expected = f"flywheel-log: none of the calls in {log} match workload_id=nope or x, text=order\n"
    assert command("stats", "--workload", "nope", "--workload", "x", "--text", "order", log) == Ran(1, "", expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "noon"], "for --since: time 'noon' is invalid; expected for example 90s, 15m"),
        (["--until", "noon"], "for --until: time 'noon' is invalid"),
        (
            ["--where", "tenant"],
            "for --where: condition 'tenant' has no value; expected one such as metadata.tenant=acme",
        ),
        (["--where", "tenant=acme"], "field 'tenant' is unknown; expected one of "),
        (["--text", "("], "'(' is not a regular expression"),
        (["--feedback", "great"], "feedback 'great' is unknown; expected one of good, bad, any, none"),
        (["--status", "failed"], "status 'failed' is unknown; expected one of ok, error, incomplete"),
    ],
)
def test_a_wrong_option_is_two_and_says_why(command: Command, log: Path, options: list[str], said: str):
    ran = command("tail", *options, log)
    assert (ran.code, said in " ".join(ran.err.split())) == (2, True)


def test_feedback_cannot_be_looked_up_in_standard_input(command: Command):
    ran = command("tail", "--feedback", "good", "-")
    assert (ran.code, "standard input has but one" in " ".join(ran.err.split())) == (2, True)


def test_what_is_followed_is_selected_too(command: Command, log: Path):
    assert command("tail", "-f", "--workload", "x", "a", "b").code == 2


def test_grep_shows_the_words_around_a_hit(command: Command, log: Path):
    assert command("grep", "my order", log) == Ran(
        0,
        "01-31 10:00:00  run-1                     Be brief. Where is my order? [image_url] On its way.\n",
        "",
    )


def test_grep_cuts_what_is_far_from_the_hit(command: Command, log: Path):
    content = "far away " * 50 + "NEEDLE" + " and further" * 50
    log.write_text(json.dumps({**TOOL, "request": {"messages": [{"role": "user", "content": content}]}}) + "\n")
    (line,) = command("grep", "needle", log).out.splitlines()
    assert (len(line) <= 110, "NEEDLE" in line, "…" in line) == (True, True, True)


def test_grep_leaves_half_of_a_narrow_terminal_to_the_words(
    command: Command, log: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    line = "01-31 10:00:00  run-1               …ef. Where is my order? [image_url] On its …\n"
    assert command("grep", "my order", log).out == line


def test_grep_counts_and_stops_and_prints_events(command: Command, log: Path):
    assert command("grep", "--count", "i", log).out == "2\n"
    assert json.loads(command("grep", "--json", "-n", "1", "i", log).out) == EVENTS[0]
    assert command("grep", "order", "--text", "on its way", "--count", log).out == "1\n"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "'(' is not a regular expression: missing )"),
        ("log.jsonl", "log.jsonl is a file; the search pattern comes first: flywheel-log grep REGEX log.jsonl"),
    ],
)
def test_grep_says_what_is_wrong_with_what_it_is_to_find(command: Command, tmp_path: Path, pattern: str, said: str):
    (tmp_path / "log.jsonl").write_bytes(b"")
    (tmp_path / "genai.log").write_bytes(b"")
    ran = command("grep", pattern)
    assert ran.code == 2
    assert said in " ".join(ran.err.replace("│", " ").split())


def test_grep_without_a_hit_is_one(command: Command, log: Path):
    assert command("grep", "nothing", log) == Ran(
        1, "", f"flywheel-log: none of the records in {log} match text=nothing\n"
    )
    assert command("grep", "(", log).code == 2


def test_stats_over_time_are_a_chart(command: Command, log: Path):
    log.write_text(log.read_text() + json.dumps({**CHAT, "timestamp": "2026-01-31T10:02:30.000Z"}) + "\n")
    full = "▒" * 18 + "█" * 37
    assert [line.rstrip() for line in command("stats", "--over", "time", log).out.splitlines()] == [
        "by minute    ▒ errors                                                 calls  errors    p95     cost",
        f"01-31 10:00  {full}      3       1   2.1s  $0.0012",
        "01-31 10:01",
        f"01-31 10:02  {'█' * 18 + '▍':<55}      1          812ms  $0.0012",
    ]


def test_stats_over_time_are_json_lines(command: Command, log: Path):
    line = json.loads(command("stats", "--over", "time", "--json", log).out)
    assert [line[name] for name in ("period", "begin", "calls", "errors")] == ["minute", "2026-01-31T10:00:00Z", 3, 1]


def test_a_field_that_is_given_twice_is_a_mistake_and_its_two_names_are_one(command: Command, log: Path):
    ran = command("tail", "--user", "u42", "--where", "user_id=other", log)
    assert (ran.code, ran.out) == (2, "")
    assert "user_id is given by an option of its own and by --where; repeat one of them" in " ".join(ran.err.split())
    both = command("tail", "--json", "--where", "workload=weather", "--where", "workload_id=support", log).out
    assert {json.loads(line)["workload_id"] for line in both.splitlines()} == {"weather", "support"}
