"""`content="off"`: what counts and names is left, and nothing that was said."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from flywheel_log.event import Event, Wire
from flywheel_log.pipeline.redact import Redactor
from flywheel_log.pipeline.withhold import bare, withhold

SECRET = "a private matter"


def test_nothing_that_was_said_is_left() -> None:
    event: Any = {
        "kind": "llm",
        "timestamp": "t",
        "status": "error",
        "input_tokens": 3,
        "error": {"type": "APIError", "message": SECRET, "status_code": 400},
        "request": Wire(json.dumps({"model": "m", "temperature": 1, "messages": [SECRET], "tools": [SECRET]}).encode()),
        "response": {
            "id": "r",
            "usage": {"total_tokens": 3},
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": SECRET}}],
        },
        "retrieval_docs": [{"text": SECRET}],
        "prompt": {"variables": {"a": SECRET}},
    }
    kept = withhold(None, "", event)
    assert SECRET not in str(kept)
    assert (kept["request"], kept["error"], kept["input_tokens"]) == (
        {"model": "m", "temperature": 1},
        {"type": "APIError", "status_code": 400},
        3,
    )
    assert kept["response"] == {
        "id": "r",
        "usage": {"total_tokens": 3},
        "choices": [{"index": 0, "finish_reason": "stop"}],
    }


def test_the_answers_of_other_apis_keep_how_they_ended() -> None:
    said = [{"type": "text", "text": SECRET}]
    claude = {"id": "m", "type": "message", "role": "assistant", "content": said, "stop_reason": "end_turn"}
    candidate = {"index": 0, "finishReason": "STOP", "content": {"parts": said}}
    gemini = {"responseId": "r", "modelVersion": "g", "usageMetadata": {"totalTokenCount": 3}}
    kept = [
        withhold(None, "", cast(Any, {"kind": "llm", "response": one}))["response"]
        for one in (claude, gemini | {"candidates": [candidate]})
    ]
    assert kept == [
        {"id": "m", "type": "message", "role": "assistant", "stop_reason": "end_turn"},
        {**gemini, "candidates": [{"index": 0, "finishReason": "STOP"}]},
    ]


def test_feedback_keeps_its_numbers_and_the_words_it_is_counted_by() -> None:
    quality = {
        "rating": 0,
        "scale": [0, 5],
        "thumbs": "up",
        "label": "off_topic",
        "comment": SECRET,
        "correction": SECRET,
    }
    quality |= {
        "grounding": {"score": 0.5, "method": "overlap", "why": SECRET},
        "vector": [0.1, 0.2],
        "why": {"it": SECRET},
    }
    safety = {
        "refused": True,
        "filtered": "answer",
        "moderation": {"flagged": False, "scores": {"hate": 0.1}, "said": SECRET},
    }
    kept = withhold(None, "", cast(Any, {"kind": "feedback", "target": "a-1", "quality": quality, "safety": safety}))
    assert kept == {
        "kind": "feedback",
        "target": "a-1",
        "quality": {
            "rating": 0,
            "scale": [0, 5],
            "thumbs": "up",
            "label": "off_topic",
            "grounding": {"score": 0.5, "method": "overlap"},
        },
        "safety": {"refused": True, "moderation": {"flagged": False, "scores": {"hate": 0.1}}},
    }


@pytest.mark.parametrize("odd", [SECRET, [SECRET], {"variables": {"a": SECRET}}, {"comment": SECRET}, None])
def test_what_holds_no_number_and_no_name_is_left_out(odd: Any) -> None:
    event = cast(Any, {"kind": "feedback", "prompt": odd, "quality": odd, "safety": odd})
    assert withhold(None, "", event) == {"kind": "feedback"}


def test_a_prompt_keeps_its_name_and_version() -> None:
    prompt = {"name": "greet", "version": "2", "template_hash": "0123456789abcdef", "variables": {"who": SECRET}}
    kept = withhold(None, "", cast(Any, {"kind": "llm", "prompt": prompt}))
    assert kept["prompt"] == {"name": "greet", "version": "2", "template_hash": "0123456789abcdef"}


class Failing(Redactor):
    def event(self, event: Event) -> Event | None:
        raise RuntimeError(str(event))


def test_where_names_cannot_be_cleaned_those_of_the_settings_are_told() -> None:
    event: Any = {"kind": "llm", "workload_id": SECRET, "client_id": SECRET, "input_tokens": 3, "tags": [SECRET]}
    assert bare(event, Failing(["secrets"]), {"workload_id": "chat", "client_id": "app"}) == {
        "kind": "llm",
        "workload_id": "chat",
        "client_id": "app",
        "input_tokens": 3,
        "training_unsafe": ["unredacted"],
    }
