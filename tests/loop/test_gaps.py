"""What is missing: holes in the numbers of a process, and from when on they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flywheel_log.event import Event
from flywheel_log.loop.gaps import Census, Gap, forgotten

SINCE = datetime(2026, 1, 31, tzinfo=UTC)


def event(run: str, number: int, day: int = 31) -> Event:
    return {"id": f"{run}-{number}", "timestamp": f"2026-01-{day}T10:00:00.000Z", "kind": "llm"}


def report(**fields: Any) -> Any:
    return {"kind": "loss_report", "timestamp": "2026-01-31T12:00:00.000Z"} | fields


def test_what_a_log_has_lost_to_retention_is_not_missing_since_then():
    kept = [event("old", 3, 29), event("old", 7, 29)]
    across = [event("across", 5, 30), event("across", 9), event("across", 11, 30), event("across", 12)]
    new = [event("new", 2), event("new", 4)]
    events = [*kept, *across, *new]
    assert list(Census.of(events, SINCE).gaps()) == [Gap("across", 10, 10), Gap("new", 3, 3)]
    assert len(list(Census.of(events).gaps())) == 7


def test_each_unbroken_row_of_forgotten_ids_is_told_and_nothing_between_them():
    identities = ["b-1", "a-9", "a-10", "a-2", "a-11", "None", "foreign", "a-2"]
    told = forgotten(identities, 0.0)
    begin = b'{"kind":"loss_report","timestamp":"1970-01-01T00:00:00.000Z","reason":"forgotten","count":'
    assert told == [
        begin + b'1,"first":"a-2","last":"a-2"}',
        begin + b'3,"first":"a-9","last":"a-11"}',
        begin + b'1,"first":"b-1","last":"b-1"}',
    ]


def test_what_was_forgotten_is_no_gap_and_what_was_dropped_is_one_with_a_reason():
    reports = [
        report(reason="forgotten", count=2, first="a-2", last="a-3"),
        report(reason="forgotten", count=1, first="a-3", last="a-3"),  # And again, in the place of the record.
        report(reason="journal_full", count=1, first="a-4", last="a-4"),
        report(reason="forgotten", first="?", last="a-1"),
    ]
    census = Census.of([event("a", 1), *reports, event("a", 6)])
    assert list(census.gaps()) == [Gap("a", 4, 5)]
    assert census.forgotten == 2
