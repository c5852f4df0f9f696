"""What happens when the process forks: nothing is being imported then, and deliveries begin anew in the child.

A child of a fork in the middle of an import has the half of the module and its lock, but not the thread that imports
the rest: it would wait for it for ever. Where a fork had to go on all the same, the child imports anew what is half
done.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

from ..health import health
from .interruptions import T, interruptions

PATIENCE_S = 5.0
"""Seconds that a fork waits for imports at most; then it may be what the import waits for."""


class Forking(Protocol):
    """What begins anew in a forked child.

    It may have `locks`, held while it is in the middle of something; the process does not fork meanwhile.
    """

    def forget(self) -> None:
        """In the child, which has no other thread yet."""


class _Held(threading.local):
    """The locks that this thread holds while it forks; `imports` tells whether nothing is imported meanwhile."""

    def __init__(self) -> None:
        self.imports = False
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
"""Held while a journal takes a line, and while one is made, by who is `undisturbed`. A forked child has another one."""
_imports = threading.RLock()
_watched: weakref.WeakValueDictionary[int, Forking] = weakref.WeakValueDictionary()
_held = _Held()


@contextmanager
def loading() -> Iterator[None]:
    """Import inside the block what threads of ours need, or the first call of the program: no fork comes meanwhile.

    Whoever has a lock that a fork waits for, as a signal's handler inside a put, keeps forks away by that. It must not
    wait for whoever imports, who may wait for this lock.
    """
    has_one = any(one._is_owned() for one in _locks())  # type: ignore[attr-defined]  # noqa: SLF001
    with nullcontext() if has_one else _imports:
        yield


def undisturbed(work: Callable[..., T], *args: Any) -> T:
    """Return what *work* returns, done under the lock of all journals.

    What comes from finalisers and handlers of signals meanwhile waits: with this lock in hand it would wait for others.
    """
    done: T = interruptions.shield(_locked, work, *args)
    return done


def _locked(work: Callable[..., T], *args: Any) -> T:
    with lock:
        return work(*args)


def watch(something: Forking) -> None:
    """Heed *something* at every fork, for as long as it lives."""
    undisturbed(_watched.__setitem__, id(something), something)


def _all() -> list[Forking]:
    return [something for find in _watched.valuerefs() if (something := find()) is not None]


def _locks() -> Iterator[threading.RLock]:
    yield lock  # First: who holds it knows that nothing more is watched.
    for something in _all():
        yield from getattr(something, "locks", ())


def _before() -> None:
    _held.imports = _imports.acquire(timeout=PATIENCE_S)  # First, before anybody's calls are held up.
    lacking: threading.RLock | None = lock
    while lacking is not None:
        _held.release()  # All, for whoever has the one that is lacking may wait for another.
        _held.take(lacking, blocking=True)
        lacking = next((one for one in _locks() if not _held.take(one, blocking=False)), None)


def _in_parent() -> None:
    _held.release()
    if _held.imports:
        _imports.release()


def _in_child() -> None:
    global lock, _imports  # They may be the parent's for ever.
    lock, _imports = threading.RLock(), threading.RLock()
    _held.locks.clear()
    health.reset()
    if not _held.imports:
        _drop_halves()
    for something in _all():
        something.forget()


def _drop_halves() -> None:
    """Forget the modules, and the locks, that threads of the parent had in hand."""
    locks = getattr(sys.modules["_frozen_importlib"], "_module_locks", {})  # The interpreter lets nobody ask for them.
    for name, find in [*locks.items()]:
        if (one := find()) is not None and one.owner not in (None, threading.get_ident()):
            del locks[name]
            sys.modules.pop(name, None)


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
