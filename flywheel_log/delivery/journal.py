"""The caller's side: give an event its id and copy it where no crash of the process can reach it."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence

from ..health import health
from ..process import forks
from .bell import Bell
from .destination import Destination
from .losses import Losses
from .segments import Segment
from .supply import FULL, Released, Supply
from .tuning import Tuning


class Journal:
    """The segments of one process for one destination, its own and those it adopted.

    `put` is all that a caller ever waits for: no system call, no thread switch, one copy.

    Args:
        destination: which sinks, and where their segments live.
        run: returns the random part of every id; unique per process and fork.
        clock: seconds since the epoch.
        tuning: sizes of segments.
        quota: bytes that all journals under the same root may take together.
        durable: bring every line to the disk itself before `put` returns.
    """

    def __init__(
        self,
        destination: Destination,
        run: Callable[[], str],
        clock: Callable[[], float],
        tuning: Tuning,
        *,
        quota: int,
        durable: bool,
    ) -> None:
        self.destination = destination
        # Only changed by single list operations: a finaliser may come in between any two of ours.
        self._segments: list[Segment] = []
        self.accepted = self.adopted = 0
        self.keeper_bell = Bell()
        self.bells: Sequence[Bell] = ()
        self._run = run()
        self._durable = durable
        self._clock = clock
        self._lock = forks.lock
        self.supply = Supply(destination, self._run, clock, tuning, quota)
        self.making = self.supply.making
        # While the process forks no segment may be half made: its descriptor would be the child's for ever.
        self.locks: tuple[threading.RLock, ...] = (self.making, self._lock)
        self._ids = itertools.count(1)
        self._current: Segment | None = None
        self._busy = self._released = self.unsynced = False
        self._deferred: deque[tuple[str, bytes]] = deque()
        self.losses = Losses()
        forks.watch(self)

    def put(self, line: bytes) -> str | None:
        """Store *line*, a JSON object in one line, with its new id in front; return the id.

        Returns None if the line had to be dropped; the reason is counted in `health` and reported as a `loss_report`
        event when there is room again. A call from a finaliser that interrupts another `put` of the same thread is
        stored when that one is. Raises `Released` after `release`.
        """
        if not line.startswith(b'{"') or b"\n" in line or b"\0" in line:
            health.drop("bad_line")
            return None
        with self._lock:
            if self.supply.released:
                raise Released
            identity = f"{self._run}-{next(self._ids)}"
            if self._busy:
                self._deferred.append((identity, line))
                return identity
            self._busy = True
            try:
                stored = self._store(identity, line)
            finally:
                self._busy = False
            if self._deferred or self.losses:
                self._settle()
        if self._released:  # By a signal's handler, inside of this.
            self.release()
        if health.unsaid:
            health.say()
        for bell in self.bells:
            if not bell.rung:
                bell.ring()
        return identity if stored else None

    def _store(self, identity: str, line: bytes) -> bool:
        reason = self._append(identity, line)
        if reason is None:
            self.accepted += 1
            return True
        self.losses.add(reason, identity)
        return False

    def _append(self, identity: str, line: bytes) -> str | None:
        """Copy the line into a segment; return None, or why it could not be done."""
        head = f'{{"id":"{identity}",'.encode()
        need, segment = len(head) + len(line), self._current
        try:
            if segment is None or segment.used + need > segment.size:
                segment = self._roll(need)
            segment.append(head, line)
            if self._durable:
                segment.sync()
        except OSError as error:
            return "journal_full" if error.errno in FULL else "journal_failed"
        if not self.unsynced or segment.used > segment.attention:
            self.unsynced = True
            self.keeper_bell.ring()
        return None

    def _settle(self) -> None:
        """Store what was deferred, and report losses; looks again once not busy, for until then puts are deferred."""
        while True:
            self._busy = True
            try:
                while self._deferred:
                    self._store(*self._deferred.popleft())
                self._report()
            finally:
                self._busy = False
            if not self._deferred:
                return

    def _report(self) -> None:
        if not self.losses or self.supply.refused():
            return
        for report in self.losses.reports(self._clock()):
            if self._append(f"{self._run}-{next(self._ids)}", report.line) is None:
                self.losses.settle(report)

    def _roll(self, need: int) -> Segment:
        segment = self.supply.take(need, self.segments())
        if self._current is not None:
            self._current.sealed = True
        self._current = segment
        self._segments.append(segment)
        return segment

    def sync(self) -> None:
        """Bring what was put so far to the disk itself.

        Raises:
            OSError: the disk refused; the next round tries again.
        """
        self.unsynced = False  # First: what is put from now on is for the next round.
        failed = None
        for segment in self.segments():
            try:
                segment.sync()
            except OSError as error:
                failed = error if segment in self._segments else failed  # Or it is delivered, and was removed just now.
        if failed is not None:
            self.unsynced = True
            raise failed

    def prepare(self) -> None:
        """Have the next pages and the next segment ready before they are needed; report losses once there is room."""
        for segment in self.segments():
            self.retire(segment)
            segment.rest()
        if (current := self._current) is not None:
            current.warm()
        if self.losses and current is not None and current.done():
            self.let_go()  # It may be what fills the quota.
        in_memory = current is not None and current.path is None
        if self.losses or in_memory or (current is not None and current.used * 2 > current.size):
            self.supply.prepare(self.segments())
        if in_memory and self.supply.is_prepared():
            self.let_go()  # The disk takes segments again, and what is put from now on is safe there.
        if self.losses:
            with self._lock:
                self._settle()
            for bell in self.bells:
                bell.ring()

    def let_go(self) -> None:
        """Begin a new segment with the next event, so that the one there is goes as soon as all of it is delivered."""
        with self._lock:
            if self._current is not None:
                self._current.sealed = True
                self._current = None
        for bell in self.bells:
            bell.ring()

    def adopt(self, segment: Segment) -> None:
        """Take in *segment*, of a dead process or of what a sink put off, to be shipped like our own."""
        self.adopted += segment.left()
        # In the order they were written, before our own: a log keeps the order of a process even when others finish it.
        self._segments.insert(sum(other.adopted for other in self._segments), segment)
        for bell in self.bells:
            bell.ring()

    def retire(self, segment: Segment) -> None:
        """Delete *segment* if no line will follow and every sink has brought every line to the disk itself."""
        if segment.sealed and segment.settled():
            with self.making:  # A child forked in between would keep its descriptor, and the disk its blocks.
                if segment in self._segments:  # Or another sink's thread was faster.
                    self._segments.remove(segment)
                    segment.remove()

    def segments(self) -> tuple[Segment, ...]:
        """Return the segments that are not shipped and gone, those of dead processes first."""
        return tuple(self._segments)

    def snapshot(self, *, adopted: bool) -> list[tuple[Segment, int]]:
        """Return the segments and the lines put so far into each; those of dead processes only if *adopted*."""
        with self._lock:
            return [(one, one.events) for one in self.segments() if not one.aside and (adopted or not one.adopted)]

    def refuse(self) -> None:
        """Take no more lines: from now on, `put` raises `Released`. Losses that had no room are told first."""
        with self._lock:
            if self.losses and not self._busy:
                self.supply.make_room()
                self._settle()
            self.supply.released = True

    def release(self) -> None:
        """Delete what is shipped and leave the rest to be adopted; events in memory that no sink took are lost."""
        self.refuse()
        self._released = True
        if not self._busy:  # Else the put that this interrupts goes on, and ends with it.
            with self.making:
                self.supply.release()
                for segment in self._segments:
                    segment.leave(self.destination.prepare)
                self._segments, self._current = [], None

    def forget(self) -> None:
        """Close in a forked child what belongs to the parent: the descriptors, and with them our share of its locks."""
        for segment in self._segments:
            segment.close()
        self.supply.forget()
