"""Work done off the caller's thread: a bounded queue, and one thread that empties it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Generic, TypeVar

from ..health import health
from . import forks, threads

Item = TypeVar("Item")

WAITING_AT_MOST = 1000


class BackgroundWorker(Generic[Item]):
    """Does *work* on each item it is given, in order, in a thread of its own that starts with the first item.

    Args:
        name: the thread's, and the reason under which failures are counted.
        work: done with every item; what it raises is counted as `<name>_failed`.
        most: how many items may wait; further ones are dropped, counted as `<name>_left_out`.
    """

    def __init__(self, name: str, work: Callable[[Item], object], most: int = WAITING_AT_MOST) -> None:
        self._name = name
        self._work = work
        self._most = most
        self.forget()
        forks.watch(self)

    def forget(self) -> None:
        """Begin anew, as in a forked child, which has no such thread; the parent does what waits."""
        # Reentrant, unlike queue.Queue: the end of a dropped stream may come from the garbage collector, anywhere.
        self._queue: threads.Queue[Item | threads.Queue[None]] = threads.Queue()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._starting = False

    def put(self, item: Item) -> None:
        """Have *item* worked on later."""
        if self._queue.qsize() >= self._most:
            health.drop(f"{self._name}_left_out")
            return
        self._queue.put(item)
        if self._thread is None:
            self._start()

    def flush(self, timeout: float | None) -> bool:
        """Wait until all that was put before is done, at most *timeout* seconds (None: for ever); whether it is.

        Not in the work itself, which would wait for its own end.
        """
        if self._thread in (None, threading.current_thread()):
            return True
        # No threading.Event, whose lock is not re-entrant: a signal's handler may close what it interrupts here.
        done = threads.Queue[None]()
        self._queue.put(done)
        try:
            done.get(timeout if timeout is None else max(0.0, timeout))
        except Empty:
            return False
        return True

    def close(self, timeout: float | None) -> None:
        """Flush; what has not begun by then is left out, and counted as such."""
        if self.flush(timeout):
            return
        with suppress(Empty):
            while True:
                item = self._queue.get(timeout=0)
                if isinstance(item, threads.Queue):
                    item.put(None)
                else:
                    health.drop(f"{self._name}_left_out")

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._starting:  # Else this is a finaliser that interrupts the start.
                self._starting = True
                try:
                    self._thread = threads.start(self._name, self._run)
                finally:
                    self._starting = False

    def _run(self) -> None:
        queue = self._queue
        while True:
            item = queue.get()
            if isinstance(item, threads.Queue):
                item.put(None)
                continue
            try:
                self._work(item)
            except Exception as error:  # noqa: BLE001 - a thread that dies does no work any more
                health.drop(f"{self._name}_failed", error)
