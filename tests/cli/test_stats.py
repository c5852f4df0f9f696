"""`stats`: the sums."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CHAT, TOOL, Ran

Command = Callable[..., Ran]


def test_groups_and_their_total_are_a_table(command: Command, log: Path):
    assert command("stats", log).out.splitlines() == [
        "workload  model         calls   errors   in→out    p50    p95      cost  first p50  first p95",
        "support   gpt-4.1-mini      2  1 (50%)   1.4k→4  7.5ms  812ms  $0.0012+      310ms      310ms",
        "weather   gpt-4.1           1        0    60→12   2.1s   2.1s         -          -          -",
        "total                       3  1 (33%)  1.5k→16  812ms   2.1s  $0.0012+      310ms      310ms",
    ]


def test_one_group_needs_no_total(command: Command, log: Path):
    assert len(command("stats", "--by", "day", log).out.splitlines()) == 2


def test_json_lines_have_units_in_their_names(command: Command, log: Path):
    lines = command("stats", "--json", "--by", "model", log).out.splitlines()
    assert json.loads(lines[1]) == {
        "model": "gpt-4.1",
        "calls": 1,
        "errors": 0,
        "incomplete": 0,
        "error_share": 0.0,
        "input_tokens": 60,
        "output_tokens": 12,
        "cached_tokens": 0,
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
    """Above 16 MB DuckDB counts; with a filter, which all calls match, the reader in Python does."""
    chat = json.dumps({**CHAT, "response": {"choices": [], "padding": "x" * 2000}})
    log.write_text(f"{chat}\n" * 8000 + json.dumps(TOOL) + "\n")
    assert command("stats", log) == command("stats", "--since", "2026-01-01", log)
