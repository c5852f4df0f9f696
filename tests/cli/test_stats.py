"""`stats`: the sums."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CHAT, ERROR, TOOL, Ran

Command = Callable[..., Ran]


def test_groups_and_their_total_are_a_table(command: Command, log: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "93")
    assert command("stats", log).out.splitlines() == [
        "workload  model         calls   errors   in→out    p50    p95      cost  first p50  first p95",
        "support   gpt-4.1-mini      2  1 (50%)   1.4k→4  7.5ms  812ms  $0.0012+      310ms      310ms",
        "weather   gpt-4.1           1        0    60→12   2.1s   2.1s         -          -          -",
        "total                       3  1 (33%)  1.5k→16  812ms   2.1s  $0.0012+      310ms      310ms",
    ]


@pytest.mark.parametrize(("minutes", "shown"), [(1, "2"), (3, "0.67"), (30 * 60, "0.0011")])
def test_few_calls_a_minute_are_not_none(command: Command, tmp_path: Path, minutes: int, shown: str):
    at = (f"2026-01-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z" for minute in (0, minutes))
    (tmp_path / "log").write_text("".join(json.dumps({"timestamp": one, "kind": "llm"}) + "\n" for one in at))
    assert command("stats", "log").out.split()[-1] == shown


def test_one_group_needs_no_total(command: Command, log: Path):
    assert len(command("stats", "--by", "day", log).out.splitlines()) == 2


def test_json_lines_have_units_in_their_names(command: Command, log: Path):
    lines = command("stats", "--json", "--by", "model", log).out.splitlines()
    assert json.loads(lines[1]) == {
        "model": "gpt-4.1",
        "calls": 1,
        "recorded_calls": 1,
        "estimated_calls": 1,
        "errors": 0,
        "incomplete": 0,
        "error_share": 0.0,
        "input_tokens": 60,
        "output_tokens": 12,
        "cached_tokens": None,
        "cost_usd": None,
        "priced_calls": 0,
        "latency_ms_p50": 2100.0,
        "latency_ms_p95": 2100.0,
        "time_to_first_token_ms_p50": None,
        "time_to_first_token_ms_p95": None,
        "calls_per_minute": 1.0,
        "first": "2026-01-31T10:00:01.000Z",
        "last": "2026-01-31T10:00:01.000Z",
    }


def test_tokens_that_nobody_counted_are_not_none(command: Command, log: Path):
    silent = {name: value for name, value in CHAT.items() if not name.endswith("_tokens")}
    log.write_text(json.dumps(silent) + "\n" + json.dumps({**silent, "model": "counted", "input_tokens": 0}) + "\n")
    assert [" -→- " in line for line in command("stats", log).out.splitlines()[1:]] == [False, True, False]


@pytest.mark.parametrize("width", [60, 80, 110, 200])
def test_a_table_is_never_wider_than_its_screen(
    command: Command, log: Path, monkeypatch: pytest.MonkeyPatch, width: int
):
    monkeypatch.setenv("COLUMNS", str(width))
    log.write_text(log.read_text().replace("support", "a very long name of a workload indeed"))
    lines = command("stats", log).out.splitlines()
    assert (len(lines), max(map(len, lines)) <= width) == (4, True)
    assert [cell in lines[1] for cell in (" 2 ", " 1 (50%) ")] == [True, True]


def test_a_large_log_is_counted_alike(command: Command, log: Path):
    """Above 16 MB DuckDB counts, filtered or not; where a text is looked for, the reader in Python does."""
    chat = json.dumps({**CHAT, "response": {"choices": [], "padding": "x" * 2000}})
    log.write_text(f"{chat}\n" * 8000 + json.dumps(TOOL) + "\n")
    counted = command("stats", log)
    assert counted == command("stats", "--text", "", "--since", "2026-01-01", "--model", "*", log)
    assert counted == command("stats", "--text", "a*", log)


def sampled(log: Path) -> Path:
    """Of the chats every fourth was kept, and the error for sure."""
    log.write_text("".join(json.dumps(event) + "\n" for event in ({**CHAT, "sample_rate": 0.25}, ERROR)))
    return log


def test_a_sample_is_said_to_be_one(command: Command, log: Path):
    code, out, err = command("stats", "--by", "workload_id", sampled(log))
    assert (code, out.splitlines()[1].split()[:4]) == (0, ["support", "2", "1", "(50%)"])
    assert err == "flywheel-log: this log is a sample: its 2 calls stand for 5; --scale-up estimates their figures\n"


def test_the_figures_of_all_calls_are_estimated_from_a_sample(command: Command, log: Path):
    code, out, err = command("stats", "--scale-up", "--json", "--by", "workload_id", sampled(log))
    row = json.loads(out)
    names = ("calls", "recorded_calls", "errors", "error_share", "input_tokens", "cost_usd", "latency_ms_p50")
    assert (code, [row[name] for name in names]) == (0, [5, 2, 1, 0.2, 5720, 0.0048, 812.4])
    assert err == "flywheel-log: these are estimates: 2 recorded calls stand for 5, by their sample_rate\n"


def test_a_chart_is_scaled_up_too(command: Command, log: Path):
    _, out, err = command("stats", "--scale-up", "--over", "time", sampled(log))
    assert (out.splitlines()[1].split()[-4:-2], "estimates" in err) == (["5", "1"], True)


def test_what_was_said_about_calls_groups_them(command: Command, log: Path, tmp_path: Path):
    said = {"timestamp": CHAT["timestamp"], "kind": "feedback", "target": "chatcmpl-1", "quality": {"label": "late"}}
    (tmp_path / "later.log").write_text(json.dumps(said) + "\n")
    lines = command("stats", "--by", "quality.label", log, tmp_path / "later.log").out.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["-", "2"], ["late", "1"]]


@pytest.mark.parametrize("columns", [1, 12, 20, 30])
def test_the_calls_are_counted_however_narrow_the_terminal(
    command: Command, log: Path, monkeypatch: pytest.MonkeyPatch, columns: int
):
    monkeypatch.setenv("COLUMNS", str(columns))
    log.write_text(json.dumps({**CHAT, "workload_id": "a-workload-of-a-name-that-is-long"}) + "\n")
    ran = command("stats", log)
    assert (ran.code, ran.out.splitlines()[1].split()[-1]) == (0, "1")


def test_a_field_that_no_call_has_is_told(command: Command, log: Path):
    ran = command("stats", "--by", "prompt.versoin,model", log)
    assert (ran.code, ran.err) == (0, "flywheel-log: no call has a prompt.versoin\n")
    assert command("stats", "--by", "user_id", log).err == command("stats", log).err == ""


def test_an_id_groups_by_the_word_of_its_option_and_column(command: Command, log: Path):
    assert command("stats", "--by", "workload", log).out == command("stats", "--by", "workload_id", log).out


def test_a_chart_is_not_grouped(command: Command, log: Path):
    ran = command("stats", "--over", "time", "--by", "model", log)
    assert (ran.code, ran.out, "--by and --over cannot be combined" in ran.err) == (2, "", True)
