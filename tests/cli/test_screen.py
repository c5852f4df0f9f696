"""Numbers, times and texts in few characters, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flywheel_log.cli._screen import duration, fit, many_lines, moment, money, number, one_line

from .conftest import CHAT, Ran


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((None, "-"), (0, "0"), (999, "999"), (1234, "1.2k"), (34_000, "34k"), (5_600_000, "5.6M"), (2e9, "2.0G")),
        *((9_960, "10k"), (999_600, "1.0M"), (999.7e6, "1.0G")),
    ],
)
def test_a_count_is_short(value: float | None, shown: str):
    assert number(value) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(None, "-"), (0, "0.0ms"), (7.46, "7.5ms"), (812.4, "812ms"), (1234, "1.2s"), (45_000, "45s"), (125_000, "2m05s")],
)
def test_a_duration_is_short(milliseconds: float | None, shown: str):
    assert duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [(None, "-"), (0, "$0.00"), (3.86e-5, "$0.000039"), (0.00123, "$0.0012"), (3.4, "$3.40"), (12_345.6, "$12,346")],
)
def test_an_amount_has_the_digits_that_count(dollars: float | None, shown: str):
    assert money(dollars) == shown


def test_a_text_fits_its_cells():
    assert [fit("abc", 5), fit("abcdef", 4), fit("日本語", 4), fit("abc", 0)] == ["abc  ", "abc…", "日… ", ""]


def test_no_control_reaches_the_terminal():
    wild = "a\x1b[31m\x07\r\nb\u202e\x9bc\ttab"
    assert (one_line(wild), many_lines(wild)) == ("a␛[31m␇ b··c tab", "a␛[31m␇\nb··c\ttab")


def test_a_timestamp_is_a_moment_unless_it_is_foreign():
    assert moment("2026-01-31T10:00:00.000Z", UTC) == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert moment("yesterday") is None


def wild(value: Any) -> Any:
    """Return *value* with something in each of its texts that would clear a terminal."""
    match value:
        case str():
            return f"{value}\x1b[2J\u202e"
        case list():
            return [*map(wild, value)]
        case dict():
            return {name: wild(one) for name, one in value.items()}
        case _:
            return value


SAID = wild({"trace_id": "t", "span_id": "s", "tags": ["beta"], "prompt": {"name": "p", "version": "1"}})
SAID |= {key: wild(CHAT[key]) for key in ("client_id", "workload_id", "model", "provider", "user_id", "request")}
SAID["error"] = wild({"type": "T", "message": "m", "code": "c"})
RUN = "r\u202e\x1b[2J"
CALL = {**CHAT, **SAID, "response": wild(CHAT["response"]), "id": f"{RUN}-2"}
STEP = {**CALL, "kind": "step", "id": f"{RUN}-5", "name": wild("step"), "trace_id": wild("t2")}
LOSS = {"kind": "loss_report", "timestamp": CHAT["timestamp"], "first": f"{RUN}-3", "last": "r-3", "reason": RUN}


@pytest.mark.parametrize(
    "words",
    [
        *("tail", "stats", "errors", "show last", "show nobody", "grep order", "grep nowhere"),
        *("trace last", "trace t", "trace nobody", "verify", "stats --over time", "compare --over time", "export"),
        *("compare a b --by model", "compare --by model", "stats --by prompt.version,tags,trace_id", "ready"),
        *(
            "compare --replay last",
            "replay --model m --dry-run",
            "prune --dry-run --older-than 1d",
        ),
    ],
)
def test_nothing_in_a_log_reaches_the_terminal_as_a_command(
    command: Callable[..., Ran], log: Path, words: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    log.write_text("".join(json.dumps(one) + "\n" for one in (CALL, STEP, LOSS)))
    ran = command(*words.split(" "))
    assert ran.out + ran.err
    assert [sign for sign in ran.out + ran.err if sign in "\x1b\u202e"] == []


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("stats", "cost, first p50, first p95, incomplete, cached, calls/min"),
        ("errors", "meaning"),
        ("compare --by model a gpt-4.1", "intervals"),
    ],
)
def test_what_a_table_has_no_room_for_is_named_on_a_terminal(
    command: Callable[..., Ran], log: Path, words: str, missing: str, monkeypatch: pytest.MonkeyPatch
):
    calls = [{**CHAT, "model": one, "status": "incomplete"} for one in ("a", "gpt-4.1") for _ in range(12)]
    log.write_text("".join(json.dumps(one) + "\n" for one in calls))
    monkeypatch.setenv("FORCE_COLOR", "1")
    told = {}
    for columns in ("60", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        _, _, named = re.sub("\x1b\\[[0-9;]*m", "", command(*words.split()).out).partition("too narrow for ")
        told[columns] = " ".join(named.split())
    assert told == {"60": missing, "200": ""}


@pytest.mark.parametrize(
    ("words", "mark"),
    [
        (["doctor"], "32mok  "),
        (["show", "run-1"], "32m✓ ok"),
        (["show", "other-3"], "31m✗ error"),
        (["alert", "--at", "2026-02-01", "--all", "--rule", "error_rate > 5% over 7d min 3"], "1;31m✗ fired"),
        (["alert", "--at", "2026-02-01", "--all", "--rule", "error_rate > 50% over 7d min 3"], "32m✓ quiet"),
        (["alert", "--at", "2026-02-01", "--all", "--rule", "error_rate > 5% over 7d min 9"], "33m? unknown"),
    ],
)
@pytest.mark.usefixtures("log")
def test_how_it_stands_is_seen_by_its_colour(
    command: Callable[..., Ran], words: list[str], mark: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert f"\x1b[{mark}\x1b[0m" in command(*words).out


@pytest.mark.parametrize("words", ["stats", "errors", "compare --by model a gpt-4.1", "stats --over time"])
def test_no_figure_is_cut_however_narrow_the_terminal(
    command: Callable[..., Ran], log: Path, words: str, monkeypatch: pytest.MonkeyPatch
):
    calls = [{**CHAT, "model": one, "training_unsafe": ["length"]} for one in ("a", "gpt-4.1") for _ in range(12)]
    log.write_text("".join(json.dumps(one) + "\n" for one in calls))

    def figures(columns: int) -> set[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        return {
            one for line in command(*words.split()).out.splitlines()[1:] for one in line.split() if one[0].isdigit()
        }

    assert figures(40) <= figures(200)
    assert {"24", "12", "0.0%"} & figures(40)
