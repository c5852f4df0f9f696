"""One quantity over the calls of one window: its value, how many calls it rests on, and examples."""

from __future__ import annotations

import heapq

from flywheel_log.event import Event

from ..feedback import Feedback
from ..statistics.estimate import Mean, Share
from ..statistics.sketch import Sketch
from ..stats import belongs_to, stands_for
from .quantity import Quantity

EXAMPLES = 3


class Sample:
    """Collects a *quantity*, in memory that does not grow with the calls.

    Args:
        quantity: what is measured.
        lowest: the examples are the calls with the lowest numbers, not the highest.

    Where a call was kept for others that were not, it counts as often as it stands for them. Calls of one session
    belong together, as in `compare`.

    Attributes:
        calls: how many are on record.
        measured: how many of them have the number; `estimated`: how many calls these stand for.
        share, mean: what `unpaired.differ` compares; used for rates and means.
    """

    def __init__(self, quantity: Quantity, *, lowest: bool = False) -> None:
        self.calls = 0
        self.measured = 0
        self.estimated = 0.0
        self.share = Share()
        self.mean = Mean()
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
        self.measured += 1
        self.estimated += (times := stands_for(event))
        self._count(number, times, belongs_to(event))
        if number > 0 or self._sign < 0:
            self._remember(number, event)

    def _count(self, number: float, times: float, place: int | None) -> None:
        match self._quantity.kind:
            case "rate":
                self.share.add(hit=number > 0, weight=times, place=place)
            case "mean":
                self.mean.add(number, times, place)
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
            case "rate":
                return self.share.value
            case "mean":
                return self.mean.value
            case "percentile":
                return self._sketch.quantile(self._quantity.percentile / 100)
            case "total":
                return self._total if self.measured or not self.calls else None

    @property
    def examples(self) -> list[str]:
        """The ids of the calls that tell most, those first; of equals the latest."""
        return [identity for _, _, identity in sorted(self._examples, reverse=True)]
