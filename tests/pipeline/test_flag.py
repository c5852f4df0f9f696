"""`safety`: refusals, filters, moderations."""

from __future__ import annotations

from typing import Any, cast

import pytest

from flywheel_log.event import JSON, Event
from flywheel_log.pipeline.flag import flag

AZURE = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": True, "severity": "high"}}
INNER = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"jailbreak": {"filtered": True}}}
RESULTS = [
    {"flagged": False, "categories": {"hate": False}, "category_scores": {"hate": 0.1}},
    {"flagged": True, "categories": {"hate": True}, "category_scores": {"hate": 0.8}},
]


def safety_of(**fields: Any) -> Any:
    event = cast(Event, {"timestamp": "t", "kind": "llm", **fields})
    return flag(event).get("safety")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"training_unsafe": ["length"]}, None),
        ({"training_unsafe": ["refusal"]}, {"refused": True}),
        ({"training_unsafe": ["content_filter"], "response": {"choices": []}}, {"filtered": "answer"}),
        (
            {"training_unsafe": ["content_filter"], "response": {"choices": [{"content_filter_results": AZURE}]}},
            {"filtered": "answer", "categories": ["violence"]},
        ),
        (
            {
                "training_unsafe": ["error"],
                "error": {"type": "BadRequestError", "message": "", "code": "content_filter"},
                "response": {"error": {"code": "content_filter", "innererror": INNER}},
            },
            {"filtered": "prompt", "categories": ["jailbreak"]},
        ),
        (
            {"kind": "moderation", "response": {"model": "m", "results": RESULTS}},
            {"moderation": {"flagged": True, "categories": ["hate"], "scores": {"hate": 0.8}, "model": "m"}},
        ),
        ({"kind": "moderation", "response": {"results": []}}, {"moderation": {"flagged": False, "categories": []}}),
        ({"training_unsafe": ["refusal"], "safety": {"mine": 1}}, {"refused": True, "mine": 1}),
    ],
)
def test_what_an_event_says_about_safety_stands_in_one_place(fields: JSON, expected: JSON | None) -> None:
    assert safety_of(**fields) == expected
