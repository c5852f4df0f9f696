"""One quantity over the calls of one window: its value, how many calls it rests on, and examples."""

from __future__ import annotations

import heapq

from flywheel_log.event import Event

from ..feedback import Feedback
from ..statistics.estimate import Mean, Share
from ..statistics.sketch import Sketch
from ..tally import Tally, belongs_to
from .quantity import Quantity

EXAMPLES = 3


class Sample:
    """Collects a *quantity*, in memory that does not grow with the calls.

    Args:
        quantity: what is measured.
        lowest: the examples are the calls with the lowest numbers, not the highest.

    Calls of one session belong together, as in `compare`.

    Attributes:
        calls: how many are on record.
        measured: those that have the number, each of which counts as often as it stands for others.
        average: of a rate its share, of a mean itself: what `unpaired.differ` compares.
    """

    def __init__(self, quantity: Quantity, *, lowest: bool = False) -> None:
        self.calls = 0
        self.measured = Tally(scaled=True)
        self.average: Share | Mean = Share() if quantity.kind == "rate" else Mean()
        self._quantity = quantity
        self._sign = -1 if lowest else 1
        self._sketch = Sketch()
        self._total = 0.0
        self._examples: list[tuple[float, str, str]] = []

    def add(self, event: Event, said: Feedback) -> None:
        """Count one call, and what was *said* about it."""
        self.calls += 1
        number = self._quantity.read(event, said)
        if number is None:
            return
        self._count(number, self.measured.count(event.get("sample_rate")), belongs_to(event))
        if number > 0 or self._sign < 0:
            self._remember(number, event)

    def _count(self, number: float, times: float, place: int | None) -> None:
        match self._quantity.kind:
            case "rate" | "mean":
                self.average.add(number, times, place)
            case "percentile":
                self._sketch.add(number, times)
            case "total":
                self._total += number * times

    def _remember(self, number: float, event: Event) -> None:
        entry = (self._sign * number, event["timestamp"], event.get("id") or event["timestamp"])
        keep = heapq.heappush if len(self._examples) < EXAMPLES else heapq.heappushpop
        keep(self._examples, entry)

    @property
    def value(self) -> float | None:
        """The figure; None where no call has the number, but the total of no calls is 0."""
        match self._quantity.kind:
            case "rate" | "mean":
                return self.average.value
            case "percentile":
                return self._sketch.quantile(self._quantity.percentile / 100)
            case "total":
                return self._total if self.measured.recorded or not self.calls else None

    @property
    def examples(self) -> list[str]:
        """The ids of the calls that tell most, those first; of equals the latest."""
        return [identity for _, _, identity in sorted(self._examples, reverse=True)]
