"""A lock that is free in a forked child, whoever held it in the parent: that thread does not exist in the child."""

from __future__ import annotations

import os
import threading
from contextlib import suppress


class Lock:
    """A reentrant lock of the module that makes it, for a `with` block; it is never forgotten."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError):  # Of a child that was forked inside the block.
            self._lock.release()
