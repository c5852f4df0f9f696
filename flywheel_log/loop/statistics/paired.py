"""Whether pairs differ: tests that know which of the old goes with which of the new."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from statistics import NormalDist

_EXACT = 50
_MANY = 10_000


def mcnemar(only_a: int, only_b: int) -> float:
    """Return how likely it is by chance (0 to 1) that of the pairs that differ so many have it in *a* or *b* alone.

    McNemar's exact test, which is the sign test; by the normal distribution for more than 10,000 such pairs.
    """
    of, least = only_a + only_b, min(only_a, only_b)
    if of > _MANY:
        return min(1.0, 2 * NormalDist().cdf((2 * least + 1 - of) / math.sqrt(of)))
    return min(1.0, _below(of, least) / 2 ** (of - 1)) if of else 1.0


def wilcoxon(differences: Sequence[float]) -> float | None:
    """Return how likely *differences* as one-sided as these are by chance (0 to 1); None of none.

    Wilcoxon's signed-rank test, without the pairs that do not differ: exact for up to 50 of the others, ties included,
    else by the normal distribution, corrected for ties.
    """
    if not differences:
        return None
    ranks = _doubled_ranks([one for one in differences if one])
    if not ranks:
        return 1.0
    seen = min(sum(rank for rank, rises in ranks if rises is way) for way in (True, False))
    if len(ranks) <= _EXACT:
        return _exact([rank for rank, _ in ranks], seen)
    middle = sum(rank for rank, _ in ranks) / 2
    scatter = math.sqrt(sum(rank * rank for rank, _ in ranks)) / 2
    return 2 * NormalDist().cdf(-abs(seen - middle) / scatter)


def _below(of: int, most: int) -> int:
    """In how many ways *most* or fewer of so many can be chosen."""
    ways = total = 1
    for k in range(most):
        ways = ways * (of - k) // (k + 1)
        total += ways
    return total


def _doubled_ranks(differences: list[float]) -> list[tuple[int, bool]]:
    """The ranks of the sizes, twice, for ties share the mean of theirs; and with each, whether it rises."""
    ranks, before = [], 0
    for _, tied in groupby(sorted(differences, key=abs), key=abs):
        group = list(tied)
        ranks += [(2 * before + len(group) + 1, one > 0) for one in group]
        before += len(group)
    return ranks


def _exact(ranks: list[int], seen: int) -> float:
    """Both tails: of all ways to give the ranks signs, the share of those with a sum as small as *seen*, twice."""
    ways = [1] + [0] * seen
    for rank in ranks:
        for total in range(seen, rank - 1, -1):
            ways[total] += ways[total - rank]
    return float(min(1.0, sum(ways) / 2 ** (len(ranks) - 1)))
