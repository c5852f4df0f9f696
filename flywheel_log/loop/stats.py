"""What the calls cost and how they went, by groups: one pass, in memory that grows with the groups only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flywheel_log.event import Event

from .sketch import Sketch

CALLS = ("llm", "embedding", "moderation")
"""The kinds of events that are calls of a model; the others are not counted."""

_PERIODS = {"day": len("2026-01-31"), "hour": len("2026-01-31T10")}
_NUMBERS = ("input_tokens", "output_tokens", "cached_tokens")


@dataclass
class Row:
    """One group of calls.

    Attributes:
        key: the values of the fields grouped by; "" where an event lacks one.
        calls, errors, incomplete: how many there were, how many failed, how many ended early.
        input_tokens, output_tokens, cached_tokens: sums of those known.
        cost_usd: the sum of the known costs; None if none is. `priced` counts the calls with a known cost.
        latency, first_token: milliseconds, as sketches (`.quantile(0.95)`).
        first, last: the earliest and the latest timestamp.
    """

    key: tuple[str, ...]
    calls: int = 0
    errors: int = 0
    incomplete: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    priced: int = 0
    cost_usd: float | None = None
    latency: Sketch = field(default_factory=Sketch)
    first_token: Sketch = field(default_factory=Sketch)
    first: str = ""
    last: str = ""

    @property
    def error_share(self) -> float:
        """Errors by calls, 0 to 1."""
        return self.errors / self.calls if self.calls else 0.0

    @property
    def calls_per_minute(self) -> float | None:
        """Calls by the minutes between the first and the last, counted as one minute at least; None if unknown."""
        try:
            span = datetime.fromisoformat(self.last) - datetime.fromisoformat(self.first)
        except (ValueError, TypeError):  # another logger's timestamps
            return None
        return self.calls / max(1.0, span.total_seconds() / 60)

    def add(self, event: Event) -> None:
        """Count one call."""
        self.calls += 1
        self.errors += event.get("status") == "error"
        self.incomplete += event.get("status") == "incomplete"
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + (_number(event.get(name)) or 0))
        if (cost := _number(event.get("cost_usd"))) is not None:
            self.priced += 1
            self.cost_usd = (self.cost_usd or 0.0) + cost
        for sketch, name in ((self.latency, "latency_ms"), (self.first_token, "time_to_first_token_ms")):
            if (value := _number(event.get(name))) is not None:
                sketch.add(value)
        self.first = min(self.first or event["timestamp"], event["timestamp"])
        self.last = max(self.last, event["timestamp"])


@dataclass
class Stats:
    """All groups, the one with the most calls first, and their total."""

    by: tuple[str, ...]
    rows: list[Row]
    total: Row


def summarise(events: Iterable[Event], by: Sequence[str] = ("workload_id", "model")) -> Stats:
    """Count the calls among *events*, grouped *by* fields of the event.

    A field may lie deeper (`prompt.version`, `metadata.tenant`); `day` and `hour` are those of the timestamp, in UTC.
    Percentiles are exact for 500 calls of a group, and within 1 % of the true value for more.

    Raises:
        ValueError: a field to group by does not exist; the message lists those that do.
    """
    getters = [_getter(name) for name in by]
    rows: dict[tuple[str, ...], Row] = {}
    total = Row(())
    for event in events:
        if event.get("kind") in CALLS:
            key = tuple(get(event) for get in getters)
            rows.setdefault(key, Row(key)).add(event)
            total.add(event)
    return Stats(tuple(by), sorted(rows.values(), key=lambda row: (-row.calls, row.key)), total)


def _getter(name: str) -> Callable[[Event], str]:
    if name in _PERIODS:
        return lambda event: event["timestamp"][: _PERIODS[name]]
    path = name.split(".")
    known = sorted({*Event.__annotations__, *_PERIODS})
    if path[0] not in known:
        raise ValueError(f"field {name!r} is unknown; have {', '.join(known)}")
    return lambda event: _text(event, path)


def _text(event: Event, path: list[str]) -> str:
    value: Any = event
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _number(value: object) -> Any:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if number else None
