"""Calls by periods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flywheel_log.loop.series import over_time

START = datetime(2026, 1, 31, 10, 7, tzinfo=UTC)


def calls(*ages: timedelta, **fields: object) -> list[dict[str, object]]:
    return [{"timestamp": (START + age).isoformat(), "kind": "llm", "latency_ms": 5.0, **fields} for age in ages]


def test_rows_are_one_a_period_the_empty_ones_too():
    period, rows = over_time(calls(timedelta(0), timedelta(seconds=30), timedelta(minutes=2)))
    assert (period, [(row.key, row.calls) for row in rows]) == (
        "minute",
        [(("2026-01-31T10:07:00Z",), 2), (("2026-01-31T10:08:00Z",), 0), (("2026-01-31T10:09:00Z",), 1)],
    )


@pytest.mark.parametrize(
    ("span", "period"),
    [
        (timedelta(minutes=47), "minute"),
        (timedelta(minutes=48), "5 minutes"),
        (timedelta(days=1), "hour"),
        (timedelta(days=3), "6 hours"),
        (timedelta(days=40), "day"),
        (timedelta(days=300), "week"),
        (timedelta(days=1000), "4 weeks"),
        (timedelta(days=4000), "16 weeks"),
    ],
)
def test_periods_grow_with_the_log_and_lose_no_call(span: timedelta, period: str):
    events = calls(*(span * share / 100 for share in range(101)), input_tokens=3, cost_usd=0.5, status="error")
    named, rows = over_time(events)
    assert (named, len(rows) <= 48) == (period, True)
    sums = [
        sum(column)
        for column in zip(*((r.calls, r.errors, r.input_tokens, r.cost_usd or 0) for r in rows), strict=True)
    ]
    assert sums == [101, 101, 303, 50.5]
    assert sum(row.latency.count for row in rows) == 101


def test_the_order_of_the_log_does_not_matter():
    events = calls(*(timedelta(hours=7 * step) for step in range(50)))
    forward, backward = over_time(events)[1], over_time(events[::-1])[1]
    assert [(row.key, row.calls) for row in forward] == [(row.key, row.calls) for row in backward]


def test_a_week_begins_on_monday():
    _, rows = over_time(calls(timedelta(0), timedelta(days=300)))
    assert rows[0].key == ("2026-01-26T00:00:00Z",)


def test_what_is_no_call_or_has_no_time_is_left_out():
    events = [*calls(timedelta(0), kind="feedback"), {"timestamp": "yesterday", "kind": "llm"}]
    events.append({"timestamp": "0001-01-01T00:00:00Z", "kind": "llm"})
    assert over_time(events) == ("minute", [])
