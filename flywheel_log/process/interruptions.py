"""What comes from finalisers and the handlers of signals while a thread must not be interrupted: it waits."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Interruptions(threading.local):
    """What came in this thread while it was in the middle of something, or of a fork.

    This is no context manager: an exception of a signal's handler may keep `__exit__` from its first line, and then the
    thread would be inside for ever.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._forking = False
        self._taking = False
        self._waiting: deque[tuple[int, Callable[[], object]]] = deque()

    def heed_forks(self) -> None:
        """Let what comes during a fork wait; the child forgets what is, or may be, the parent's."""
        # No function of Python's, for the same reason.
        begin, end = (partial(setattr, self, "_forking", forking) for forking in (True, False))
        os.register_at_fork(before=begin, after_in_parent=end, after_in_child=end)
        os.register_at_fork(after_in_parent=self._settle, after_in_child=self._forget)

    def shield(self, work: Callable[..., T], *args: Any) -> T:
        """Return what *work* returns; what comes while it works waits."""
        depth = self._depth
        self._depth = depth + 1
        try:
            return work(*args)
        finally:
            self._depth = depth  # Not one less: in a child that was forked inside, it is nothing already.
            self._settle()

    def postpones(self, work: Callable[..., object], *args: Any, asked: bool = False) -> bool:
        """Keep *work* with *args* for when nothing is in its way any more, and tell so, if something is.

        In a child that is not ready yet, only what the program has *asked* for there is kept: an event may be that of a
        stream of the parent.
        """
        if not self._depth and not self._forking:
            return False
        self._waiting.append((os.getpid() if asked else 0, partial(work, *args)))
        return True

    def _settle(self) -> None:
        if not self._waiting or self._depth or self._forking or self._taking:
            return  # What is taken may lead here again.
        self._taking = True
        try:
            while self._waiting:
                self._waiting.popleft()[1]()
        finally:
            self._taking = False

    def _forget(self) -> None:
        self._depth, self._taking = 0, False  # What is under this, as a put that a handler interrupted, is put away.
        self._waiting = deque(one for one in self._waiting if one[0] == os.getpid())
        self._settle()


interruptions = Interruptions()
"""Those of this process."""
