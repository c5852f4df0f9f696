"""Statistics of numbers that belong together: those of one session are more alike than those of two."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

_BUCKETS = 256


def bucket(group: str) -> int | None:
    """Return the bucket of a group of this name; None of none."""
    return crc32(group.encode(errors="replace")) % _BUCKETS if group else None


@dataclass(frozen=True)
class Spread:
    """How far numbers scatter about their mean, as sums of squares of their weighted distances from it.

    Attributes:
        alone: each for itself.
        together: added up by groups before they are squared.
    """

    alone: float
    together: float

    @property
    def effect(self) -> float:
        """The design effect: how many numbers tell as much about their mean as one independent number; >= 1.

        It is the variance of the mean by the sums of the groups, divided by that of independent numbers.
        """
        return max(1.0, self.together / self.alone) if self.alone > 0 else 1.0

    def __add__(self, other: Spread) -> Spread:
        """Return what both tell, each about its own mean."""
        return Spread(self.alone + other.alone, self.together + other.together)


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

    def __bool__(self) -> bool:
        """Whether anything belongs to a group."""
        return bool(self._sums)

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

    def spread(self, mean: float, scatter: float) -> Spread:
        """Return how the numbers scatter about their *mean*, which each for itself do by *scatter*.

        Of a single group, or none, nothing is known.
        """
        many = len(self._sums)
        if many <= 1:
            return Spread(0.0, 0.0)
        squared, with_number, with_square = self._loose
        loose = with_square - mean * (2 * with_number - mean * squared)
        together = sum((total - mean * of) ** 2 for of, total in self._sums.values())
        return Spread(scatter, together * many / (many - 1) + loose)
