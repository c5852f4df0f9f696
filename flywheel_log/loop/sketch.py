"""Percentiles in bounded memory: a histogram whose buckets grow by a constant factor, so that it can be merged."""

from __future__ import annotations

import math
from collections import Counter

ERROR = 0.01
"""A percentile is at most this share off the true value."""

_GROWTH = math.log((1 + ERROR) / (1 - ERROR))
_SMALLEST = 1e-3


class Sketch:
    """Remembers how many values fell into each bucket, and the least and the greatest value exactly.

    A bucket spans 2 % of its value (DDSketch's mapping), so a million values between a microsecond and a day, in
    milliseconds, need some 1,300 buckets.
    """

    def __init__(self) -> None:
        self.count = 0
        self._buckets: Counter[int] = Counter()
        self._least, self._greatest = math.inf, -math.inf

    def add(self, value: float) -> None:
        """Remember *value*; what is not a finite number from 0 on is ignored."""
        if not 0 <= value < math.inf:
            return
        self.count += 1
        self._buckets[math.ceil(math.log(max(value, _SMALLEST)) / _GROWTH)] += 1
        self._least, self._greatest = min(self._least, value), max(self._greatest, value)

    def merge(self, other: Sketch) -> None:
        """Add all that *other* has seen."""
        self.count += other.count
        self._buckets.update(other._buckets)
        self._least = min(self._least, other._least)
        self._greatest = max(self._greatest, other._greatest)

    def quantile(self, share: float) -> float | None:
        """Return the value that *share* (0 to 1) of all values do not exceed, within `ERROR`; None without values."""
        rank = max(1, math.ceil(share * self.count))
        if self.count and rank == self.count:
            return self._greatest
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                middle = 2 * math.exp(bucket * _GROWTH) / (math.exp(_GROWTH) + 1)
                return max(middle, self._least)
        return None
