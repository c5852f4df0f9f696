"""Is a difference one? Shares and means with confidence intervals and tests, from the standard library alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_SMALL = 10
_EPSILON = 1e-15

Interval = tuple[float, float]


@dataclass
class Share:
    """So many of so many.

    Attributes:
        hits, of: both counts; `hits` is not more than `of`.
    """

    hits: int = 0
    of: int = 0

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's 95 % confidence interval; None of nothing."""
        if not self.of:
            return None
        share, weight = self.hits / self.of, _Z * _Z / self.of
        middle = (share + weight / 2) / (1 + weight)
        reach = _Z * math.sqrt(share * (1 - share) / self.of + weight / (4 * self.of)) / (1 + weight)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def add(self, *, hit: bool) -> None:
        """Count one more."""
        self.of += 1
        self.hits += hit

    def merge(self, other: Share) -> None:
        """Count all of *other* too."""
        self.hits += other.hits
        self.of += other.of


@dataclass
class Mean:
    """The mean of numbers and how far they scatter, in constant memory (Welford's way).

    Attributes:
        of: how many numbers there were.
        mean: their mean; 0 of none.
    """

    of: int = 0
    mean: float = 0.0
    _squares: float = 0.0

    @property
    def value(self) -> float | None:
        """The mean; None of nothing."""
        return self.mean if self.of else None

    @property
    def variance(self) -> float:
        """The sample's variance; 0 of fewer than two numbers."""
        return self._squares / (self.of - 1) if self.of > 1 else 0.0

    @property
    def interval(self) -> Interval | None:
        """Student's 95 % confidence interval; None of fewer than two numbers."""
        if self.of < 2:  # noqa: PLR2004  a scatter needs two
            return None
        reach = student_quantile((1 + CONFIDENCE) / 2, self.of - 1) * math.sqrt(self.variance / self.of)
        return self.mean - reach, self.mean + reach

    def add(self, number: float) -> None:
        """Count one number more."""
        self.of += 1
        step = number - self.mean
        self.mean += step / self.of
        self._squares += step * (number - self.mean)

    def merge(self, other: Mean) -> None:
        """Count all of *other* too."""
        if not other.of:
            return
        total, step = self.of + other.of, other.mean - self.mean
        self._squares += other._squares + step * step * self.of * other.of / total
        self.mean += step * other.of / total
        self.of = total


def differ(a: Share | Mean, b: Share | Mean) -> float | None:
    """Return how likely a difference as large as that of *a* and *b* is by chance (0 to 1); None if that is unknown.

    Shares by Fisher's exact test where fewer than 10 are expected, else by the pooled z test; means by Welch's test.

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


def student(t: float, freedom: float) -> float:
    """Return the share of Student's distribution with *freedom* degrees that lies below *t*."""
    tail = _beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return tail if t < 0 else 1 - tail


def student_quantile(share: float, freedom: float) -> float:
    """Return the *t* below which *share* (above one half) of Student's distribution lies, to ten digits or so."""
    low, high = 0.0, 2.0
    while student(high, freedom) < share:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student(middle, freedom) < share else (low, middle)
    return high


def _shares_differ(a: Share, b: Share) -> float | None:
    if not (a.of and b.of):
        return None
    hits, of = a.hits + b.hits, a.of + b.of
    if min(hits, of - hits) * min(a.of, b.of) / of < _SMALL:
        return _fisher(a, b)
    pooled = hits / of
    error = math.sqrt(pooled * (1 - pooled) * (1 / a.of + 1 / b.of))
    return 2 * NormalDist().cdf(-abs(a.hits / a.of - b.hits / b.of) / error)


def _fisher(a: Share, b: Share) -> float:
    """Both tails: all tables with these margins that are no likelier than this one."""
    hits = a.hits + b.hits
    few = min(hits, a.of + b.of - hits)  # count the rarer of the two outcomes
    seen = a.hits if few == hits else a.of - a.hits
    logs = [_log_choose(a.of, k) + _log_choose(b.of, few - k) for k in range(max(0, few - b.of), min(few, a.of) + 1)]
    mine, top = logs[seen - max(0, few - b.of)], max(logs)
    weights = [math.exp(log - top) for log in logs]
    return min(1.0, sum(w for w, log in zip(weights, logs, strict=True) if log <= mine + 1e-7) / sum(weights))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _means_differ(a: Mean, b: Mean) -> float | None:
    if min(a.of, b.of) < 2:  # noqa: PLR2004  a scatter needs two
        return None
    of_a, of_b = a.variance / a.of, b.variance / b.of
    if of_a + of_b == 0:
        return 1.0 if a.mean == b.mean else 0.0
    freedom = (of_a + of_b) ** 2 / (of_a**2 / (a.of - 1) + of_b**2 / (b.of - 1))
    return 2 * student(-abs(a.mean - b.mean) / math.sqrt(of_a + of_b), freedom)


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction, on the side where that converges."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + …)), from the front (Lentz's way)."""
    value = upper = 1.0
    lower = 0.0
    for step in range(1, 400):
        m = step // 2
        if step % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1 / (1 + d * lower or _EPSILON)
        upper = 1 + d / upper or _EPSILON
        value *= upper * lower
        if abs(upper * lower - 1) < _EPSILON:
            break
    return value
