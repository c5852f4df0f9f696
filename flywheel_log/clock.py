"""Moments and durations as the record writes them, in a few steps of plain arithmetic: every call takes both."""

from __future__ import annotations

from datetime import UTC, datetime

_latest = (0, "1970-01-01T00:00:00")  # Calls come many to the second, and to format one costs ten times the rest.


def timestamp(seconds: float) -> str:
    """*seconds* since 1970 as ISO-8601 UTC with milliseconds and `Z`."""
    global _latest  # noqa: PLW0603 - one pair, replaced as a whole
    second = int(seconds)
    known, text = _latest
    if known != second:
        text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        _latest = (second, text)
    return f"{text}.{int((seconds - second) * 1000):03d}Z"


def milliseconds(seconds: float) -> float:
    """*seconds* as milliseconds to two decimals; `round` goes through text and back."""
    return int(seconds * 100_000 + 0.5) / 100
