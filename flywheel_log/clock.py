"""Timestamps and durations as the record writes them, in plain arithmetic, since every call needs both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_PARTS = [f".{part:03d}Z" for part in range(1000)]


def timestamp(seconds: float) -> str:
    """*seconds* since 1970 as ISO-8601 UTC with milliseconds and `Z`."""
    whole = int(seconds)
    return _to_the_second(whole) + _PARTS[int((seconds - whole) * 1000)]


def milliseconds(seconds: float) -> float:
    """*seconds* as milliseconds to two decimals; `round` goes through text and back."""
    return int(seconds * 100_000 + 0.5) / 100


def taken_ms(event: Mapping[str, Any]) -> Any:
    """How long *event* took in milliseconds: a call's latency, a step's duration; None where it does not tell."""
    return event.get("latency_ms", event.get("duration_ms"))


@lru_cache(maxsize=8)  # Calls come many to the second, and formatting one costs ten times the rest.
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
