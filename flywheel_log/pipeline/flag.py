"""Flag what has to do with safety: refusals, content filters, and the verdicts of moderation calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..event import JSON
from ..projection.chat import objects

_FILTER = "content_filter"
_REFUSAL = "refusal"


def flag(event: Mapping[str, Any]) -> JSON:
    """Return the `safety` of *event*: what it says itself over what it has; nothing where it says nothing.

    That is `refused`, `filtered` (what: "prompt" or "answer") with the filter's `categories` where the service names
    them, and the `moderation` of a moderation call.
    """
    marks = event.get("training_unsafe")
    if marks is None and event.get("kind") != "moderation":
        return {}
    found = _found(event, marks or [])
    return {"safety": found | (event.get("safety") or {})} if found else {}


def verdict(response: JSON) -> JSON:
    """Read a moderation's *response*: `flagged`, the `categories` that are, and the highest `scores` of these."""
    results = [*objects(response.get("results"))]
    hits = sorted({name for one in results for name, hit in (one.get("categories") or {}).items() if hit})
    scores = {name: max((one.get("category_scores") or {}).get(name) or 0.0 for one in results) for name in hits}
    found = {
        "flagged": any(one.get("flagged") for one in results),
        "categories": hits,
        "scores": scores,
        "model": response.get("model"),
    }
    return {key: value for key, value in found.items() if value not in ({}, None)}


def _found(event: Mapping[str, Any], marks: list[str]) -> JSON:
    response: Any = event.get("response")
    found: JSON = {}
    if _REFUSAL in marks:
        found["refused"] = True
    if _FILTER in marks:
        found["filtered"] = "answer"
    elif (event.get("error") or {}).get("code") == _FILTER:
        found["filtered"] = "prompt"
    if "filtered" in found and (categories := sorted(_categories(response))):
        found["categories"] = categories
    if event.get("kind") == "moderation" and isinstance(response, dict) and "results" in response:
        found["moderation"] = verdict(response)
    return found


def _categories(value: Any) -> set[str]:
    """The names of what Azure's filters took out, wherever its answer says so: `{"hate": {"filtered": true, …}}`."""
    if isinstance(value, list):
        return {name for one in value for name in _categories(one)}
    if not isinstance(value, dict):
        return set()
    own = {key for key, one in value.items() if isinstance(one, dict) and one.get("filtered") is True}
    return own | {name for one in cast(JSON, value).values() for name in _categories(one)}
