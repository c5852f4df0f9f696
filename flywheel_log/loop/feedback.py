"""What people said about answers: feedback events, joined to the calls that they are about."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
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


_NOTHING = Feedback()


class Remarks:
    """Feedback events by what they name."""

    def __init__(self) -> None:
        self._by_target: dict[str, list[tuple[int, Event]]] = defaultdict(list)
        self._count = 0

    def add(self, event: Event) -> bool:
        """Keep *event* if it is feedback on something; whether it is. They come in the order of the log."""
        target = target_of(event) if event.get("kind") == "feedback" else None
        if target:
            self._by_target[target].append((self._count, event))
            self._count += 1
        return bool(target)

    def on(self, names: Iterable[str]) -> list[Event]:
        """Return those that name one of *names*, in the order of the log."""
        placed = (one for name in {*names} for one in self._by_target.get(name, ()))
        return [event for _, event in sorted(placed, key=itemgetter(0))]

    def __contains__(self, name: str) -> bool:
        return name in self._by_target

    def __len__(self) -> int:
        return len(self._by_target)


class Feedbacks:
    """The feedback on the calls of a log, by what it names: a call's id, its response's id, its span or its trace.

    A rating without a scale is one of stars, 1 to 5, where any of its name in the log is above 1; else of 0 to 1.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self._remarks = Remarks()
        self._stars: set[str] = set()
        self._known: dict[tuple[str, ...], Feedback] = {}
        for event in events:
            if self._remarks.add(event):
                self._stars.update(_stars(event))

    def on(self, event: Event) -> Feedback:
        """Return what was said about *event*; an empty `Feedback` if nothing was.

        What names the call itself, by either of its ids, counts more than what it bears, and that more than what names
        its span or its trace; of what is alike the latest counts.
        """
        if event.get("kind") == "feedback":
            return Feedback()
        names = [name for name in names_of(event) if name in self._remarks] if self._remarks else []
        if not names:
            return opinion(event, self._stars)
        ids = {event.get("id"), response_id_of(event)}
        wide = [self._named(name) for name in reversed(names) if name not in ids]
        return reduce(
            _joined, [*wide, opinion(event, self._stars), self._named(*(name for name in names if name in ids))]
        )

    def _named(self, *names: str) -> Feedback:
        """What names one of *names* says together; worked out once, for a trace or a careless server has many calls."""
        if (known := self._known.get(names)) is None:
            said = (opinion(one, self._stars) for one in self._remarks.on(names))
            known = self._known[names] = reduce(_joined, said, _NOTHING)
        return known

    def __contains__(self, name: str) -> bool:
        return name in self._remarks

    def __len__(self) -> int:
        return len(self._remarks)


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


def opinion(event: Event, stars: Collection[str] = ()) -> Feedback:
    """Return what *event*, a feedback event or a call with a `quality` of its own, says about an answer.

    The ratings whose names are among *stars* are of 1 to 5 where they say nothing else.
    """
    if event.get("kind") != "feedback" and not event.get("quality") and event.get("hallucination_flag") is None:
        return _NOTHING  # as of nearly all calls, so this is worth a look
    said = _said(event)
    name = _rated(said)
    rating = said.get(name)
    score = _score(rating)
    verdict = _word(said.get("thumbs")) or _word(rating) or _graded(score, said.get("scale"), stars=name in stars)
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


def _rated(said: Mapping[str, Any]) -> str:
    return next((key for key in _RATINGS if said.get(key) is not None), "")


def _stars(event: Event) -> Iterator[str]:
    """The name of the rating in *event* if it cannot be a share, and its scale is not said."""
    said = _said(event)
    score = _score(said.get(name := _rated(said)))
    if score is not None and score > 1 and _scale(said.get("scale")) is None:
        yield name


def _graded(score: float | None, scale: object, *, stars: bool) -> Verdict | None:
    if score is None:
        return None
    # Shares are 0 to 1, with a -1 for thumbs down.
    low, high = _scale(scale) or ((1.0, 5.0) if stars or score > 1 else (0.0, 1.0))
    above = score - (low + high) / 2
    return "good" if (above > 0 if low < high else above < 0) else "bad"


def _scale(scale: object) -> tuple[float, float] | None:
    if isinstance(scale, list) and len(scale) == 2 and all(isinstance(end, (int, float)) for end in scale):  # noqa: PLR2004
        return float(scale[0]), float(scale[1])
    return None
