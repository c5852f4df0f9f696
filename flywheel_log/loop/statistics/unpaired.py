"""Whether two shares or two means of independent calls differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from .estimate import Mean, Share
from .student import student

_SMALL = 10


def differ(a: Share | Mean, b: Share | Mean) -> float | None:
    """Return how likely a difference as large as that of *a* and *b* is by chance (0 to 1); None if that is unknown.

    Shares by Fisher's exact test where fewer than 10 are expected, else by the pooled z test; means by Welch's test.
    Means of which neither scatters by the permutation test. Weighted ones count by their effective numbers, in Fisher's
    test and that of permutations rounded. How alike the calls of one group are is told by both sides together, where
    that is more than one alone tells: that few groups look like strangers is often chance.

    Raises:
        TypeError: one is a share and the other a mean.
    """
    if isinstance(a, Share) and isinstance(b, Share):
        return _shares_differ(a, b)
    if isinstance(a, Mean) and isinstance(b, Mean):
        return _means_differ(a, b)
    raise TypeError(f"a {type(a).__name__} and a {type(b).__name__} cannot be compared; expected two of a kind")


def holm(chances: Sequence[float]) -> list[float]:
    """Return *chances* corrected for their number by Holm's method, so that many tests find no more than one."""
    corrected, least = [0.0] * len(chances), 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        least = max(least, min(1.0, chances[place] * (len(chances) - rank)))
        corrected[place] = least
    return corrected


def _shares_differ(a: Share, b: Share) -> float | None:
    if a.value is None or b.value is None:
        return None
    of_a, of_b = _effective(a, b)
    hits, of = a.value * of_a + b.value * of_b, of_a + of_b
    if min(hits, of - hits) * min(of_a, of_b) / of < _SMALL:
        return _fisher(_whole(a, of_a), _whole(b, of_b))
    pooled = hits / of
    error = math.sqrt(pooled * (1 - pooled) * (1 / of_a + 1 / of_b))
    return 2 * NormalDist().cdf(-abs(a.value - b.value) / error)


def _effective(a: Share | Mean, b: Share | Mean) -> tuple[float, float]:
    both = (a.spread + b.spread).effect
    of_a, of_b = (one.alone / (max(both, one.spread.effect) if one.groups else 1) for one in (a, b))
    return of_a, of_b


def _whole(share: Share, effective: float) -> tuple[int, int]:
    return round((share.value or 0) * effective), max(1, round(effective))


def _fisher(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Both tails: all tables with these margins that are no likelier than this one. Hits, and of how many."""
    (hits_a, of_a), (hits_b, of_b) = a, b
    hits = hits_a + hits_b
    few = min(hits, of_a + of_b - hits)  # count the rarer of the two outcomes
    seen = hits_a if few == hits else of_a - hits_a
    logs = [_log_choose(of_a, k) + _log_choose(of_b, few - k) for k in range(max(0, few - of_b), min(few, of_a) + 1)]
    mine, top = logs[seen - max(0, few - of_b)], max(logs)
    weights = [math.exp(log - top) for log in logs]
    return min(1.0, sum(w for w, log in zip(weights, logs, strict=True) if log <= mine + 1e-7) / sum(weights))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _means_differ(a: Mean, b: Mean) -> float | None:
    of_a, of_b = _effective(a, b)
    if min(of_a, of_b) < 2:  # noqa: PLR2004  a scatter needs two
        return None
    error_a, error_b = a.error_of(of_a), b.error_of(of_b)
    if error_a + error_b == 0:
        return 1.0 if a.mean == b.mean else _apart(round(of_a), round(of_b))
    freedom = (error_a + error_b) ** 2 / (error_a**2 / (of_a - 1) + error_b**2 / (of_b - 1))
    return 2 * student(-abs(a.mean - b.mean) / math.sqrt(error_a + error_b), freedom)


def _apart(of_a: int, of_b: int) -> float:
    """Of all ways to divide so many numbers, the share of the two in which none of one side is among the other's."""
    return min(1.0, 2 * math.exp(-_log_choose(of_a + of_b, of_a)))
