"""Student's t distribution, for comparing means."""

from __future__ import annotations

import math

_EPSILON = 1e-15


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
