"""How the caller's side wakes a thread: a bell that may be rung from anywhere, finalisers included."""

from __future__ import annotations

from queue import Empty

from ..process.threads import Queue


class Bell:
    """Wakes one waiting thread.

    `threading.Event` would do, but its lock is not re-entrant: `set` in a finaliser that the garbage collector runs
    inside `set` hangs. `Queue.put` is safe there.

    Attributes:
        rung: whether it has been rung since it was rearmed.
    """

    def __init__(self) -> None:
        self._queue: Queue[None] = Queue()
        self.rung = False

    def ring(self) -> None:
        """Wake the waiting thread, or the next one to wait. Costs next to nothing while it has not been rearmed."""
        if not self.rung:
            self.rung = True
            self._queue.put(None)

    def wait(self, timeout: float | None) -> bool:
        """Wait until rung, at most *timeout* seconds (None: for ever); return whether it was."""
        try:
            self._queue.get(timeout=timeout)
        except Empty:
            return False
        return True

    def rearm(self) -> None:
        """Let the next `ring` wake again; call it before looking at what the ring was about."""
        self.rung = False
