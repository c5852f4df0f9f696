"""A journal and the threads that maintain and ship it, from the first put to the close."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from ..health import health
from ..process import threads
from .journal import Journal
from .keeper import Keeper
from .segments import Segment
from .shipper import Shipper

Worker = Keeper | Shipper


class Crew:
    """All that begins anew after a close or in a forked child, so that it is replaced as one thing.

    Args:
        journal: what it works for.

    Attributes:
        keeper: of the journal; None before `hire`.
        shippers: one a sink.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.keeper: Keeper | None = None
        self.shippers: list[Shipper] = []
        self._progress = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def hire(self, new_keeper: Callable[[Journal], Keeper], new_shipper: Callable[..., Shipper]) -> list[Worker]:
        """Return who is to `run`, once; the caller sees to it that nobody else is here, nor a finaliser."""
        if self.keeper is not None:
            return []
        journal = self.journal
        numbers = range(len(journal.destination.urls))
        self.shippers = [new_shipper(number, journal, progress=self._progress) for number in numbers]
        journal.bells = [shipper.bell for shipper in self.shippers]
        self.keeper = keeper = new_keeper(journal)  # Last: from now on, others put.
        return [keeper, *self.shippers]

    def run(self, workers: Sequence[Worker]) -> None:
        """Start a thread for each of *workers*. Where `stop` comes first, they have little to do."""
        for worker in workers:
            if thread := threads.start(urlsplit(worker.name).scheme, worker.run):
                self._threads.append(thread)

    def flush(self, timeout: float | None, *, adopted: bool) -> int:
        """Do what `Delivery.flush` says."""
        wanted = self.journal.snapshot(adopted=adopted)
        for shipper in self.shippers:
            shipper.hurry()
        with self._progress:
            self._progress.wait_for(lambda: self._stopped or not self._left(wanted), timeout if self._threads else 0)
        return self._left(wanted)

    def _left(self, wanted: list[tuple[Segment, int]]) -> int:
        """How many of the events in *wanted*, and of those that are aside, some sink has not acknowledged."""
        # In this order: what a sink puts off meanwhile is counted here, there, or twice, but never not at all.
        waiting = sum(segment.left(events) for segment, events in wanted)
        return waiting + sum(segment.left() for segment in self.journal.segments() if segment.aside)

    def stop(self, deadline: float) -> None:
        """Stop the threads and let go of the segments, at *deadline*, a time of the monotonic clock, at the latest."""
        workers: list[Worker] = [*self.shippers, *filter(None, [self.keeper])]
        for worker in workers:
            worker.stop()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._progress:
            self._stopped = True
            self._progress.notify_all()  # Whoever waits, for ever perhaps, waits for nobody.
        if any(thread.is_alive() for thread in self._threads):
            health.warn("a sink is still writing at exit; what it has not stored waits in the journal")
            # It may still acknowledge what it writes, so the segments stay with it as long as it hangs.
            threads.start("close", self._release)
        else:
            self._release()

    def _release(self) -> None:
        for thread in self._threads:
            thread.join()
        self.journal.release()
        health.say()
