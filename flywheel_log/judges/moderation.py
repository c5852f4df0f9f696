"""Ask OpenAI's moderation service about an answer, and read what it says, also when the program asked it itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..event import JSON, Event, to_flat

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


def verdict(response: JSON) -> JSON:
    """Read a moderation's *response*: `flagged`, the `categories` that are, and the highest `scores` of these."""
    results = [one for one in response.get("results") or () if isinstance(one, dict)]
    hits = sorted({name for one in results for name, hit in (one.get("categories") or {}).items() if hit})
    scores = {name: max((one.get("category_scores") or {}).get(name) or 0.0 for one in results) for name in hits}
    found = {
        "flagged": any(one.get("flagged") for one in results),
        "categories": hits,
        "scores": scores,
        "model": response.get("model"),
    }
    return {key: value for key, value in found.items() if value not in ({}, None)}


@cache
def _client() -> OpenAI:
    import openai

    return openai.OpenAI()
