"""Which events a filter lets through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.filter import Filter, when

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def call(name: str, **fields: object) -> dict[str, object]:
    return {"id": name, "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm", **fields}


def ids(chosen: Filter, *events: object, feedbacks: Feedbacks | None = None) -> list[str]:
    return [event["id"] for event in chosen.select(events, feedbacks)]


def test_nothing_asked_is_everything():
    assert (ids(Filter(), call("a"), call("b")), bool(Filter()), Filter().described()) == (["a", "b"], False, {})


def test_since_is_within_and_until_is_not():
    at = [call(name, timestamp=f"2026-01-31T1{name}:00:00.000Z") for name in "0123"]
    chosen = Filter(since=datetime(2026, 1, 31, 11, tzinfo=UTC), until=datetime(2026, 1, 31, 13, tzinfo=UTC))
    assert ids(chosen, *at) == ["1", "2"]


def test_times_are_compared_whatever_their_zones():
    chosen = Filter(since=datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))))
    events = [call("a", timestamp="2026-01-31T10:00:00"), call("b", timestamp="2026-01-31T11:00:00+02:00")]
    assert ids(chosen, *events, call("c", timestamp="yesterday")) == ["a"]


def test_a_field_is_one_of_several_values():
    events = [call("a", model="x"), call("b", model="y"), call("c", model="z"), call("d")]
    assert ids(Filter(where={"model": ("x", "y")}), *events) == ["a", "b"]
    assert ids(Filter(where={"model": ("",)}), *events) == ["d"]


def test_all_fields_must_match():
    events = [call("a", model="x", prompt={"version": 2}), call("b", model="x"), call("c", prompt={"version": 2})]
    assert ids(Filter(where={"model": ("x",), "prompt.version": ("2",)}), *events) == ["a"]


def test_stars_match_anything_and_brackets_themselves():
    events = [call("a", model="gpt-4.1"), call("b", model="gpt-4.1-mini"), call("c", model="[x]")]
    assert ids(Filter(where={"model": ("gpt-*",)}), *events) == ["a", "b"]
    assert ids(Filter(where={"model": ("[x?",)}), *events) == ["c"]


def test_text_is_searched_in_prompts_answers_tool_calls_and_errors():
    asked = {"messages": [{"role": "user", "content": "Where is my ORDER?"}]}
    tool = {"type": "function", "function": {"name": "order_state", "arguments": "{}"}}
    events = [
        call("asked", request=asked),
        call("answered", response={"choices": [{"message": {"content": "Your order is late"}}]}),
        call("called", response={"choices": [{"message": {"tool_calls": [tool]}}]}),
        call("failed", error={"message": "no such order"}),
        call("other", model="order"),
    ]
    assert ids(Filter(text=r"\border"), *events) == ["asked", "answered", "called", "failed"]


def test_feedback_is_that_on_the_call():
    said = [
        {"timestamp": "t", "kind": "feedback", "target": "a", "score": 1},
        {"timestamp": "t", "kind": "feedback", "target": "b", "score": 0},
    ]
    events, known = [call("a"), call("b"), call("c")], Feedbacks(said)
    found = {name: ids(Filter(feedback=name), *events, feedbacks=known) for name in ("good", "bad", "any", "none")}
    assert found == {"good": ["a"], "bad": ["b"], "any": ["a", "b"], "none": ["c"]}


def test_a_filter_describes_itself():
    chosen = Filter(since=NOW, where={"model": ("x",)}, text="late", feedback="good")
    assert chosen.described() == {
        "since": "2026-01-31T12:00:00+00:00",
        "where": {"model": ["x"]},
        "text": "late",
        "feedback": "good",
    }


def test_mistakes_are_found_where_they_are_made():
    with pytest.raises(ValueError, match=r"'\(' is not a regular expression: missing \)"):
        Filter(text="(")
    with pytest.raises(ValueError, match=r"field 'modle' is unknown; did you mean model\?"):
        Filter(where={"modle": ("x",)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("3d", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(days=7)),
        ("2026-01-31T10:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T10:00+02:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_a_time_is_an_age_or_iso_8601(text: str, expected: datetime):
    assert when(text, NOW) == expected


def test_any_other_time_is_a_mistake():
    with pytest.raises(ValueError, match="time 'tomorrow' is invalid; expected for example 90s, 15m"):
        when("tomorrow", NOW)


@pytest.mark.parametrize(
    "chosen", [Filter(), Filter(NOW, where={"model": ("a*", "b")}, feedback="bad"), Filter(until=NOW, text="why")]
)
def test_what_describes_a_filter_makes_it_again(chosen: Filter):
    assert Filter.of(chosen.described()) == chosen
