"""What the calls cost and how they went, by groups: one pass, in memory that grows with the groups only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flywheel_log.event import Event

from .statistics.groups import bucket
from .statistics.sketch import Sketch
from .values import PERIODS, as_text, finite, getter, utc

CALLS = ("llm", "embedding", "moderation")
"""The kinds of events that are calls of a model; the others are not counted."""

COUNTS = ("calls", "errors", "incomplete", "priced")
"""What a `Row` counts, and always knows."""

SUMS = ("input_tokens", "output_tokens", "cached_tokens", "cost_usd")
"""The fields of a call that are added up."""


@dataclass
class Row:
    """One group of calls.

    Attributes:
        key: the values of the fields grouped by; "" where an event lacks one.
        calls, errors, incomplete: how many there were, how many failed, how many ended early.
        recorded: how many calls are in the log; `estimated`: how many they stand for, where only a sample was kept.
        input_tokens, output_tokens, cached_tokens, cost_usd: sums of those known; None if none is.
        priced: how many calls have a known cost.
        latency, first_token: milliseconds, as sketches (`.quantile(0.95)`).
        first, last: the earliest and the latest timestamp, in UTC.

    All but `recorded` are of the recorded calls, or estimates for all calls where they were added *scaled*.
    """

    key: tuple[str, ...]
    calls: float = 0
    errors: float = 0
    incomplete: float = 0
    input_tokens: float | None = None
    output_tokens: float | None = None
    cached_tokens: float | None = None
    priced: float = 0
    cost_usd: float | None = None
    latency: Sketch = field(default_factory=Sketch)
    first_token: Sketch = field(default_factory=Sketch)
    first: str = ""
    last: str = ""
    recorded: int = 0
    estimated: float = 0

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

    def add(self, event: Event, *, scaled: bool = False) -> None:
        """Count one call; *scaled*, as often as it stands for others that a sample left out."""
        weight = stands_for(event)
        times = weight if scaled else 1
        self.recorded += 1
        self.estimated += weight
        self.calls += times
        self.errors += times * (event.get("status") == "error")
        self.incomplete += times * (event.get("status") == "incomplete")
        self.priced += times * (finite(event.get("cost_usd")) is not None)
        for name in SUMS:
            self._sum_up(name, finite(event.get(name)), times)
        for sketch, name in ((self.latency, "latency_ms"), (self.first_token, "time_to_first_token_ms")):
            if (value := finite(event.get(name))) is not None:
                sketch.add(value, times)
        time = utc(event["timestamp"])
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)

    def merge(self, other: Row) -> None:
        """Count all calls of *other* too."""
        for name in ("recorded", "estimated", *COUNTS):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in SUMS:
            self._sum_up(name, getattr(other, name))
        self.latency.merge(other.latency)
        self.first_token.merge(other.first_token)
        self.first = min(self.first or other.first, other.first)
        self.last = max(self.last, other.last)

    def _sum_up(self, name: str, value: float | None, times: float = 1) -> None:
        if value is not None:
            setattr(self, name, (getattr(self, name) or 0) + times * value)


@dataclass
class Stats:
    """All groups, as `ordered`, and their total."""

    by: tuple[str, ...]
    rows: list[Row]
    total: Row


def stands_for(event: Event) -> float:
    """Return how many calls *event* stands for: 1 / sample_rate, and 1 where all were kept."""
    rate = finite(event.get("sample_rate"))
    return 1 / rate if rate is not None and 0 < rate < 1 else 1


def belongs_to(event: Event) -> int | None:
    """Return the bucket of the session of *event*, else of its trace: its calls tell less than as many of strangers."""
    return bucket(as_text(event.get("session_id") or event.get("trace_id")))


def summarise(events: Iterable[Event], by: Sequence[str] = ("workload_id", "model"), *, scaled: bool = False) -> Stats:
    """Count the calls among *events*, grouped *by* fields of the event.

    The fields are those of `values.getter`. Percentiles are exact for 500 calls of a group, and within 1 % of the true
    value for more. *scaled*, the figures are estimates for all calls, of which a sample was kept.

    Raises:
        ValueError: a field to group by does not exist; the message lists those that do.
    """
    getters = [getter(name) for name in by]
    rows: dict[tuple[str, ...], Row] = {}
    total = Row(())
    for event in events:
        if event.get("kind") in CALLS:
            key = tuple(get(event) for get in getters)
            if (row := rows.get(key)) is None:
                row = rows[key] = Row(key)
            row.add(event, scaled=scaled)
            total.add(event, scaled=scaled)
    return Stats(tuple(by), ordered(rows.values(), by), total)


def ordered(rows: Iterable[Row], by: Sequence[str]) -> list[Row]:
    """Return *rows*, those with the most calls first; in the order of time where they are grouped *by* it first."""
    by_time = any(name in PERIODS for name in by[:1])
    return sorted(rows, key=lambda row: (0 if by_time else -row.calls, row.key))
