"""Whether pairs differ: tests that know which new answer belongs to which old one."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from statistics import NormalDist

_EXACT = 50
_FINE = 10_000  # Sums over many pairs are counted in units of which there are so many.


@dataclass
class Differences:
    """What pairs differ by, and which of them belong together."""

    _numbers: array[float] = field(default_factory=lambda: array("d"))
    _groups: array[int] = field(default_factory=lambda: array("q"))

    def add(self, number: float, place: int | None) -> None:
        """Count a pair that differs by *number*, whose group is in the bucket at *place*; None: it is of no group."""
        self._numbers.append(number)
        self._groups.append(-len(self._numbers) if place is None else place)

    def chance(self) -> float | None:
        """Return how likely differences as one-sided are by chance, by `wilcoxon`."""
        return wilcoxon(self._numbers, self._groups)


def wilcoxon(differences: Sequence[float], groups: Sequence[int] = ()) -> float | None:
    """Return how likely *differences* as one-sided as these are by chance (0 to 1); None of none.

    Wilcoxon's signed-rank test, without the pairs that do not differ: exact for up to 50 of the others, ties included,
    else by the normal distribution, corrected for ties and continuity. Of pairs that only rise or fall by one it is
    McNemar's.

    Where pairs belong to *groups*, chance turns the signs of all in a group at once, and the sums of their signed ranks
    take the place of the ranks. How alike the pairs of a single group are cannot be known: it is taken for none.
    """
    if not differences:
        return None
    apart = groups if len({*groups}) > 1 else range(len(differences))
    sums = [one for one in _signed_ranks(differences, apart) if one]
    if len(sums) <= _EXACT:
        unit = max(1, sum(map(abs, sums)) // _FINE)
        return _exact([round(one / unit) for one in sums]) if sums else 1.0
    beyond = abs(sum(sums)) - math.gcd(*sums)  # half of the step from one possible sum to the next
    return min(1.0, 2 * NormalDist().cdf(-beyond / math.sqrt(sum(one * one for one in sums))))


def _signed_ranks(differences: Sequence[float], groups: Sequence[int]) -> Iterable[int]:
    """Sum up by group the ranks of the sizes, negative where one falls; twice, for ties share the mean of theirs."""
    found, before = Counter[int](), 0
    moved = sorted((abs(one), one > 0, group) for one, group in zip(differences, groups, strict=True) if one)
    for _, tied in groupby(moved, key=itemgetter(0)):
        alike = list(tied)
        rank = 2 * before + len(alike) + 1
        for _, rises, group in alike:
            found[group] += rank if rises else -rank
        before += len(alike)
    return found.values()


def _exact(sums: Sequence[int]) -> float:
    """Both tails: of all ways to give them signs, the share of those that are as one-sided, twice."""
    seen = min(sum(one for one in sums if one > 0), -sum(one for one in sums if one < 0))
    ways = [1] + [0] * seen
    for size in map(abs, sums):
        for total in range(seen, size - 1, -1):
            ways[total] += ways[total - size]
    return float(min(1.0, sum(ways) / 2 ** (len(sums) - 1)))
