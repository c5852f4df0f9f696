"""Imports made by threads of ours: no process forks while one is under way, for its child would wait for it for ever.

A child has the half of the module and its lock, but not the thread that imports the rest. `delivery.forks` asks here
first, before it holds up anybody's calls.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 5.0
"""Seconds a fork waits at most; then it may be what the import waits for."""

_lock = threading.RLock()
_held = threading.local()


@contextmanager
def loading() -> Iterator[None]:
    """Import inside the block whatever a thread of ours needs."""
    with _lock:
        yield


def before_fork() -> None:
    """Wait until nothing is imported, and let nothing be; not for ever."""
    _held.lock = _lock if _lock.acquire(timeout=PATIENCE_S) else None


def after_fork() -> None:
    """Go on in the parent."""
    if _held.lock is not None:
        _held.lock.release()


def forget() -> None:
    """Begin anew in the child."""
    global _lock  # noqa: PLW0603 - whoever held it is not here
    _lock = threading.RLock()
