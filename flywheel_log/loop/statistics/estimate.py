"""Shares and means with confidence intervals, and whether two of them differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

from .groups import Groups
from .student import student, student_quantile

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_SMALL = 10
_AS_COUNTED = -1.0

Interval = tuple[float, float]


@dataclass
class Share:
    """A count out of a total.

    Attributes:
        hits, of: both counts; `hits` is not more than `of`. Where a call stands for several, sums of weights.
        squares_hit, squares: the sums of the squares of these weights, of the hits and of all; by default, each is 1.
        groups: what of it belongs together.
    """

    hits: float = 0
    of: float = 0
    squares_hit: float = _AS_COUNTED
    squares: float = _AS_COUNTED
    groups: Groups = field(default_factory=Groups, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        self.squares_hit = self.hits if self.squares_hit == _AS_COUNTED else self.squares_hit
        self.squares = self.of if self.squares == _AS_COUNTED else self.squares

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def effective(self) -> float:
        """How many independent calls of weight 1 would tell the share as well: `of`, where all are that.

        By the linearised variance of a weighted share, so that hits which are all kept tell more than their weights
        say; of none or nothing but hits, by Kish's formula.
        """
        if not self.of:
            return 0
        share = self.hits / self.of
        scatter = self.squares_hit * (1 - share) ** 2 + (self.squares - self.squares_hit) * share**2
        if self.squares == self.of and self.squares_hit == self.hits:
            alone = self.of
        else:
            kish = self.of**2 / self.squares
            alone = share * (1 - share) * self.of**2 / scatter if 0 < share < 1 and scatter > 0 else kish
        return alone / self.groups.effect(share, scatter)

    @property
    def interval(self) -> Interval | None:
        """Wilson's 95 % confidence interval, by the effective number; None of nothing."""
        if not self.of:
            return None
        share, weight = self.hits / self.of, _Z * _Z / self.effective
        middle = (share + weight / 2) / (1 + weight)
        reach = _Z * math.sqrt(share * (1 - share) / self.effective + weight / (4 * self.effective)) / (1 + weight)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def add(self, *, hit: bool, weight: float = 1, place: int | None = None) -> None:
        """Count one more, *weight* times, whose group is in the bucket at *place*."""
        self.groups.add(place, hit, weight)
        self.of += weight
        self.squares += weight * weight
        if hit:
            self.hits += weight
            self.squares_hit += weight * weight

    def merge(self, other: Share) -> None:
        """Count all of *other* too."""
        self.hits += other.hits
        self.of += other.of
        self.squares_hit += other.squares_hit
        self.squares += other.squares
        self.groups.merge(other.groups)

    def among(self, whole: Share) -> Share:
        """Return the share that these hits are of *whole*, of which they are part; both have counted hits alone."""
        groups = self.groups.among(whole.groups)
        return Share(self.hits, whole.of, self.squares_hit, whole.squares, groups=groups)


@dataclass
class Mean:
    """The mean of numbers and how far they scatter, in constant memory (Welford's way).

    Attributes:
        of: how many numbers there were; where one stands for several, the sum of the weights.
        mean: their mean; 0 of none.
        groups: which of them belong together.
    """

    of: float = 0
    mean: float = 0.0
    _squares: float = 0.0  # the weights', of their products with the distances, and with their squares
    _leaning: float = 0.0
    _scatter: float = 0.0
    groups: Groups = field(default_factory=Groups, compare=False, repr=False, kw_only=True)

    @property
    def value(self) -> float | None:
        """The mean; None of nothing."""
        return self.mean if self.of else None

    @property
    def effective(self) -> float:
        """How many independent numbers of weight 1 tell as much, by Kish's formula: `of`, where all are that."""
        return self.of**2 / self._squares / self.groups.effect(self.mean, self._scatter) if self._squares else 0

    @property
    def error(self) -> float:
        """The square of the mean's standard error; 0 of fewer than two numbers."""
        effective = self.effective
        return self._scatter / self._squares / (effective - 1) if effective > 1 else 0.0

    @property
    def interval(self) -> Interval | None:
        """Student's 95 % confidence interval, by the effective number; None of fewer than two numbers."""
        if self.effective < 2:  # noqa: PLR2004  a scatter needs two
            return None
        reach = student_quantile((1 + CONFIDENCE) / 2, self.effective - 1) * math.sqrt(self.error)
        return self.mean - reach, self.mean + reach

    def add(self, number: float, weight: float = 1, place: int | None = None) -> None:
        """Count one number more, *weight* times, whose group is in the bucket at *place*."""
        self.groups.add(place, number, weight)
        self.of += weight
        self._move((number - self.mean) * weight / self.of)
        square, distance = weight * weight, number - self.mean
        self._squares += square
        self._leaning += square * distance
        self._scatter += square * distance * distance

    def merge(self, other: Mean) -> None:
        """Count all of *other* too."""
        if not other.of:
            return
        total = self.of + other.of
        step = other.mean - self.mean
        back = -step * self.of / total
        self._move(step * other.of / total)
        self.of = total
        self._squares += other._squares
        self.groups.merge(other.groups)
        self._leaning += other._leaning - back * other._squares
        self._scatter += other._scatter + back * (back * other._squares - 2 * other._leaning)

    def _move(self, step: float) -> None:
        """Take the distances from a mean that is larger by *step*."""
        self.mean += step
        self._scatter += step * (step * self._squares - 2 * self._leaning)
        self._leaning -= step * self._squares


def differ(a: Share | Mean, b: Share | Mean) -> float | None:
    """Return how likely a difference as large as that of *a* and *b* is by chance (0 to 1); None if that is unknown.

    Shares by Fisher's exact test where fewer than 10 are expected, else by the pooled z test; means by Welch's test.
    Means of which neither scatters by the permutation test. Weighted ones count by their effective numbers, in Fisher's
    test and that of permutations rounded.

    Raises:
        TypeError: one is a share and the other a mean.
    """
    if isinstance(a, Share) and isinstance(b, Share):
        return _shares_differ(a, b)
    if isinstance(a, Mean) and isinstance(b, Mean):
        return _means_differ(a, b)
    raise TypeError(f"a {type(a).__name__} and a {type(b).__name__} cannot be compared; have two of a kind")


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
    of_a, of_b = a.effective, b.effective
    hits, of = a.value * of_a + b.value * of_b, of_a + of_b
    if min(hits, of - hits) * min(of_a, of_b) / of < _SMALL:
        return _fisher(_whole(a), _whole(b))
    pooled = hits / of
    error = math.sqrt(pooled * (1 - pooled) * (1 / of_a + 1 / of_b))
    return 2 * NormalDist().cdf(-abs(a.value - b.value) / error)


def _whole(share: Share) -> tuple[int, int]:
    return round((share.value or 0) * share.effective), max(1, round(share.effective))


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
    if min(a.effective, b.effective) < 2:  # noqa: PLR2004  a scatter needs two
        return None
    if a.error + b.error == 0:
        return 1.0 if a.mean == b.mean else _apart(round(a.effective), round(b.effective))
    freedom = (a.error + b.error) ** 2 / (a.error**2 / (a.effective - 1) + b.error**2 / (b.effective - 1))
    return 2 * student(-abs(a.mean - b.mean) / math.sqrt(a.error + b.error), freedom)


def _apart(of_a: int, of_b: int) -> float:
    """Of all ways to divide so many numbers, the share of the two in which none of one side is among the other's."""
    return min(1.0, 2 * math.exp(-_log_choose(of_a + of_b, of_a)))
