"""POST /moderations: everything is harmless but a text with the words `flag me` in it."""

from __future__ import annotations

from flywheel_log.standin.answers import identifier, text_of
from flywheel_log.standin.wire import JSON, Received, Reply

METHOD = "POST"
PATH = "/moderations"
REQUIRED = ("input",)

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def answer(body: JSON, received: Received) -> Reply:
    """Judge every input by itself; a flagged one is `harassment`."""
    given = body["input"]
    inputs = given if isinstance(given, list) else [given]
    results = [_result("flag me" in (one if isinstance(one, str) else text_of([one]))) for one in inputs]
    model = body.get("model", "omni-moderation-latest")
    return Reply.json({"id": identifier("modr-", received), "model": model, "results": results})


def _result(flagged: bool) -> JSON:  # noqa: FBT001  a verdict is a boolean
    hits = {name: flagged and name == "harassment" for name in _CATEGORIES}
    return {
        "flagged": flagged,
        "categories": hits,
        "category_scores": {name: 0.9 if hit else 0.001 for name, hit in hits.items()},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
