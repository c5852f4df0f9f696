"""What the calls of one block share besides their fields: their position in a trace, and the documents retrieved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import w3c
from ..event import JSON

KEY = "_place"
"""Under this key a `Place` travels among the fields in force; it is never stamped."""


class Place:
    """A block that calls are made in; the steps of a trace share its documents.

    Args:
        outside: the OpenTelemetry span that was current when the block began.
        documents: what was retrieved so far, as events refer to it.
    """

    def __init__(self, outside: w3c.Parent | None = None, documents: list[JSON] | None = None) -> None:
        self.outside = outside
        self.documents: list[JSON] = [] if documents is None else documents


def place_of(fields: Mapping[str, Any]) -> Place | None:
    """Return the place that *fields* are in force at."""
    return fields.get(KEY)


def opened(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *fields* for a block that begins: outside a trace, what is retrieved inside it stays inside it."""
    around = place_of(fields)
    if around is None:
        return {**fields, KEY: Place()}
    return fields if "trace_id" in fields else {**fields, KEY: Place(around.outside, list(around.documents))}


def stamped(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a call that begins with *fields* in force carries: also its place in the trace, and the documents.

    A call in a trace has a `span_id` of its own. The parent is the innermost span: OpenTelemetry's current one if that
    began inside our step, else our step.
    """
    outside = w3c.current_span()
    if not fields and outside is None:
        return fields
    stamps = dict(fields)
    place = stamps.pop(KEY, None) or Place()
    if outside is not None and outside != place.outside:
        stamps["trace_id"], stamps["parent_id"] = outside
    if "trace_id" in stamps:
        stamps["span_id"] = w3c.new_span_id()
    if place.documents:
        stamps.setdefault("retrieval_docs", list(place.documents))
    return stamps
