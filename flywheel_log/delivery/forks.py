"""What happens to deliveries when the process forks."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from typing import Protocol

from ..health import health
from ..process import loading


class Forking(Protocol):
    """What begins anew in a forked child.

    Attributes:
        locks: held while it is in the middle of something; the process does not fork meanwhile.
    """

    locks: tuple[threading.RLock, ...]

    def forget(self) -> None:
        """In the child, which has no other thread yet."""


class _Held(threading.local):
    """The locks that this thread holds while it forks."""

    def __init__(self) -> None:
        self.locks: list[threading.RLock] = []

    def take(self, lock: threading.RLock, *, blocking: bool) -> bool:
        """Take *lock*; whether that was done."""
        taken = lock.acquire(blocking)
        if taken:
            self.locks.append(lock)
        return taken

    def release(self) -> None:
        """Let go of all."""
        while self.locks:
            self.locks.pop().release()


lock = threading.RLock()
"""Held while a journal takes a line, and while one is made. All share it: a finaliser inside a put may put into another
journal while another thread does so the other way round. A forked child has another one."""
_watched: weakref.WeakValueDictionary[int, Forking] = weakref.WeakValueDictionary()
_held = _Held()


def watch(something: Forking) -> None:
    """Heed *something* at every fork, for as long as it lives."""
    with lock:
        _watched[id(something)] = something


def _all() -> list[Forking]:
    return [something for find in _watched.valuerefs() if (something := find()) is not None]


def _locks() -> Iterator[threading.RLock]:
    yield lock  # First: who holds it knows that nothing more is watched.
    for something in _all():
        yield from something.locks


def _before() -> None:
    loading.before_fork()
    lacking: threading.RLock | None = lock
    while lacking is not None:
        _held.release()  # All, for whoever has the one that is lacking may wait for another.
        _held.take(lacking, blocking=True)
        lacking = next((one for one in _locks() if not _held.take(one, blocking=False)), None)


def _in_parent() -> None:
    _held.release()
    loading.after_fork()


def _in_child() -> None:
    global lock  # noqa: PLW0603 - it may be the parent's for ever
    lock = threading.RLock()
    _held.locks.clear()
    health.reset()
    loading.forget()
    for something in _all():
        something.forget()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
