"""What happens to deliveries when the process forks."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol, runtime_checkable

from ..health import health
from ..process import loading


class Forking(Protocol):
    """What begins anew in a forked child."""

    def forget(self) -> None:
        """In the child, which has no other thread yet."""


@runtime_checkable
class Guarded(Protocol):
    """What must not be in the middle of something when the process forks."""

    def before_fork(self) -> None:
        """In the parent, before."""

    def after_fork(self) -> None:
        """In the parent, after."""


_lock = threading.RLock()
_watched: weakref.WeakSet[Forking] = weakref.WeakSet()
_held: list[Forking] = []


def watch(something: Forking) -> None:
    """Call *something* around every fork, for as long as it lives."""
    with _lock:
        _watched.add(something)


def _before() -> None:
    loading.before_fork()
    _lock.acquire()
    for something in list(_watched):
        if isinstance(something, Guarded):
            something.before_fork()
        _held.append(something)


def _in_parent() -> None:
    while _held:
        something = _held.pop()
        if isinstance(something, Guarded):
            something.after_fork()
    _lock.release()
    loading.after_fork()


def _in_child() -> None:
    global _lock  # noqa: PLW0603 - it may be the parent's for ever
    _lock = threading.RLock()
    health.reset()
    loading.forget()
    while _held:
        _held.pop().forget()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
