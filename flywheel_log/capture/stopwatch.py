"""A clock that runs while the provider works, and stands still while the consumer of a stream does."""

from __future__ import annotations

import time
from collections.abc import Callable


class Stopwatch:
    """Seconds that passed between each `start` and the next `stop`; a call's own clock.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._before = 0.0
        self._since: float | None = None

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self._before if self._since is None else self._before + self._clock() - self._since

    def start(self) -> None:
        """Run, from now on."""
        if self._since is None:
            self._since = self._clock()

    def stop(self) -> None:
        """Stand still, from now on."""
        self._before, self._since = self(), None
