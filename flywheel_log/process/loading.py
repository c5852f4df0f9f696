"""Imports made by threads of ours: no process forks while one is under way, for its child would wait for it for ever.

A child has the half of the module and its lock, but not the thread that imports the rest. `delivery.forks` asks here
first, before it holds up anybody's calls. Where it had to go on all the same, the child imports anew what is half done.
"""

from __future__ import annotations

import sys
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
    if _held.lock is None:
        _drop_halves()


def _drop_halves() -> None:
    """Forget the modules, and the locks, that threads of the parent had in hand."""
    locks = getattr(sys.modules["_frozen_importlib"], "_module_locks", {})  # The interpreter lets nobody ask for them.
    for name, find in [*locks.items()]:
        if (lock := find()) is not None and lock.owner not in (None, threading.get_ident()):
            del locks[name]
            sys.modules.pop(name, None)
