"""Counting calls by group."""

from __future__ import annotations

import math

import pytest

from flywheel_log.loop.stats import summarise


def call(second: int = 0, **fields: object) -> dict[str, object]:
    return {"timestamp": f"2026-01-31T10:00:{second:02}.000Z", "kind": "llm", "status": "ok", **fields}


def test_a_row_counts_its_calls():
    events = [
        call(0, model="m", workload_id="w", input_tokens=10, output_tokens=5, cost_usd=0.25, latency_ms=100.0),
        call(30, model="m", workload_id="w", input_tokens=20, cached_tokens=8, time_to_first_token_ms=40.0),
        call(59, model="m", workload_id="w", status="error"),
        call(59, model="m", workload_id="w", status="incomplete"),
    ]
    (row,) = summarise(events).rows
    counted = {name: getattr(row, name) for name in vars(row) if name not in ("latency", "first_token")}
    assert counted == {
        "key": ("w", "m"),
        "scaled": False,
        "errors": 1,
        "incomplete": 1,
        "input_tokens": 30,
        "output_tokens": 5,
        "cached_tokens": 8,
        "priced": 1,
        "cost_usd": 0.25,
        "first": "2026-01-31T10:00:00.000Z",
        "last": "2026-01-31T10:00:59.000Z",
        "recorded": 4,
        "estimated": 4,
    }
    assert (row.latency.quantile(0.5), row.first_token.quantile(0.95)) == (100.0, 40.0)
    assert (row.calls, row.error_share, row.calls_per_minute) == (4, 0.25, 4.0)


def test_rows_are_sorted_by_calls_and_add_up_to_the_total():
    stats = summarise([call(model="a"), call(model="b"), call(model="b")], by=["model"])
    assert [(row.key, row.calls) for row in stats.rows] == [(("b",), 2), (("a",), 1)]
    assert stats.total.calls == 3


def test_an_unknown_cost_is_not_zero():
    assert summarise([call()]).total.cost_usd is None


def test_only_calls_are_counted():
    kinds = ["llm", "embedding", "moderation", "step", "retrieval", "feedback", "loss_report"]
    assert summarise([call(kind=kind) for kind in kinds]).total.calls == 3


def test_groups_may_lie_deeper_or_be_a_period():
    events = [call(prompt={"version": 2}, tags=["a", "b"]), call(prompt=None)]
    stats = summarise(events, by=["prompt.version", "tags", "day", "hour"])
    assert [row.key for row in stats.rows] == [
        ("", "", "2026-01-31", "2026-01-31T10"),
        ("2", "a,b", "2026-01-31", "2026-01-31T10"),
    ]


def test_periods_are_in_the_order_of_time_and_others_by_their_calls():
    days = [{**call(model=f"of {day}"), "timestamp": f"2026-01-{day}T10:00:00Z"} for day in (31, 30, 30, 29)]
    assert [row.key for row in summarise(days, by=["day"]).rows] == [("2026-01-29",), ("2026-01-30",), ("2026-01-31",)]
    assert [row.key for row in summarise(days, by=["model"]).rows] == [("of 30",), ("of 29",), ("of 31",)]


def test_an_unknown_field_names_the_known_ones():
    with pytest.raises(
        ValueError,
        match="field 'colour' is unknown; expected one of cached_tokens, client_id, cost_usd, day, duration_ms, err",
    ):
        summarise([], by=["colour"])


def test_a_rate_is_by_the_minute_between_first_and_last():
    events = [{**call(), "timestamp": f"2026-01-31T10:{minute:02}:00Z"} for minute in (0, 1, 2, 4)]
    assert summarise(events).total.calls_per_minute == 1.0


def test_times_of_several_zones_are_those_of_one():
    zones = ["2026-01-01T00:30:00+02:00", "2025-12-31T23:00:00-05:00", "2025-12-31T21:00:00"]
    total = summarise([{**call(), "timestamp": one} for one in zones], by=["day"]).total
    assert (total.first, total.last, total.calls_per_minute) == (
        "2025-12-31T21:00:00.000Z",
        "2026-01-01T04:00:00.000Z",
        3 / 420,
    )


def test_a_foreign_timestamp_has_no_rate():
    assert summarise([{**call(), "timestamp": "yesterday"}]).total.calls_per_minute is None


def test_values_that_are_no_numbers_are_left_out():
    total = summarise([call(input_tokens="7", output_tokens=math.nan, latency_ms=True, cost_usd=None)]).total
    assert (total.input_tokens, total.output_tokens, total.latency.count, total.cost_usd) == (None, None, 0, None)
