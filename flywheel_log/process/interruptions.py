"""What comes from finalisers and the handlers of signals while a thread must not be interrupted: it waits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any


class Interruptions(threading.local):
    """A block in which a thread must not be interrupted, and what comes meanwhile in that thread.

    Args:
        take: takes each of what came, when the outermost block is left.

    Attributes:
        depth: how many such blocks this thread is in.
    """

    def __init__(self, take: Callable[[Any], object]) -> None:
        self._take = take
        self.depth = 0
        self._taking = False
        self._waiting: deque[Any] = deque()

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        if not self._waiting or self.depth or self._taking:  # What is taken may lead to such a block again.
            return
        self._taking = True
        try:
            while self._waiting:
                self._take(self._waiting.popleft())
        finally:
            self._taking = False

    def postpone(self, item: Any) -> None:
        """Keep *item* for the end of the block."""
        self._waiting.append(item)

    def forget(self) -> None:
        """Leave the block in a child that was forked inside; what came is the parent's."""
        self.depth -= 1
        self._waiting.clear()
