"""The caller's side: give an event its id and copy it where no crash of the process can reach it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence

from ..health import health
from ..process.forks import undisturbed, watch
from ..process.interruptions import interruptions
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
        self.supply = Supply(destination, self._run, clock, tuning, quota)
        self.making = self.supply.making
        # While the process forks no segment may be half made: its descriptor would be the child's for ever.
        self.locks: tuple[threading.RLock, ...] = (self.making,)
        self._ids = itertools.count(1)
        self._current: Segment | None = None
        self.unsynced = False
        self.losses = Losses()
        watch(self)

    def put(self, line: bytes) -> str | None:
        """Store *line*, a JSON object in one line, with its new id in front; return the id.

        Returns None if the line had to be dropped; the reason is counted in `health` and reported as a `loss_report`
        event when there is room again. Not for a finaliser that interrupts another `put` of the same thread.

        Raises:
            Released: after `refuse`.
        """
        if not line.startswith(b'{"') or b"\n" in line or b"\0" in line:
            health.drop("bad_line")
            return None
        identity = undisturbed(self._store, line)
        if health.unsaid:
            health.say()
        for bell in self.bells:
            if not bell.rung:
                bell.ring()
        return identity

    def _store(self, line: bytes) -> str | None:
        if self.supply.released:
            raise Released
        identity = f"{self._run}-{next(self._ids)}"
        if reason := self._append(identity, line):
            self.losses.add(reason, identity)
        else:
            self.accepted += 1
        if self.losses:
            self._report()
        return None if reason else identity

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

    def _report(self) -> None:
        if self.supply.refused():
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
            undisturbed(self._report)
            for bell in self.bells:
                bell.ring()

    def let_go(self) -> None:
        """Begin a new segment with the next event, so that the one there is goes as soon as all of it is delivered."""
        undisturbed(self._seal)
        for bell in self.bells:
            bell.ring()

    def _seal(self) -> None:
        if self._current is not None:
            self._current.sealed = True
            self._current = None

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
        segments = undisturbed(lambda: [(one, one.events) for one in self.segments()])
        return [(one, events) for one, events in segments if not one.aside and (adopted or not one.adopted)]

    def refuse(self) -> None:
        """Take no more lines: from now on, `put` raises `Released`. Losses that had no room are told first."""
        if interruptions.postpones(self.refuse):
            self.supply.released = True  # At once, too: the put that this interrupts is the last one.
        else:
            undisturbed(self._refuse)

    def _refuse(self) -> None:
        if self.losses:
            self.supply.make_room()
            self._report()
        self.supply.released = True

    def release(self) -> None:
        """Delete what is shipped and leave the rest to be adopted; events in memory that no sink took are lost.

        If this interrupts a put, it is done behind that.
        """
        self.refuse()
        if interruptions.postpones(self.release):
            return
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
