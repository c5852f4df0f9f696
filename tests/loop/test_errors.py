"""Calls grouped by what went wrong."""

from __future__ import annotations

from typing import Any

from flywheel_log.loop.errors import Errors, Faulty, Group
from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.statistics.estimate import Share


def call(minute: int, number: int = 0, **fields: Any) -> dict[str, Any]:
    at = f"2026-01-31T10:{minute:02}:{number:02}.000Z"
    return {"id": f"r-{minute}-{number}", "timestamp": at, "kind": "llm", "status": "ok", **fields}


def watched(events: list[Any]) -> tuple[list[str], Errors]:
    faulty = Faulty(Feedbacks(events))
    return [event["id"] for event in faulty.watch(events)], faulty.result()


def test_groups_have_counts_shares_and_the_latest_examples():
    failed = {"status": "error", "error": {"type": "Timeout"}}
    events = [call(0), *(call(minute, **failed) for minute in range(4)), call(3, 1, retries=1), call(3, 2, kind="step")]
    ids, errors = watched(events)
    assert ids == ["r-0-0", "r-1-0", "r-2-0", "r-3-0", "r-3-1"]
    assert errors == Errors(
        share=Share(5, 6),
        period="minute",
        groups=[
            Group("error Timeout", Share(4, 6), [0.5, 1.0, 1.0, 0.5], "steady", ["r-3-0", "r-2-0", "r-1-0"]),
            Group("retried", Share(1, 6), [0.0, 0.0, 0.0, 0.5], "steady", ["r-3-1"]),
        ],
    )


def test_a_fault_that_becomes_more_frequent_rises():
    events = [
        call(minute, number, status="error" if minute > 9 else "ok") for minute in range(20) for number in range(9)
    ]
    back = [
        call(19 - minute, number, status="error" if minute > 9 else "ok") for minute in range(20) for number in range(9)
    ]
    assert [watched(some)[1].groups[0].trend for some in (events, back)] == ["rising", "falling"]


def test_three_sessions_that_fail_are_no_trend():
    def session(number: int) -> list[dict[str, Any]]:
        status = "error" if number in (3, 13, 15, 17) else "ok"
        return [call(number, turn, status=status, session_id=f"s-{number}") for turn in range(9)]

    some = [event for number in range(20) for event in session(number)]
    strangers = [{**event, "session_id": None} for event in some]
    groups = [watched(events)[1].groups[0] for events in (some, strangers)]
    assert [(group.trend, group.share.hits, round(group.share.effective)) for group in groups] == [
        ("steady", 36, 19),
        ("rising", 36, 180),
    ]


def test_feedback_makes_a_group():
    said = {"timestamp": "2026-01-31T11:00:00Z", "kind": "feedback", "target": "r-1-0", "quality": {"thumbs": "down"}}
    (group,) = watched([call(0), call(1), said])[1].groups
    assert (group.name, group.share, group.examples) == ("rated_bad", Share(1, 2), ["r-1-0"])


def test_a_call_far_slower_than_its_like_is_slow():
    usual = [call(minute, number, latency_ms=100.0 + number) for minute in range(10) for number in range(10)]
    others = [call(20, number, latency_ms=9000.0, model="large") for number in range(20)]
    (group,) = watched([*usual, *others, call(30, latency_ms=900.0), call(31, latency_ms=120.0)])[1].groups
    assert (group.name, group.examples) == ("slow", ["r-30-0"])


def test_of_few_calls_none_is_slow():
    assert watched([call(number, latency_ms=10.0**number) for number in range(6)])[1].groups == []


def test_a_log_without_calls_has_no_groups():
    assert watched([]) == ([], Errors(Share(0, 0), "minute", []))
