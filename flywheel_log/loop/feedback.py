"""What people said about answers: feedback events, joined to the calls that they are about."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import itemgetter
from typing import Any, Literal

from flywheel_log.event import Event

Verdict = Literal["good", "bad"]

_RATINGS = ("rating", "score", "value")
_WORDS: dict[str, Verdict] = {
    **dict.fromkeys(("good", "up", "positive", "like", "thumbs_up", "yes", "correct", "👍"), "good"),
    **dict.fromkeys(("bad", "down", "negative", "dislike", "thumbs_down", "no", "wrong", "incorrect", "👎"), "bad"),
}


@dataclass(frozen=True)
class Feedback:
    """What was said about one call; of several opinions the latest of each sort counts.

    Attributes:
        verdict: whether the answer was good or bad; None if nobody said so.
        score: the rating, as a number, where there is one; below the middle of its scale is bad.
        correction: what the answer should have been: a text or an assistant's message; None if nobody corrected it.
        hallucination: whether the answer claims what is not so; None if nobody said.
        label: the word it was filed under; empty if it was not.
    """

    verdict: Verdict | None = None
    score: float | None = None
    correction: Any = None
    hallucination: bool | None = None
    label: str = ""


class Feedbacks:
    """The feedback on the calls of a log, by what it names: a call's id, its response's id, its span or its trace."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._by_target: dict[str, list[tuple[int, Feedback]]] = defaultdict(list)
        for at, event in enumerate(events):
            if event.get("kind") == "feedback" and (target := target_of(event)):
                self._by_target[target].append((at, opinion(event)))

    def on(self, event: Event) -> Feedback:
        """Return what was said about *event*, by whichever of its names; an empty `Feedback` if nothing was.

        Judges call it by its id, people by that of the response they saw. What was said about its trace counts where
        nothing was said about the call.
        """
        if event.get("kind") == "feedback":
            return Feedback()
        wide, names = event.get("trace_id"), dict.fromkeys(names_of(event))
        said = [(name != wide, at, one) for name in names for at, one in self._by_target.get(name, ())]
        opinions = [one for *_, one in sorted(said, key=itemgetter(0, 1))]
        return reduce(_joined, [*opinions, opinion(event)], Feedback())

    def __contains__(self, name: str) -> bool:
        return name in self._by_target

    def __len__(self) -> int:
        return len(self._by_target)


def names_of(event: Event) -> list[str]:
    """Return what feedback may call *event*, most specific first: its id, its response's, its span's, its trace's."""
    names = (event.get("id"), response_id_of(event), event.get("span_id"), event.get("trace_id"))
    return [name for name in names if isinstance(name, str)]


def response_id_of(event: Event) -> str | None:
    """Return the id that the service gave its answer, in the words of its API; None where it gave none."""
    response = event.get("response")
    found = (response.get("id") or response.get("responseId")) if isinstance(response, dict) else None
    return found if isinstance(found, str) else None


def target_of(event: Event) -> str | None:
    """Return the name of the call that the feedback *event* is about; None if it names none."""
    target = _said(event).get("target")
    if isinstance(target, dict):
        target = next((target[key] for key in ("id", "response_id", "span_id", "trace_id") if target.get(key)), None)
    return target if isinstance(target, str) else None


def opinion(event: Event) -> Feedback:
    """Return what *event*, a feedback event or a call with a `quality` of its own, says about an answer."""
    said = _said(event)
    rating = next((said[key] for key in _RATINGS if said.get(key) is not None), None)
    score = _score(rating)
    verdict = _word(said.get("thumbs")) or _word(rating) or _graded(score, said.get("scale"))
    flag = event.get("hallucination_flag")
    label = said.get("label")
    return Feedback(
        verdict,
        score,
        said.get("correction"),
        flag if isinstance(flag, bool) else None,
        label if isinstance(label, str) else "",
    )


def _joined(older: Feedback, newer: Feedback) -> Feedback:
    known = {name: value for name, value in vars(newer).items() if value not in (None, "")}
    return replace(older, **known)


def _said(event: Event) -> dict[str, Any]:
    quality = event.get("quality") or {}
    return {**quality, **event} if event.get("kind") == "feedback" else dict(quality)


def _score(rating: object) -> float | None:
    if isinstance(rating, bool):
        return float(rating)
    return float(rating) if isinstance(rating, (int, float)) and math.isfinite(rating) else None


def _word(rating: object) -> Verdict | None:
    return _WORDS.get(rating.strip().casefold()) if isinstance(rating, str) else None


def _graded(score: float | None, scale: object) -> Verdict | None:
    if score is None:
        return None
    return "good" if score > _middle(score, scale) else "bad"


def _middle(score: float, scale: object) -> float:
    """Without a named scale, shares are 0 to 1 (and a -1 for thumbs down), and larger numbers stars from 1 to 5."""
    if isinstance(scale, list) and len(scale) == 2 and all(isinstance(end, (int, float)) for end in scale):  # noqa: PLR2004
        return float(sum(scale)) / 2
    return 0.5 if score <= 1 else 3.0
