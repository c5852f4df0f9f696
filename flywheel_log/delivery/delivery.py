"""The journal and its threads as one thing: put, flush, close."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..health import health
from ..process import forks
from ..process.interruptions import interruptions
from ..process.randomness import rng
from ..sinks import Sink, open_sink
from . import space
from .crew import Crew, Worker
from .destination import Destination
from .enrich import Enrich
from .journal import Journal
from .keeper import Keeper
from .shipper import Shipper
from .supply import Released
from .tuning import Tuning

if TYPE_CHECKING:
    from ..config import Settings

QUOTA_BYTES = 1 << 30
_LAST_WORDS_S = 0.4


def new_run() -> str:
    """Return the random part of a process's ids: twelve hexadecimal digits."""
    return os.urandom(6).hex()


class Delivery:
    """Takes events from the program's own calls and brings them to every sink, through crashes and outages.

    Opens and starts nothing before the first `put`; then one thread a sink and one for the journal. A forked child
    begins anew at its own first `put`. After `close` the next `put` begins anew, too, if there is no successor.

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
        random: Callable[[], float] = rng.random,
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
        self._new_keeper = partial(Keeper, tuning=self._tuning, chore=chore)
        self._new_shipper = partial(Shipper, tuning=self._tuning, random=random, open_sink=open_sink, enrich=enrich)
        self._successor: Callable[[bytes], str | None] | None = None
        self._crew = Crew(self._new_journal())
        forks.watch(self)

    @classmethod
    def of(cls, settings: Settings, enrich: Enrich, chore: Callable[[], object]) -> Self:
        """Return the delivery that *settings* ask for."""
        return cls(
            settings.sinks,
            settings.journal,
            quota_bytes=settings.journal_quota_mb << 20,
            fsync=settings.durability == "fsync",
            enrich=enrich,
            chore=chore,
        )

    def _relieve(self, fresh: Crew, successor: Callable[[bytes], str | None] | None) -> Crew:
        """Have *fresh* in the place of the crew there was, which is returned."""
        self._successor = successor
        before, self._crew = self._crew, fresh
        return before

    def put(self, line: bytes) -> str | None:
        """Store *line*, a JSON object without an id, and return its id; from then on no crash of the process loses it.

        Returns None if it had to be dropped, which `health` counts by reason, or if a finaliser or the handler of a
        signal calls this inside of a put: then it is put behind that. Never raises, never waits for a sink.
        """
        try:
            if interruptions.postpones(self.put, line):
                return None
            while True:
                crew = self._crew
                if crew.keeper is None:
                    crew = self.start()
                    if self._successor is not None:
                        return self._successor(line)
                try:
                    return crew.journal.put(line)
                except Released:  # By another thread, which has put the next one in its place.
                    continue
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the program's own call
            health.drop("journal_failed", error)
            return None

    def start(self) -> Crew:
        """Start the threads, once, unless there is a successor, and return their crew."""
        crew, workers = forks.undisturbed(self._hire)
        crew.run(workers)  # Not undisturbed: whoever starts a thread waits for it, and it may run finalisers.
        return crew

    def _hire(self) -> tuple[Crew, list[Worker]]:
        crew = self._crew
        return crew, crew.hire(self._new_keeper, self._new_shipper) if self._successor is None else []

    def adopt(self) -> bool:
        """Take over a few segments of dead processes now, and ship them like our own.

        Tells whether there were any, or may be more: those of a run that another process has begun to ship are its own
        to take for as long as it is at it.
        """
        keeper = self.start().keeper
        return keeper is not None and keeper.adopt()

    def adopted_segments(self) -> int:
        """How many segments of dead processes are held here, shipped or not."""
        return sum(segment.adopted for segment in self._crew.journal.segments())

    def flush(self, timeout: float | None, *, adopted: bool = False) -> int:
        """Wait until every sink has acknowledged everything put so far, at most *timeout* seconds (None: for ever).

        What was adopted from dead processes counts only if *adopted*, or if a sink has put it off. Returns how many
        events still wait; 0: all there.
        """
        return self._crew.flush(timeout, adopted=adopted)

    def close(self, timeout: float, successor: Callable[[bytes], str | None] | None = None) -> int:
        """Flush, stop the threads, close the sinks and let go of the segments, in *timeout* seconds, but at least 0.4.

        What is left stays on disk and is adopted by the next process, a sibling or `flywheel-log drain`. Returns how
        many events that is. *successor*, if any, takes what is put from now on, as other threads may do that have begun
        to record before.
        """
        deadline = time.monotonic() + max(timeout, _LAST_WORDS_S)
        flushed = time.monotonic() + max(0.0, timeout - _LAST_WORDS_S)
        self.flush(max(0.0, timeout - _LAST_WORDS_S))
        crew = forks.undisturbed(self._relieve, Crew(self._new_journal()), successor)
        crew.journal.refuse()
        left = crew.flush(max(0.0, flushed - time.monotonic()), adopted=False)  # And what was put meanwhile.
        crew.stop(deadline)
        return left

    def stats(self) -> dict[str, Any]:
        """Return accepted and adopted (events), journal_bytes, and for each sink what `Shipper.stats` says."""
        crew = self._crew
        return {
            "accepted": crew.journal.accepted,
            "adopted": crew.journal.adopted,
            "journal_bytes": self._gauge.read(),
            "sinks": {shipper.name: shipper.stats() for shipper in crew.shippers},
        }

    def forget(self) -> None:
        """Begin anew in a forked child: another run, other segments, threads of its own at its first event."""
        self._crew = Crew(self._new_journal())
