"""The journal and its threads as one thing: put, flush, close."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import threads
from ..health import health
from ..sinks import Sink, open_sink
from . import forks, space
from .destination import Destination
from .enrich import Enrich
from .journal import Journal
from .keeper import Keeper
from .segments import Segment
from .shipper import Shipper
from .supply import Released
from .tuning import Tuning

QUOTA_BYTES = 1 << 30
_LAST_WORDS_S = 0.4


def new_run() -> str:
    """Return the random part of a process's ids: twelve hexadecimal digits."""
    return os.urandom(6).hex()


class Delivery:
    """Takes events from the program's own calls and brings them to every sink, through crashes and outages.

    Opens and starts nothing before the first `put`; then one thread a sink and one for the journal. A forked child
    begins anew at its own first `put`. After `close` the next `put` begins anew, too.

    Args:
        sinks: where events end, as URLs.
        root: directory of the journals; every program of a user may share it.
        quota_bytes: what all journals under *root* may take together.
        fsync: let `put` return only when the event is safe from a power failure, for audits; milliseconds instead of
            microseconds.
        clock: seconds since the epoch.
        random: floats in [0, 1), for the jitter of the back-off.
        run: returns the random part of the ids of one process.
        tuning: sizes and intervals.
        open_sink: opens the sink of a URL.
        enrich: tells what to add to events on their way to the sinks; called by their threads.
        chore: done by the journal's thread, about once a second while events come.
    """

    def __init__(
        self,
        sinks: Sequence[str],
        root: Path,
        *,
        quota_bytes: int = QUOTA_BYTES,
        fsync: bool = False,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
        run: Callable[[], str] = new_run,
        tuning: Tuning | None = None,
        open_sink: Callable[[str], Sink] = open_sink,
        enrich: Enrich | None = None,
        chore: Callable[[], object] = lambda: None,
    ) -> None:
        self._destination = Destination.of(sinks, root)
        self._gauge = space.Gauge(self._destination.directory.parent)
        self._tuning = tuning or Tuning()
        self._new_journal = partial(
            Journal, self._destination, run, clock, self._tuning, quota=quota_bytes, durable=fsync
        )
        self._new_shipper = partial(Shipper, tuning=self._tuning, random=random, open_sink=open_sink, enrich=enrich)
        self._chore = chore
        self._begin()
        forks.watch(self)

    def _begin(self) -> None:
        self._journal = self._new_journal()
        self._progress = threading.Condition()
        self._lock = threading.RLock()
        self._threads: list[threading.Thread] = []
        self._shippers: list[Shipper] = []
        self._keeper: Keeper | None = None
        self._started = False

    def put(self, line: bytes) -> str | None:
        """Store *line*, a JSON object without an id, and return its id; from then on no crash of the process loses it.

        Returns None if it had to be dropped, which `health` counts by reason. Never raises, never waits for a sink.
        """
        try:
            while True:
                if self._keeper is None:
                    self.start()
                try:
                    return self._journal.put(line)
                except Released:  # By another thread, which has put the next one in its place.
                    continue
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the program's own call
            health.drop("journal_failed", error)
            return None

    def start(self) -> None:
        """Start the threads, once."""
        with self._lock:
            if self._started:  # Or about to be: this may be a finaliser that interrupts the lines below.
                return
            self._started = True
            self._keeper = keeper = Keeper(self._journal, self._tuning, self._chore)
            self._shippers = [
                self._new_shipper(number, self._journal, progress=self._progress)
                for number in range(len(self._destination.urls))
            ]
            self._journal.bells = [shipper.bell for shipper in self._shippers]
            self._run(keeper)
            for shipper in self._shippers:
                self._run(shipper)
            for bell in self._journal.bells:
                bell.ring()  # For what another thread put while the bells were being hung up.

    def _run(self, worker: Keeper | Shipper) -> None:
        if thread := threads.start(urlsplit(worker.name).scheme, worker.run):
            self._threads.append(thread)

    def adopt(self) -> bool:
        """Take over a few segments of dead processes now, and ship them like our own.

        Tells whether there were any, or may be more: those of a run that another process has begun to ship are its own
        to take for as long as it is at it.
        """
        self.start()
        return self._keeper is not None and self._keeper.adopt()

    def adopted_segments(self) -> int:
        """How many segments of dead processes are held here, shipped or not."""
        return sum(segment.adopted for segment in self._journal.segments())

    def flush(self, timeout: float | None, *, adopted: bool = False) -> int:
        """Wait until every sink has acknowledged everything put so far, at most *timeout* seconds (None: for ever).

        What was adopted from dead processes counts only if *adopted*, or if a sink has put it off. Returns how many
        events still wait; 0: all there.
        """
        journal = self._journal
        wanted = journal.snapshot(adopted=adopted)
        for shipper in self._shippers:
            shipper.hurry()
        with self._progress:
            self._progress.wait_for(lambda: not _left(journal, wanted), timeout if self._threads else 0)
        return _left(journal, wanted)

    def close(self, timeout: float) -> int:
        """Flush, stop the threads, close the sinks and let go of the segments, in *timeout* seconds, but at least 0.4.

        What is left stays on disk and is adopted by the next process, a sibling or `flywheel-log drain`. Returns how
        many events that is.
        """
        deadline = time.monotonic() + max(timeout, _LAST_WORDS_S)
        left = self.flush(max(0.0, timeout - _LAST_WORDS_S))
        with self._lock:
            journal, running = self._journal, self._threads
            workers: list[Keeper | Shipper] = [*self._shippers, *filter(None, [self._keeper])]
            self._begin()
        for worker in workers:
            worker.stop()
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in running):
            health.warn("sink_hangs_at_close")
            self._release_later(journal, running)
        else:
            journal.release()
        return left

    def _release_later(self, journal: Journal, running: list[threading.Thread]) -> None:
        # A sink that hangs in a write may still acknowledge it, so its segments stay with it as long as it hangs.
        def release() -> None:
            for thread in running:
                thread.join()
            journal.release()

        threads.start("close", release)

    def stats(self) -> dict[str, Any]:
        """Return accepted and adopted (events), journal_bytes, and for each sink what `Shipper.stats` says."""
        return {
            "accepted": self._journal.accepted,
            "adopted": self._journal.adopted,
            "journal_bytes": self._gauge.read(),
            "sinks": {shipper.name: shipper.stats() for shipper in self._shippers},
        }

    def before_fork(self) -> None:
        """Wait until no segment is half made."""
        self._journal.before_fork()

    def after_fork(self) -> None:
        """Go on in the parent."""
        self._journal.after_fork()

    def forget(self) -> None:
        """Begin anew in a forked child: another run, other segments, threads of its own at its first event."""
        self._journal.forget()
        self._begin()


def _left(journal: Journal, wanted: list[tuple[Segment, int]]) -> int:
    """How many of the events in *wanted*, and of those that are aside, some sink has not acknowledged."""
    # In this order: what a sink puts off meanwhile is counted here, there, or twice, but never not at all.
    waiting = sum(segment.left(events) for segment, events in wanted)
    return waiting + sum(segment.left() for segment in journal.segments() if segment.aside)
