"""Our daemon threads, named after the package, and the queue on which they wait."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from ..health import health

Item = TypeVar("Item")

_OF_A_FAULT = {"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"}
_NOT_OURS = {one for one in signal.Signals if one.name not in _OF_A_FAULT}


class Queue(Generic[Item]):
    """`queue.SimpleQueue`, which may be used from anywhere, finalisers included; made when it is first used.

    By then, a program that runs in greenlets has put gevent's in its place. One that is made before, as the worker of a
    `gunicorn --preload` is loaded, would stop the whole worker when a thread of ours, a greenlet by then, waits at it.
    """

    def put(self, item: Item) -> None:
        """Append *item*; waits for nothing."""
        self._made().put(item)

    def get(self, timeout: float | None = None) -> Item:
        """Take the first item, when there is one, within *timeout* seconds (None: whenever).

        Raises:
            queue.Empty: there was none.
        """
        return self._made().get(timeout=timeout)

    def qsize(self) -> int:
        """How many items wait."""
        return self._made().qsize()

    def _made(self) -> queue.SimpleQueue[Item]:
        # One step, so that two threads make but one.
        made: queue.SimpleQueue[Item] = vars(self).setdefault("made", queue.SimpleQueue())
        return made


def start(name: str, work: Callable[..., object], *args: object) -> threading.Thread | None:
    """Start a thread that does *work*; None at the interpreter's end, when Python starts none.

    Whoever needs it must do without: what is on disk by then is delivered by the next process. No signal is delivered
    to the thread: one that the program blocks, to wait for it, would end the process there.
    """
    work = partial(_deaf, _os_thread(), work)
    thread = threading.Thread(target=work, args=args, name=f"flywheel_log:{name}", daemon=True)
    if not sys.is_finalizing():  # By then Python 3.11 would wait for the thread's first step for ever.
        with suppress(RuntimeError):
            thread.start()
            return thread
    health.warn("no more threads can be started; recorded events wait on disk")
    return None


def _deaf(starter: Path | None, work: Callable[..., object], *args: object) -> None:
    if _os_thread() != starter:  # Else it is a greenlet, and the thread is the program's.
        signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_OURS)
    work(*args)


def _os_thread() -> Path | None:
    """What the kernel calls this thread; None where it does not tell."""
    try:
        return Path("/proc/thread-self").readlink()
    except OSError:
        return None
