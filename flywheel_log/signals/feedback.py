"""`log_feedback`: what people, and judges, think of an answer, reported at any later time and from anywhere."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from .. import scope
from ..clock import timestamp
from ..event import JSON, Event
from ..recorder import record
from ..scope.fields import fields_of

_NAMES = ("id", "response_id", "provider_response_id")
"""What the SDKs, Google's and pydantic-ai's call the id of a response."""


def log_feedback(
    target: Any,
    *,
    rating: float | None = None,
    scale: tuple[float, float] | None = None,
    thumbs: Literal["up", "down"] | None = None,
    label: str | None = None,
    correction: str | None = None,
    comment: str | None = None,
    hallucination: bool | None = None,
    user_id: str | None = None,
    **fields: Any,
) -> str | None:
    """Record feedback on one call, later and from any process; readers join it to the call's `quality`.

    Args:
        target: which call: the id of its event, the id of the provider's response, or a response object (an SDK's, or a
            LangChain message).
        rating: a number on your own scale; datasets treat ratings above its middle as good.
        scale: the worst and the best rating, such as (1, 5), or (6, 1); without it, readers take ratings as 0 to 1, or
            as 1 to 5 if they find one above 1.
        thumbs: "up" or "down".
        label: a word to group by, e.g. "off_topic".
        correction: the answer that would have been right; datasets prefer it.
        comment: what the person says.
        hallucination: whether the answer makes false claims; becomes the call's `hallucination_flag`.
        user_id: who gives the feedback.
        **fields: what `context` takes.

    Returns:
        The id of the feedback's own event, or None if it was not recorded.

    Raises:
        TypeError: *target* has no id, the feedback is empty, or a field does not exist.
        ValueError: *rating* is not a number, *thumbs* is neither "up" nor "down", *hallucination* is neither true nor
            false, *scale* is not two numbers, or *rating* is outside it.
    """
    if thumbs not in (None, "up", "down"):
        raise ValueError(f"thumbs is 'up' or 'down'; got {thumbs!r}")
    if hallucination not in (None, True, False):
        raise ValueError(f"hallucination is True or False; got {hallucination!r}")
    own = fields_of(**fields, user_id=user_id)
    rating = None if rating is None else _number("rating", rating)
    said = {"rating": rating, "thumbs": thumbs, "label": label, "correction": correction, "comment": comment}
    quality: JSON = {key: value for key, value in said.items() if value is not None}
    if scale is not None:
        quality["scale"] = _scale(scale, rating)
    if not quality and hallucination is None:
        raise TypeError(f"feedback says at least one of {', '.join(said)}, hallucination; got none")
    if quality:
        own["quality"] = quality
    if hallucination is not None:
        own["hallucination_flag"] = bool(hallucination)
    return None if scope.suppressed() else record(feedback(id_of(target), scope.merge(_who(), own)))


def feedback(target: str, fields: Mapping[str, Any]) -> Event:
    """Return the event that says *fields* about the call *target*."""
    event: JSON = {"timestamp": timestamp(time.time()), "kind": "feedback", **fields, "target": target}
    return cast(Event, event)


def _number(name: str, given: Any) -> float:
    """Return *given* as JSON has numbers: a Decimal of a database, or a text of a form, is none to its readers."""
    try:
        number = given if type(given) is int else float(given)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} is a number; got {given!r}")
    return number


def _scale(scale: tuple[float, float], rating: float | None) -> list[float]:
    ends = [_number("each end of scale", end) for end in (scale if isinstance(scale, Iterable) else ())]
    if len(ends) != 2 or not min(ends) < max(ends):  # noqa: PLR2004  the worst and the best
        raise ValueError(f"scale is the worst and the best rating, such as (1, 5); got {scale!r}")
    if rating is None or not min(ends) <= rating <= max(ends):
        raise ValueError(f"rating is between {min(ends):g} and {max(ends):g}, the ends of its scale; got {rating!r}")
    return ends


def id_of(target: Any) -> str:
    """Return the id that *target* is, or has. Raises TypeError where there is none."""
    if isinstance(target, str) and target:
        if any(map(str.isspace, target)):
            raise TypeError("feedback is about an id or an object that has one; got a text of several words")
        return target
    # A message of LangChain's has an id of LangChain's, beside the service's.
    named = (_part(holder, name) for holder in (_part(target, "response_metadata"), target) for name in _NAMES)
    identity = next((name for name in named if isinstance(name, str) and name), None)
    if identity is None:
        raise TypeError(f"feedback is about an id or an object that has one; got {type(target).__name__}")
    return identity


def _part(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _who() -> Mapping[str, Any]:
    """The fields in force, but for those that describe a call: it has its own."""
    return {key: value for key, value in scope.at_call().items() if key not in ("retrieval_docs", "prompt")}
