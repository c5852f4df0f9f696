"""What numbers tell that belong together: those of one session are more alike than those of two."""

from __future__ import annotations

from zlib import crc32

_BUCKETS = 256


def bucket(group: str) -> int | None:
    """Return the bucket of a group of this name; None of none."""
    return crc32(group.encode(errors="replace")) % _BUCKETS if group else None


class Groups:
    """Sums of numbers, by the group they belong to, in constant memory.

    Groups are thrown into 256 buckets: the sums of two buckets are as independent of each other as those of two
    groups. What belongs to no group is independent of all.
    """

    def __init__(self) -> None:
        self._sums: dict[int, tuple[float, float]] = {}  # of the weights, and of the weighted numbers
        self._loose = (0.0, 0.0, 0.0)  # of squares: the weights', with the numbers to the powers 0 to 2

    def add(self, place: int | None, number: float, weight: float = 1) -> None:
        """Count *number*, *weight* times, in the bucket at *place*, or in no group."""
        if place is None:
            squared, with_number, with_square = self._loose
            part = weight * number
            self._loose = squared + weight * weight, with_number + weight * part, with_square + part * part
        else:
            of, total = self._sums.get(place, (0.0, 0.0))
            self._sums[place] = of + weight, total + weight * number

    def merge(self, other: Groups) -> None:
        """Count all of *other* too."""
        first, second, third = other._loose
        self._loose = self._loose[0] + first, self._loose[1] + second, self._loose[2] + third
        for place, (more, another) in other._sums.items():
            of, total = self._sums.get(place, (0.0, 0.0))
            self._sums[place] = of + more, total + another

    def among(self, whole: Groups) -> Groups:
        """Return the groups of *whole*, in which all are ones, with a zero for each that is not one of these ones."""
        found = Groups()
        found._sums = {place: (of, self._sums.get(place, (0.0, 0.0))[1]) for place, (of, _) in whole._sums.items()}
        found._loose = whole._loose[0], self._loose[1], self._loose[2]
        return found

    def effect(self, mean: float, scatter: float) -> float:
        """Return the design effect: how many numbers tell as much about their *mean* as one independent number; >= 1.

        It is the variance of the mean by the sums of the groups, divided by that of independent numbers, which goes by
        their *scatter*, the sum of the squares of their weighted distances from the mean. Of a single group it cannot
        be known, and is 1.
        """
        many = len(self._sums)
        if many <= 1 or scatter <= 0:
            return 1.0
        squared, with_number, with_square = self._loose
        loose = with_square - mean * (2 * with_number - mean * squared)
        together = sum((total - mean * of) ** 2 for of, total in self._sums.values())
        return max(1.0, (together * many / (many - 1) + loose) / scatter)
