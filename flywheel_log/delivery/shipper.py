"""The thread of one sink: read the journal's segments, hand batches to the sink, note how far it came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..health import health, name_of
from ..sinks import PutOff, RetryLater, Sink
from .aside import Aside
from .batch import next_batch
from .bell import Bell
from .enrich import Enrich, enriched
from .journal import Journal
from .outlet import Outlet
from .retry import Backoff
from .segments import Segment
from .syncing import Syncing
from .tuning import Tuning

T = TypeVar("T")


class Shipper:
    """Empties the journal into one sink, for as long as it takes, and never gives an event up.

    Args:
        number: the sink's place in the destination.
        journal: what is shipped.
        tuning: defaults for what the sink does not say itself.
        random: for the jitter; floats in [0, 1).
        progress: notified after each acknowledged batch.
        open_sink: opens the sink of a URL.
        enrich: tells what to add to an event before the sink gets it.
    """

    def __init__(
        self,
        number: int,
        journal: Journal,
        tuning: Tuning,
        *,
        random: Callable[[], float],
        progress: threading.Condition,
        open_sink: Callable[[str], Sink],
        enrich: Enrich | None = None,
    ) -> None:
        self.name = journal.destination.names[number]
        self.bell = Bell()
        self._number = number
        self._outlet = Outlet(self.name, journal.destination.urls[number], open_sink, tuning)
        self._syncing = Syncing(number, self._outlet, journal, tuning.sync_s, tuning.first_segment_bytes)
        self._journal = journal
        self._progress = progress
        self._backoff = Backoff(random)
        self._aside = Aside(journal, number)
        self._aside_backoff = Backoff(random)
        self._enrich = enrich
        self._hurry = Bell()
        self._stopping = False
        self._acknowledged = 0
        self._retried = 0
        self._last_error: str | None = None
        self._behind_since: float | None = None
        self._reread_at: float | None = None
        self._aside_at: float | None = None

    def run(self) -> None:
        """Ship until stopped, then close the sink. The body of the thread."""
        while not self._stopping:
            self.bell.wait(self._idle_s())
            self._outlet.open_early()
            self._hurry.wait(self._outlet.option("linger_s"))
            self._hurry.rearm()
            self.bell.rearm()
            self._guard(self._ship)
            self._guard(self._sync)
        self._guard(self._sync)
        self._guard(self._outlet.close)

    def hurry(self) -> None:
        """Try again at once, whatever the back-off says."""
        if self._aside_at is not None:
            self._aside_at = 0.0
        self._hurry.ring()
        self.bell.ring()

    def stop(self) -> None:
        """Let the thread end after what it is writing now."""
        self._stopping = True
        self.hurry()

    def stats(self) -> dict[str, Any]:
        """Return acknowledged, waiting, retried (events), lag_s (seconds), last_error, and the sink's own counters."""
        waiting = sum(segment.waiting(self._number) for segment in self._journal.segments())
        behind = self._behind_since
        return {
            "acknowledged": self._acknowledged,
            "waiting": waiting,
            "retried": self._retried,
            "lag_s": round(time.monotonic() - behind, 3) if waiting and behind is not None else 0.0,
            "last_error": self._last_error or self._syncing.error,
            **self._outlet.stats(),
        }

    def _idle_s(self) -> float | None:
        due = [at for at in (self._reread_at, self._aside_at, self._syncing.at) if at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except _Stopped:
            return
        except Exception as error:  # noqa: BLE001 - a thread that dies ships nothing any more
            self._last_error = name_of(error)
            health.drop("shipper_failed", error)

    def _ship(self) -> None:
        self._behind_since = time.monotonic()
        self._reread_at = None
        for segment in self._journal.segments():
            if not segment.aside:
                self._ship_segment(segment)
        if self._aside_at is not None and time.monotonic() >= self._aside_at:
            self._ship_aside()
        self._behind_since = None

    def _ship_segment(self, segment: Segment) -> None:
        try:
            while self._ship_batch(segment):
                pass
        except OSError as error:  # Of the journal; the other segments need not wait until it can be used again.
            self._failed("journal_failing", segment.waiting(self._number), name_of(error))
            self._reread_at = time.monotonic() + self._backoff.delay()
        except Exception as error:  # noqa: BLE001 - the other segments are shipped all the same
            health.drop("shipper_failed", error)
        self._syncing.consider(segment)
        self._journal.retire(segment)

    def _ship_batch(self, segment: Segment) -> bool:
        start = segment.positions.acknowledged[self._number]
        if start >= segment.used:
            return False
        outlet = self._outlet
        self._patiently(outlet.opened)  # First, for the sink says how much it takes at once.
        batch = next_batch(segment, start, outlet.option("batch_lines"), outlet.option("batch_bytes"))
        offered = enriched(batch.lines, self._enrich, outlet.option("prepare"))
        waiting = self._patiently(lambda: outlet.unstored(offered, segment, self._number))
        off = self._store(waiting)
        if off and segment.aside:
            return False
        raw = dict(zip(offered, batch.lines, strict=True)) if off else {}
        for lane, lines in off.items():
            self._aside.add(lane, [raw[line] for line in lines], segment)
        self._stored(batch.events - sum(map(len, off.values())))  # First: who sees that nothing waits reads it next.
        segment.acknowledge(self._number, batch.end, batch.events)
        with self._progress:
            self._progress.notify_all()
        return True

    def _ship_aside(self) -> None:
        """Offer again what was put off; the first batch of a lane shows whether what it waits for is there."""
        self._aside_at = None
        for lane, segments in self._aside.lanes().items():
            for segment in segments:
                self._ship_segment(segment)
                if segment.waiting(self._number):
                    break
                self._aside.remove(lane)
        if not self._aside:
            self._last_error = None
            self._aside_backoff.reset()
        elif self._aside_at is None:  # It was not even offered: the journal is at fault.
            self._aside_at = time.monotonic() + self._aside_backoff.delay()

    def _store(self, lines: Sequence[bytes]) -> Mapping[str, Sequence[bytes]]:
        """Hand *lines* to the sink until it has them; return those that it puts off."""
        try:
            while lines:
                lines = self._write(lines)
        except PutOff as error:
            self._failed(error.reason, sum(map(len, error.lines.values())))
            if self._aside_at is None:
                self._aside_at = time.monotonic() + self._aside_backoff.delay(error.after)
            return {lane: waiting for lane, waiting in error.lines.items() if waiting}
        return {}

    def _write(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        again = self._patiently(lambda: self._outlet.opened().write(lines), len(lines))
        if len(again) < len(lines):
            self._backoff.reset()
        if again:
            self._retried += len(again)
            self._pause(self._backoff.delay())
        return again

    def _stored(self, events: int) -> None:
        self._acknowledged += events
        if self._aside_at is None:
            self._last_error = None

    def _patiently(self, attempt: Callable[[], T], events: int = 0) -> T:
        """Return what *attempt* returns, however often it raises before; *events* is what it is about."""
        while not self._stopping:
            try:
                return attempt()
            except PutOff:
                raise
            except RetryLater as error:
                self._failed(error.reason, events)
                self._pause(self._backoff.delay(error.after))
            except Exception as error:  # noqa: BLE001 - whatever a sink raises, its events are offered again
                self._failed(name_of(error), events)
                self._pause(self._backoff.delay())
        raise _Stopped

    def _failed(self, reason: str, events: int, detail: str = "") -> None:
        self._retried += events
        self._last_error = reason
        self._outlet.complain(detail or reason)

    def _pause(self, seconds: float) -> None:
        self._hurry.wait(seconds)
        self._hurry.rearm()
        if self._stopping:
            raise _Stopped

    def _sync(self) -> None:
        self._syncing.sync(early=self._stopping)


class _Stopped(BaseException):
    """The thread has been told to end; what is not acknowledged waits on disk."""
