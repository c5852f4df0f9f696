"""Percentiles in bounded memory: exact for few values, then a histogram whose buckets grow by a constant factor."""

from __future__ import annotations

import math
from array import array
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
    """Remembers a distribution of values, each with a weight; two of them can be merged.

    A bucket spans 2 % of its value (the mapping of DDSketch), so any number of values between a microsecond and a day,
    in milliseconds, needs some 1,300 buckets. Few values take sixteen bytes each: there may be very many sketches.
    """

    __slots__ = ("_buckets", "_few", "count", "weight")

    def __init__(self) -> None:
        self.count = 0
        self.weight = 0.0
        self._few = array("d")  # a value, its weight, a value, its weight, ...
        self._buckets: dict[int, float] = {}

    @classmethod
    def of(cls, count: int, few: Iterable[tuple[float, float]], buckets: Mapping[int, float]) -> Sketch:
        """Make one of *count* values: *few* of them with their weights, or the weights of the others by bucket.

        The bucket of a value is ceil(log(value) / GROWTH).
        """
        made = cls()
        made.count, made._buckets = count, dict(buckets)
        made._few.extend(number for pair in few for number in pair)
        made.weight = math.fsum([*made._few[1::2], *buckets.values()])
        made._fold()
        return made

    def add(self, value: float, weight: float = 1) -> None:
        """Remember *value*, *weight* times; what is not a finite number from 0 on is ignored."""
        if 0 <= value < math.inf:
            self.count += 1
            self.weight += weight
            if self.count <= EXACT:
                self._few.extend((value, weight))
            else:
                self._fold()
                self._fill(_bucket(value), weight)

    def merge(self, other: Sketch) -> None:
        """Add all that *other* has seen."""
        self.count += other.count
        self.weight += other.weight
        self._few += other._few
        for bucket, weight in other._buckets.items():
            self._fill(bucket, weight)
        self._fold()

    def quantile(self, share: float) -> float | None:
        """Return the value that *share* (0 to 1) of all values do not exceed; None without values."""
        exact = 2 * self.count == len(self._few)
        weights = self._pairs() if exact else self._buckets.items()
        found, left = None, share * self.weight
        for found, weight in sorted(weights):  # noqa: B007  the last one, where rounding leaves a rest
            left -= weight
            if left <= 0:
                break
        if exact or found is None:
            return found
        return 2 * math.exp(found * GROWTH) / (math.exp(GROWTH) + 1)

    def _pairs(self) -> Iterable[tuple[float, float]]:
        return zip(self._few[::2], self._few[1::2], strict=True)

    def _fold(self) -> None:
        if self._few and self.count > EXACT:
            for value, weight in self._pairs():
                self._fill(_bucket(value), weight)
            del self._few[:]

    def _fill(self, bucket: int, weight: float) -> None:
        self._buckets[bucket] = self._buckets.get(bucket, 0.0) + weight


def _bucket(value: float) -> int:
    return math.ceil(math.log(max(value, SMALLEST)) / GROWTH)
