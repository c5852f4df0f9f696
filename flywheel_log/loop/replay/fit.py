"""Which records can be sent again, and why the others cannot."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from flywheel_log.event import JSON, Event
from flywheel_log.loop.conversation import kept_by_server

from .change import Change, Unfit

REASONS = {
    "surface": "the call did not go through an API that is replayed: chat completions, responses",
    "no_model": "no model is on record; --model names one",
    "no_messages": "there is no request, or some of its messages have no content",
    "trimmed": "something long was cut out of it",
    "redacted": "values were replaced in it; --redacted sends what stands in their place",
    "other_provider": "the call went to another provider; --base-url says where it may go",
    "server_state": "it goes on from something that the server keeps: a response, a conversation or a prompt",
    "other_prompt": "it was not made with the Prompt that --template names",
    "variables": "it has not all of the variables of the template on record",
    "unfilled": "the new prompt has variables that are on record; --template NAME fills them in",
    "twice": "it is in the log more than once",
    "unanswered": "there is no answer, old or new, to be judged",
    "same_answer": "the answers are the same: there is nothing to judge",
    "prompt_not_found": "no message of the role has the logged variables in it; --role names another",
}
"""Why a record is not sent again, by a short name."""

KEYS = {"chat.completions": "messages", "responses": "input"}
"""The surfaces that are replayed, and where their requests have what is said."""


def request_of(
    event: Event, change: Change, *, surfaces: Collection[str] = tuple(KEYS), redacted: bool = False, anywhere: bool
) -> JSON:
    """Return the body to send again for *event*, a call, with *change* made.

    Args:
        event: a call on record; it is left as it is.
        change: what is new.
        surfaces: those that the client speaks.
        redacted: whether to send what redaction left.
        anywhere: whether the user has said where requests go, so that those of other providers may go there, too.

    Raises:
        Unfit: it cannot be sent; the argument is a key of `REASONS`.
    """
    request: Any = event.get("request")
    surface = surface_of(event)
    if surface not in surfaces:
        raise Unfit("surface")
    if not _is_whole(request, KEYS[surface]):
        raise Unfit("no_messages")
    if "trimmed" in event or "trimmed" in (event.get("training_unsafe") or ()):
        raise Unfit("trimmed")
    if not redacted and _is_redacted(event):
        raise Unfit("redacted")
    if not anywhere and event.get("provider", "openai") != "openai":
        raise Unfit("other_provider")
    if kept_by_server(request):
        raise Unfit("server_state")
    body = change.of(event)
    if not isinstance(body.get("model"), str):
        raise Unfit("no_model")
    return body


def surface_of(event: Event) -> str:
    """Return the surface of *event*; for one of another logger, that of the shape of its request."""
    request = event.get("request") or {}
    return event.get("surface") or next((name for name, key in KEYS.items() if key in request), "")


def _is_whole(request: Any, key: str) -> bool:
    given = request.get(key) if isinstance(request, dict) else None
    if isinstance(given, str):
        return key == "input" and bool(given)
    return isinstance(given, list) and bool(given) and all(map(_says_something, given))


def _says_something(item: Any) -> bool:
    """Whether an item of a conversation is all there; those without a role are results, references and thoughts."""
    if not isinstance(item, dict):
        return False
    spoken = ("content", "tool_calls", "function_call", "refusal")
    return "role" not in item or any(item.get(key) is not None for key in spoken)


def _is_redacted(event: Event) -> bool:
    """Whether values were replaced in what was asked; where they were dropped, nobody can tell."""
    kinds = event.get("redactions") or {}
    if not kinds:
        return False
    asked, whole = (json.dumps(value, ensure_ascii=False) for value in (event.get("request"), event))
    marks = [f"[{kind}{end}" for kind in kinds for end in "]:"]
    return any(mark in asked for mark in marks) or not any(mark in whole for mark in marks)
