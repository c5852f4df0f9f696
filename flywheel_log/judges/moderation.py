"""Ask OpenAI's moderation service about an answer, and record its verdict as the answer's safety."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..event import Event, to_flat
from ..pipeline.flag import verdict

MODEL = "omni-moderation-latest"


def judge(event: Event) -> Mapping[str, Any] | None:
    """Return the `safety` of an answer: whether it is flagged, and for what. The service costs nothing but time."""
    import openai

    text = to_flat(event)["response"]
    if not text:
        return None
    with openai.OpenAI() as client:
        answer = client.moderations.create(model=MODEL, input=text)
    return {"safety": {"moderation": verdict(answer.model_dump(mode="json")), "of": "answer"}}
