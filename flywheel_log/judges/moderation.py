"""Ask OpenAI's moderation service about an answer, and file what it says as the answer's safety."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..event import Event, to_flat
from ..pipeline.flag import verdict

if TYPE_CHECKING:
    from openai import OpenAI

MODEL = "omni-moderation-latest"


def judge(event: Event) -> Mapping[str, Any] | None:
    """Return the `safety` of an answer: whether it is flagged, and for what. The service costs nothing but time."""
    text = to_flat(event)["response"]
    if not text:
        return None
    answer = _client().moderations.create(model=MODEL, input=text)
    return {"safety": {"moderation": verdict(answer.model_dump(mode="json")), "of": "answer"}}


@cache
def _client() -> OpenAI:
    import openai

    return openai.OpenAI()
