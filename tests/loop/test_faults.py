"""What went wrong in a call."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel_log.loop.faults import faults, meaning
from flywheel_log.loop.feedback import Feedback


def finished(reason: str, **message: object) -> dict[str, Any]:
    return {"response": {"choices": [{"message": message, "finish_reason": reason}]}}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (finished("stop", content="Hi"), set()),
        ({"status": "error", "error": {"status_code": 429, "type": "RateLimitError"}}, {"error 429 RateLimitError"}),
        ({"status": "error"}, {"error"}),
        ({"status": "incomplete", "training_unsafe": ["incomplete"]}, {"incomplete"}),
        ({"training_unsafe": ["length", "refusal", "trimmed", 7]}, {"length", "refusal"}),
        ({"training_unsafe": ["no_choices"]}, {"no_answer"}),
        ({"training_unsafe": ["invalid_tool_arguments"]}, {"invalid_tool_arguments"}),
        (finished("length"), {"length"}),
        (finished("content_filter"), {"content_filter"}),
        (finished("stop", refusal="no"), {"refusal"}),
        (finished("max_tokens"), {"length"}),
        (finished("tool_calls", tool_calls=[{"function": {"arguments": "{"}}]), {"invalid_tool_arguments"}),
        ({"response": {"choices": [{"text": "Once", "finish_reason": "length"}]}}, {"length"}),
        ({"retries": 2}, {"retried"}),
        ({"retries": 0}, set()),
        ({"hallucination_flag": True}, {"hallucination"}),
        ({"response": {"choices": [None, {"message": None, "finish_reason": []}]}}, set()),
    ],
)
def test_a_fault_has_a_name(fields: dict[str, Any], names: set[str]):
    assert faults({"timestamp": "t", "kind": "llm", **fields}, Feedback()) == names


def test_people_find_faults_too():
    assert faults({"kind": "llm"}, Feedback("bad", label="off_topic", hallucination=True)) == {
        "rated_bad off_topic",
        "hallucination",
    }
    assert faults({"kind": "llm", "hallucination_flag": True}, Feedback(hallucination=False)) == set()


def test_a_name_has_a_meaning():
    assert [meaning(name) for name in ("error 429 RateLimitError", "rated_bad off_topic")] == [
        "the call failed",
        "somebody rated the answer bad",
    ]
