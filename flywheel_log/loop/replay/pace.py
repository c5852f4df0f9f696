"""Limit the requests per minute, and space them evenly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets one request go every so often, whatever the number of threads.

    Args:
        per_minute: requests a minute; None does not wait.
        clock: seconds, as of `time.monotonic`.
        sleep: waits a number of seconds; that of an event returns when there is nothing to wait for any more.
    """

    def __init__(
        self,
        per_minute: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._distance = 60 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        if not self._distance:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._distance
        if turn > now:
            self._sleep(turn - now)
