"""Calls with what was learnt about them later: feedback, verdicts of judges, moderations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from flywheel_log.event import JSON, Event, to_flat

from .feedback import Remarks, response_id_of

SAYING = ("feedback", "moderation")
"""The kinds of events that say something about others."""

JOINED = ("quality", "safety", "hallucination_flag")
"""The fields of a call that such events say something about."""

_OPINION = ("id", "timestamp", "name", "user_id", "hallucination_flag")


class Annotations:
    """What the events of a log say about its calls, by what they name: an event's id, or its response's."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._feedback = Remarks()
        self._moderations: dict[str, JSON] = {}
        for event in events:
            if not self._feedback.add(event) and event.get("kind") == "moderation":
                self._add_moderation(event)

    def _add_moderation(self, event: Event) -> None:
        text = to_flat(event)["prompt"]
        verdict = (event.get("safety") or {}).get("moderation")
        if text and verdict:
            self._moderations[text] = verdict

    def on(self, event: Event) -> Event:
        """Return *event* with what was said about it; itself where nothing was.

        In `quality` and `safety` the latest word on each key counts; all feedback is kept in `quality.feedback`, in the
        order of the log. A `hallucination_flag` is the latest. A moderation call about exactly the text of the answer,
        or of the question, is its `safety`.
        """
        if event.get("kind") == "feedback":
            return event
        found = self._said(event)
        if event.get("kind") == "llm" and self._moderations:
            found["safety"] = {**self._moderated(event), **found.get("safety", {})}
        known = {key: value for key, value in found.items() if value not in (None, {})}
        if not known:
            return event
        merged = {key: {**(cast(JSON, event).get(key) or {}), **known[key]} for key in _OBJECTS if key in known}
        return cast(Event, {**event, **known, **merged})

    def _said(self, event: Event) -> JSON:
        names = (event.get("id"), response_id_of(event))
        said = self._feedback.on(name for name in names if isinstance(name, str))
        found: JSON = {"quality": {}, "safety": {}}
        for one in said:
            for key in _OBJECTS:
                found[key] |= cast(JSON, one).get(key) or {}
            found["hallucination_flag"] = one.get("hallucination_flag", found.get("hallucination_flag"))
        if said:
            found["quality"]["feedback"] = [_opinion(one) for one in said]
        return found

    def _moderated(self, event: Event) -> JSON:
        flat = to_flat(event)
        for of, text in (("answer", flat["response"]), ("question", flat["prompt"])):
            if text in self._moderations:
                return {"moderation": self._moderations[text], "of": of}
        return {}


_OBJECTS = ("quality", "safety")


def _opinion(event: Event) -> JSON:
    fields = cast(JSON, event)
    return {**(fields.get("quality") or {}), **{key: fields[key] for key in _OPINION if key in fields}}
