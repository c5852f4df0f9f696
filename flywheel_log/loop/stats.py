"""What the calls cost and how they went, by group: one pass, in memory that grows only with the groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from flywheel_log.event import Event
from flywheel_log.meter import CALLS

from .statistics.sketch import Sketch
from .tally import Tally
from .values import PERIODS, finite, getter, utc

COUNTS = ("errors", "incomplete", "priced")
"""What a `Row` counts, and always knows."""

SUMS = ("input_tokens", "output_tokens", "cached_tokens", "cost_usd")
"""The fields of a call that are added up."""


@dataclass
class Row(Tally):
    """One group of calls.

    Attributes:
        key: the values of the fields grouped by; "" where an event lacks one.
        errors, incomplete: how many failed, and how many ended early.
        input_tokens, output_tokens, cached_tokens, cost_usd: sums of those known; None if none is.
        priced: how many calls have a known cost.
        latency, first_token: milliseconds, as sketches (`.quantile(0.95)`).
        first, last: the earliest and the latest timestamp, in UTC.

    If it is *scaled*, all figures but `recorded` are estimates for all calls.
    """

    key: tuple[str, ...]
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
        times = self.count(event.get("sample_rate"))
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

    def merge(self, other: Self) -> None:
        """Count all calls of *other* too."""
        super().merge(other)
        for name in COUNTS:
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
    """All groups, those with the most calls first, or in the order of time, and their total."""

    by: tuple[str, ...]
    rows: list[Row]
    total: Row

    @classmethod
    def of(cls, rows: Iterable[Row], by: Sequence[str], *, scaled: bool) -> Stats:
        """Add up and order *rows*: in the order of time where they are grouped *by* it first."""
        by_time = any(name in PERIODS for name in by[:1])
        ordered = sorted(rows, key=lambda row: (0 if by_time else -row.calls, row.key))
        total = Row((), scaled=scaled)
        for row in ordered:
            total.merge(row)
        return cls(tuple(by), ordered, total)


def summarise(events: Iterable[Event], by: Sequence[str] = ("workload_id", "model"), *, scaled: bool = False) -> Stats:
    """Count the calls among *events*, grouped *by* fields of the event.

    The fields are those of `values.getter`. Percentiles are exact for 500 calls of a group, and within 1 % of the true
    value for more. *scaled*, the figures are estimates for all calls, of which a sample was kept.

    Raises:
        ValueError: a field to group by does not exist; the message lists those that do.
    """
    getters = [getter(name) for name in by]
    rows: dict[tuple[str, ...], Row] = {}
    for event in events:
        if event.get("kind") in CALLS:
            key = tuple(get(event) for get in getters)
            if (row := rows.get(key)) is None:
                row = rows[key] = Row(key, scaled=scaled)
            row.add(event)
    return Stats.of(rows.values(), by, scaled=scaled)
