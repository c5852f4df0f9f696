"""What a response says of itself: token counts, and why no dataset should take it by accident.

It is read off where the response is parsed anyway: in the caller's thread for streams, and where something looks inside
an event there; else on the way to the sinks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..event import JSON
from ..health import guarded
from .surfaces import Surface, surface_named

DERIVED = "usage_source"
"""The key that an event of an answered call has when this has been done to it."""


def derive(event: Mapping[str, Any]) -> JSON:
    """Return what the answer in *event*, a call, says: counts, `usage_source`, and all its marks in `training_unsafe`.

    Nothing where nothing came back, or where a failed call tells no counts.
    """
    response: Any = event.get("response")
    surface = _surface(event.get("surface", "")) if isinstance(response, dict) else None
    if surface is None:
        return {}
    counts = token_counts(surface, response)
    if "error" in event and not counts:
        return {}
    found: JSON = {**counts, DERIVED: event.get(DERIVED, "api") if counts else "missing"}
    if seen := marks(surface, response):
        told = event.get("training_unsafe", [])
        if added := [mark for mark in seen if mark not in told]:
            found["training_unsafe"] = [*told, *added]
    return found


@cache
def _surface(name: str) -> Surface | None:
    try:
        return surface_named(name)
    except KeyError:
        return None


@guarded("surface", default=lambda *_: {})
def token_counts(surface: Surface, response: JSON) -> JSON:
    """The token counts in *response*; what is no number is none."""
    return {key: count for key, count in surface.tokens(response).items() if type(count) is int or _is_amount(count)}


@guarded("surface", default=lambda *_: ["unreadable"])
def marks(surface: Surface, response: JSON) -> list[str]:
    """Why no dataset should take *response* by accident."""
    return surface.marks(response)


def _is_amount(value: Any) -> bool:
    return type(value) is float and math.isfinite(value)
