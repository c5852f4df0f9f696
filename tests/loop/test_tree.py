"""Traces as trees."""

from __future__ import annotations

from typing import Any, cast

from flywheel_log.event import Event
from flywheel_log.loop.tree import Branch, tree


def event(second: int, span: str, parent: str | None = None, **fields: Any) -> Event:
    place = {"span_id": span} | ({"parent_id": parent} if parent else {})
    return cast(Event, {"timestamp": f"2026-01-31T10:00:{second:02}.000Z", "kind": "step"} | place | fields)


def shape(branches: list[Branch]) -> Any:
    return [(branch.event.get("span_id"), shape(branch.inside)) for branch in branches]


def test_events_stand_inside_their_parents_in_the_order_they_began() -> None:
    events = [event(3, "c", "a"), event(2, "b", "a"), event(4, "d", "b"), event(1, "a")]
    assert shape(tree(events)) == [("a", [("b", [("d", [])]), ("c", [])])]


def test_an_event_whose_parent_is_elsewhere_is_outermost() -> None:
    assert shape(tree([event(1, "a", "elsewhere"), event(2, "b", "a")])) == [("a", [("b", [])])]


def test_feedback_stands_under_its_call() -> None:
    call = event(1, "a", id="run-1", response={"id": "chatcmpl-1"})
    said = [event(2, "b", target="run-1"), event(3, "c", target="chatcmpl-1")]
    assert shape(tree([call, *said])) == [("a", [("b", []), ("c", [])])]


def test_circles_do_no_harm() -> None:
    assert shape(tree([event(1, "a", "b"), event(2, "b", "a"), event(3, "c", "c")])) == [
        ("b", [("a", [])]),
        ("c", []),
    ]


def test_a_trace_may_be_deeper_than_pythons_stack() -> None:
    """A task that starts the next one starts it inside its own step, and so on."""
    chain = [event(0, "0"), *(event(0, str(number), str(number - 1)) for number in range(1, 2000))]
    (outermost,) = tree(chain)
    assert [one.event.get("span_id") for one in outermost.walk()] == [str(number) for number in range(2000)]
    (outermost,) = tree(reversed(chain))
    assert len(outermost.walk()) == 2000
