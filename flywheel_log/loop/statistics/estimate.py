"""Shares and means with confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist

from .groups import Groups, Spread
from .student import student_quantile

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
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
    def alone(self) -> float:
        """How many calls of weight 1 would tell the share as well, were they all strangers: `of`, where each weighs 1.

        By the linearised variance of a weighted share, so that hits which are all kept tell more than their weights
        say; of none or nothing but hits, by Kish's formula.
        """
        if not self.of or (self.squares == self.of and self.squares_hit == self.hits):
            return self.of
        share, scatter = self.hits / self.of, self._scatter
        return (
            share * (1 - share) * self.of**2 / scatter if 0 < share < 1 and scatter > 0 else self.of**2 / self.squares
        )

    @property
    def spread(self) -> Spread:
        """How far the calls scatter, each for itself and by groups."""
        return self.groups.spread(self.value or 0.0, self._scatter)

    @property
    def _scatter(self) -> float:
        share = self.value or 0.0
        return self.squares_hit * (1 - share) ** 2 + (self.squares - self.squares_hit) * share**2

    @property
    def effective(self) -> float:
        """How many independent calls of weight 1 would tell the share as well: `of`, where all are that."""
        return self.alone / self.spread.effect

    @property
    def interval(self) -> Interval | None:
        """Wilson's 95 % confidence interval, by the effective number; None of nothing."""
        if not self.of:
            return None
        share, of = self.hits / self.of, self.effective
        weight = _Z * _Z / of
        middle = (share + weight / 2) / (1 + weight)
        reach = _Z * math.sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def add(self, hit: float, weight: float = 1, place: int | None = None) -> None:
        """Count one more, a *hit* (1) or none (0), *weight* times; its group is in the bucket at *place*."""
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
    def alone(self) -> float:
        """How many numbers of weight 1 tell as much, were they strangers, by Kish's formula: `of`, where each is 1."""
        return self.of**2 / self._squares if self._squares else 0

    @property
    def spread(self) -> Spread:
        """How far the numbers scatter, each for itself and by groups."""
        return self.groups.spread(self.mean, self._scatter)

    @property
    def effective(self) -> float:
        """How many independent numbers of weight 1 tell as much: `of`, where all are that."""
        return self.alone / self.spread.effect

    @property
    def error(self) -> float:
        """The square of the mean's standard error; 0 of fewer than two numbers."""
        return self.error_of(self.effective)

    def error_of(self, effective: float) -> float:
        """Return the square of the mean's standard error, of so many independent numbers; 0 of fewer than two."""
        return self._scatter / self._squares / (effective - 1) if effective > 1 else 0.0

    @property
    def interval(self) -> Interval | None:
        """Student's 95 % confidence interval, by the effective number; None of fewer than two numbers."""
        if (of := self.effective) < 2:  # noqa: PLR2004  a scatter needs two
            return None
        reach = student_quantile((1 + CONFIDENCE) / 2, of - 1) * math.sqrt(self.error_of(of))
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
