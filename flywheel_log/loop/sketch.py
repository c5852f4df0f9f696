"""Percentiles in bounded memory: exact for few values, then a histogram whose buckets grow by a constant factor."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

ERROR = 0.01
"""Of more than `EXACT` values, a percentile is at most this share off the true one."""

EXACT = 500
"""So many values are kept as they are."""

GROWTH = math.log((1 + ERROR) / (1 - ERROR))
"""The logarithm of what a bucket's end is larger than its beginning."""

SMALLEST = 1e-3
"""What is smaller is counted as this."""


class Sketch:
    """Remembers a distribution of values; two of them can be merged.

    A bucket spans 2 % of its value (the mapping of DDSketch), so any number of values between a microsecond and a day,
    in milliseconds, needs some 1,300 buckets.
    """

    def __init__(self) -> None:
        self.count = 0
        self._few: list[float] = []
        self._buckets: Counter[int] = Counter()

    @classmethod
    def of(cls, few: Iterable[float], buckets: Mapping[int, int]) -> Sketch:
        """Make one of values, *few* of them, and of counts by bucket: that of a value is ceil(log(value) / GROWTH)."""
        made = cls()
        made._few, made._buckets = list(few), Counter(buckets)
        made.count = len(made._few) + made._buckets.total()
        made._fold()
        return made

    def add(self, value: float) -> None:
        """Remember *value*; what is not a finite number from 0 on is ignored."""
        if 0 <= value < math.inf:
            self.count += 1
            self._few.append(value)
            self._fold()

    def merge(self, other: Sketch) -> None:
        """Add all that *other* has seen."""
        self.count += other.count
        self._few += other._few
        self._buckets.update(other._buckets)
        self._fold()

    def quantile(self, share: float) -> float | None:
        """Return the value that *share* (0 to 1) of all values do not exceed; None without values."""
        rank = max(1, math.ceil(share * self.count))
        if self.count == len(self._few):
            return sorted(self._few)[rank - 1] if self._few else None
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                break
        return 2 * math.exp(bucket * GROWTH) / (math.exp(GROWTH) + 1)

    def _fold(self) -> None:
        if self.count > EXACT:
            self._buckets.update(math.ceil(math.log(max(value, SMALLEST)) / GROWTH) for value in self._few)
            self._few.clear()
