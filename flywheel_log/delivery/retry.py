"""When to try again: exponential back-off with full jitter."""

from __future__ import annotations

from collections.abc import Callable

BASE_S = 0.1
CAP_S = 30.0


class Backoff:
    """Seconds to wait between attempts: anywhere from zero to a ceiling that doubles from 0.1 s up to 30 s.

    Args:
        random: returns a float in [0, 1).
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._attempt = 0

    def delay(self, at_least: float | None = None) -> float:
        """Return the seconds to wait before the next attempt; *at_least* is what the other side asked for."""
        ceiling = min(CAP_S, BASE_S * 2.0 ** min(self._attempt, 30))
        self._attempt += 1
        return (at_least or 0.0) + self._random() * ceiling

    def reset(self) -> None:
        """Begin again at the lowest ceiling, after a success."""
        self._attempt = 0
