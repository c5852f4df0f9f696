"""Where new segments come from: the disk within its quota, or memory when no directory can be written."""

from __future__ import annotations

import errno
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ..health import health
from . import space
from .destination import Destination
from .names import name
from .segments import Segment
from .tuning import Tuning

FULL = {errno.ENOSPC, errno.EDQUOT}
_UNWRITABLE = "the journal is not writable, so a crash loses events; set FLYWHEEL_LOG_JOURNAL to a writable directory"


class Released(Exception):
    """The journal has been let go of: what was put now would be delivered by nobody."""


class Supply:
    """Makes segments, one ahead of need if asked to.

    Args:
        destination: where segments live.
        run: part of their names.
        clock: seconds since the epoch, part of their names.
        tuning: their sizes.
        quota: bytes that all journals under the same root may take together.

    Attributes:
        making: held while threads of ours make or adopt segments, and while the process forks. Nobody waits for it
            who holds up callers: a finaliser may put an event while it is held.
        released: no line is taken any more.
    """

    def __init__(
        self, destination: Destination, run: str, clock: Callable[[], float], tuning: Tuning, quota: int
    ) -> None:
        self.making = threading.RLock()
        self.released = False
        self._destination = destination
        self._run = run
        self._clock = clock
        self._tuning = tuning
        self._quota = quota
        self._numbers = itertools.count()
        self._asides = itertools.count()
        self._spares: list[Segment] = []  # One at most; put there and taken by single operations.
        self._taken: Path | None = None
        self._refused_until = 0.0
        self._latest = 0
        self._measured = True

    def take(self, need: int, others: Sequence[Segment]) -> Segment:
        """Return a segment with room for *need* bytes, which no other thread asks for; *others* are those there are.

        Raises:
            OSError: there is no room, neither on the disk nor in memory.
        """
        spare = self._spares.pop() if self._spares else None
        if spare is not None and (spare.size < need or not spare.exists() or self._is_late(spare)):
            spare.remove()
            spare = None
        if spare is None and self.refused():
            raise OSError(errno.ENOSPC, "there was no room a moment ago")
        try:
            segment = spare or self._make(need, others)
        except OSError:
            self._refused_until = time.monotonic() + self._tuning.refused_s
            raise
        self._taken = segment.path or self._taken
        return segment

    def _is_late(self, spare: Segment) -> bool:
        """Whether one was made and taken while *spare* was made: what we leave is delivered in the order of names."""
        return self._taken is not None and spare.path is not None and spare.path < self._taken

    def prepare(self, others: Sequence[Segment]) -> None:
        """Make the next segment ahead of need, if there is room; if not, `take` says so to whoever needs one."""
        with self.making:
            if self._spares or self.refused():
                return
            with suppress(OSError):
                segment = self._make(self._tuning.first_segment_bytes, others)
                if segment.path is not None:
                    segment.warm()
                    self._spares.append(segment)

    def is_prepared(self) -> bool:
        """Tell whether there is a segment on the disk that nobody has taken yet."""
        return bool(self._spares)

    def aside(self, need: int, sink: int, *, lasting: bool, first: bool) -> Segment:
        """Make a segment of at least *need* bytes for what sink number *sink* puts off, in memory unless *lasting*.

        The quota does not count: what the lines take is given back where they come from.

        Raises:
            OSError: there is no room.
        """
        size = max(need, self._tuning.first_segment_bytes)
        usual = size if first else self._tuning.segment_bytes
        sinks = len(self._destination.urls)
        if lasting:
            self._destination.prepare()
            size = max(size, min(usual, self._room() // 2))
            segment = Segment.create(self._path(f"aside{next(self._asides)}"), size, sinks)
        else:
            segment = Segment.in_memory(max(size, usual), sinks)
        segment.reserve(sink)
        return segment

    def refused(self) -> bool:
        """Tell whether there was no room a moment ago; to ask the disk each time would make callers wait."""
        return time.monotonic() < self._refused_until

    def make_room(self) -> None:
        """Let the next report of losses in, even if the quota is used up: it takes a few hundred bytes."""
        self._refused_until = 0.0
        self._measured = False

    def release(self) -> None:
        """Delete what was made ahead of need."""
        with self.making:
            while self._spares:
                self._spares.pop().remove()

    def forget(self) -> None:
        """Let go, in a forked child, of what the parent made ahead of need."""
        for spare in self._spares:
            spare.close()

    def _make(self, need: int, others: Sequence[Segment]) -> Segment:
        number = next(self._numbers)
        usual = self._tuning.segment_bytes if number else self._tuning.first_segment_bytes
        try:
            self._destination.prepare()
            room = self._room() if self._measured else need
            if need > room:
                raise OSError(errno.ENOSPC, "the journal may not grow by so much")
            # Half of what is left at most: there is always room for the next one, and the smaller it is, the sooner
            # this one is full, delivered and gone.
            size = max(need, min(usual, room // 2))
            return Segment.create(self._path(number), size, len(self._destination.urls))
        except OSError as error:
            if error.errno in FULL:
                raise
            health.note(_UNWRITABLE, error)
            return self._make_in_memory(max(need, usual), others)

    def _make_in_memory(self, size: int, others: Sequence[Segment]) -> Segment:
        taken = sum(segment.size for segment in others if segment.path is None)
        if taken + size > self._tuning.memory_bytes:
            raise OSError(errno.ENOSPC, "too much waits in memory")
        return Segment.in_memory(size, len(self._destination.urls))

    def _room(self) -> int:
        return space.room(self._destination.directory.parent, self._quota)

    def _path(self, number: int | str) -> Path:
        # A clock may be set back, and what we leave behind is delivered in the order of the names.
        self._latest = max(self._latest + 1, int(self._clock() * 1e9))
        return self._destination.directory / name(self._latest, self._run, number)
