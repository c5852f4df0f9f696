"""W3C trace identifiers: our own, those of the current OpenTelemetry span, and the `traceparent` header."""

from __future__ import annotations

import re
import sys
from typing import Any, NamedTuple

from .process.randomness import rng

TRACING = "opentelemetry.trace"
"""The module that is loaded where somebody uses OpenTelemetry."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.ASCII)


class Parent(NamedTuple):
    """A span that something happens in, both ids as the standard writes them: 32 and 16 hexadecimal digits."""

    trace_id: str
    span_id: str


def new_trace_id() -> str:
    """Return 32 random hexadecimal digits, not all zero."""
    return f"{rng.getrandbits(128) or 1:032x}"


def new_span_id() -> str:
    """Return 16 random hexadecimal digits, not all zero."""
    return f"{rng.getrandbits(64) or 1:016x}"


def current_span() -> Parent | None:
    """Return OpenTelemetry's current span; None where there is none, or nobody uses OpenTelemetry."""
    opentelemetry = sys.modules.get(TRACING)
    if opentelemetry is None:
        return None
    span = opentelemetry.get_current_span().get_span_context()
    return Parent(f"{span.trace_id:032x}", f"{span.span_id:016x}") if span.is_valid else None


def parsed(traceparent: Any) -> Parent | None:
    """Read the header of https://www.w3.org/TR/trace-context/; None where it breaks the standard, which asks for that.

    A version of the standard that is yet to come may add fields at the end.
    """
    found = _TRACEPARENT.fullmatch(traceparent.strip()) if isinstance(traceparent, str) else None
    if found is None or (found[3] and traceparent.startswith("00")):
        return None
    parent = Parent(found[1], found[2])
    return parent if int(parent.trace_id, 16) and int(parent.span_id, 16) else None


def traceparent(trace_id: Any, span_id: Any) -> str | None:
    """Write the header that lets another process go on inside the span *span_id*; None where the ids allow of none."""
    header = f"00-{trace_id}-{span_id}-{'01' if _is_sampled() else '00'}"
    return header if parsed(header) else None


def _is_sampled() -> bool:
    """Whether OpenTelemetry's current span is recorded, as the receiver's should be then; also where there is none."""
    opentelemetry = sys.modules.get(TRACING)
    span = opentelemetry.get_current_span().get_span_context() if opentelemetry is not None else None
    return span is None or not span.is_valid or bool(span.trace_flags.sampled)
