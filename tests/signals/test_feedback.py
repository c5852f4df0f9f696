"""`log_feedback`: what it is about, what it says, and that a later process can say it."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

import flywheel_log
from flywheel_log import log_feedback
from flywheel_log.event import Event
from flywheel_log.loop.reading.read import read

LATER = """
import sys, flywheel_log
flywheel_log.log_feedback(sys.argv[1], thumbs="down", correction="On the Danube.")
flywheel_log.flush(60)
"""


def test_feedback_is_an_event_that_names_the_call(events: list[Event]) -> None:
    log_feedback(
        "run-1",
        rating=4,
        scale=(1, 5),
        thumbs="up",
        label="ok",
        correction="better",
        comment="why",
        hallucination=False,
        user_id="u1",
    )
    (event,) = events
    assert {key: value for key, value in event.items() if key != "timestamp"} == {
        "id": "test-1",
        "client_id": "acme",
        "workload_id": "tests",
        "kind": "feedback",
        "quality": {
            "rating": 4,
            "scale": [1, 5],
            "thumbs": "up",
            "label": "ok",
            "correction": "better",
            "comment": "why",
        },
        "hallucination_flag": False,
        "user_id": "u1",
        "target": "run-1",
    }


@pytest.mark.parametrize(
    "target",
    [
        "chatcmpl-1",
        {"id": "chatcmpl-1"},
        SimpleNamespace(id="chatcmpl-1"),
        SimpleNamespace(id="lc_run--1", response_metadata={"id": "chatcmpl-1"}),
        SimpleNamespace(id="chatcmpl-1", response_metadata={}),
        SimpleNamespace(response_id="chatcmpl-1"),
        SimpleNamespace(provider_response_id="chatcmpl-1"),
    ],
    ids=["a text", "a dictionary", "OpenAI's", "LangChain's", "LangChain's stream", "Google's", "pydantic-ai's"],
)
def test_a_call_is_named_by_an_id_or_by_what_has_one(events: list[Event], target: Any) -> None:
    log_feedback(target, thumbs="up")
    assert events[0]["target"] == "chatcmpl-1"


def test_the_sdks_response_will_do(events: list[Event], ask: Callable[..., Any]) -> None:
    answer = ask()
    log_feedback(answer, thumbs="up")
    assert events[1]["target"] == answer.id


@pytest.mark.parametrize("target", [None, 7, "", SimpleNamespace(), "It rains in Ulm."])
def test_what_has_no_id_is_refused(target: Any) -> None:
    with pytest.raises(TypeError, match="feedback is about an id or an object that has one; got "):
        log_feedback(target, thumbs="up")


def test_feedback_that_says_nothing_is_refused() -> None:
    with pytest.raises(
        TypeError, match="says at least one of rating, thumbs, label, correction, comment, hallucination"
    ):
        log_feedback("run-1")


def test_a_field_of_another_name_is_told_before_that_nothing_is_said() -> None:
    with pytest.raises(TypeError, match=r"^score is not a field of an event; "):
        log_feedback("run-1", score=5)


@pytest.mark.parametrize("said", ["yes", "no", 2])
def test_a_hallucination_is_true_or_false(said: Any) -> None:
    with pytest.raises(ValueError, match=f"^hallucination is True or False; got {said!r}$"):
        log_feedback("run-1", hallucination=said)


@pytest.mark.parametrize(
    ("rating", "scale", "message"),
    [
        (1, (5,), r"scale is the worst and the best rating, such as \(1, 5\); got \(5,\)"),
        (1, 5, r"scale is the worst and the best rating, such as \(1, 5\); got 5"),
        (1, (1, 1), "scale is the worst and the best rating"),
        (1, (math.nan, 5), "each end of scale is a number; got nan"),
        (1, ("bad", "good"), "each end of scale is a number; got 'bad'"),
        (6, (1, 5), "rating is between 1 and 5, the ends of its scale; got 6"),
        (None, (1, 5), "rating is between 1 and 5, the ends of its scale; got None"),
    ],
)
def test_a_rating_is_on_its_scale(rating: float | None, scale: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        log_feedback("run-1", rating=rating, scale=scale, thumbs="up")


@pytest.mark.parametrize("rating", [Decimal("3.5"), "3.5", Fraction(7, 2)])
def test_a_rating_is_written_as_a_number(events: list[Event], rating: Any) -> None:
    log_feedback("run-1", rating=rating)
    log_feedback("run-1", rating=rating, scale=(Decimal(1), "5.0"))  # type: ignore[arg-type]
    assert [event["quality"] for event in events] == [{"rating": 3.5}, {"rating": 3.5, "scale": [1.0, 5.0]}]


@pytest.mark.parametrize("rating", ["good", math.nan, [5]])
def test_a_rating_that_is_no_number_is_refused(rating: Any) -> None:
    with pytest.raises(ValueError, match=f"^rating is a number; got {re.escape(repr(rating))}$"):
        log_feedback("run-1", rating=rating)


def test_thumbs_are_up_or_down() -> None:
    with pytest.raises(ValueError, match="thumbs is 'up' or 'down'; got 'sideways'"):
        log_feedback("run-1", thumbs="sideways")  # type: ignore[arg-type]


def test_feedback_from_another_process_joins_the_call() -> None:
    @flywheel_log.logged_llm(workload_id="geography")
    def answer(question: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": "On the Rhine."}
        return {"id": "chatcmpl-7", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    answer("Where is Ulm?")
    assert flywheel_log.flush() == 0
    subprocess.run([sys.executable, "-c", LATER, "chatcmpl-7"], check=True, timeout=60)
    call = next(event for event in read(feedback=True) if event["kind"] == "llm")
    assert {key: call["quality"][key] for key in ("thumbs", "correction")} == {
        "thumbs": "down",
        "correction": "On the Danube.",
    }
