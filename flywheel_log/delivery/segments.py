"""One segment of the journal: a preallocated, memory-mapped file of JSON lines that only its owner writes."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..health import health
from ..process.disk import sync_name
from . import space
from .held import Held
from .positions import ALL, Positions
from .positions import SUFFIX as POSITIONS

_NEWLINE = 10
_WARM_BYTES = 1 << 17
_WARM_BYTES_AT_MOST = 1 << 20


class Segment:
    """JSON lines, one after the other, padded with NUL; alive while somebody holds the flock on it.

    A line is written back to front (body, head, newline), so a process killed at any moment leaves either the whole
    line or something that does not end in a newline, and such a line is none.

    Attributes:
        path: the file; None for a segment in memory, when there is no directory to write to.
        size, used: bytes there are, and bytes that hold lines.
        events: how many lines there are.
        shipped: how many of them each sink has acknowledged.
        secured: the bytes, from the start, that each sink has acknowledged and brought to the disk itself.
        aside: whether its lines have been put off by the one sink that it is for.
        adopted: whether another process wrote it and died.
        sealed: no line will follow.
        attention: where the keeper should have a look before more is written.
    """

    def __init__(self, path: Path | None, held: Held, sinks: int) -> None:
        self.path = path
        self.size = held.size
        self.used = 0
        self.events = 0
        self.shipped = [0] * sinks
        self.secured = [0] * sinks
        self.adopted = False
        self.aside = False
        self.sealed = False
        self.positions = Positions(path and path.with_suffix(POSITIONS), sinks)
        self._held = held
        self._copy: Held | None = None
        self._synced = 0
        self._warmed = 0
        self.attention = 0

    @classmethod
    def create(cls, path: Path, size: int, sinks: int) -> Segment:
        """Make the file of *size* bytes at *path*, locked and preallocated; it appears there only when it is complete.

        Raises:
            OSError: there is no room, no permission or no such directory; nothing is left behind.
        """
        return cls(path, Held.create(path, size), sinks)

    @classmethod
    def in_memory(cls, size: int, sinks: int) -> Segment:
        """Make a segment that dies with the process."""
        return cls(None, Held.in_memory(size), sinks)

    @classmethod
    def adopt(cls, path: Path, sinks: int) -> Segment | None:
        """Take over the segment at *path* if its owner is dead; return None if it lives or the file is gone.

        Lines behind a hole (a page that a power failure kept from the disk) are found too.
        """
        try:
            segment = cls(path, Held.take(path), sinks)
        except (BlockingIOError, FileNotFoundError):
            return None
        try:
            segment._take_stock()
        except BaseException:
            segment.close()
            raise
        return segment

    def _take_stock(self) -> None:
        data = self.read(0, self.size)
        self.used = data.rfind(b"\n") + 1
        self.events = data.count(b"\n")
        self.positions.load(self.used)
        self.shipped = [data.count(b"\n", 0, position) for position in self.positions.acknowledged]
        self.adopted = self.sealed = True
        self._synced = self.used

    def append(self, head: bytes, line: bytes) -> None:
        """Write *line*, a JSON object, with *head* in the place of its opening brace; the caller has checked the room.

        Raises:
            OSError: the segment is no memory map and the disk refused.
        """
        start, body = self.used, self.used + len(head) - 1
        end = body + len(line) + 1
        if (pages := self._held.pages) is not None:
            pages[body : end - 1] = line
            pages[start : body + 1] = head
            pages[end - 1] = _NEWLINE
        else:
            self._held.write(head + line[1:] + b"\n", start)
        self.events += 1
        self.used = end

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from *start* to *end*, fewer at the end of the file.

        Raises:
            OSError: the disk refused.
        """
        return self._held.read(start, end)

    def sync(self) -> None:
        """Bring what was appended to the disk itself, beyond the reach of a power failure."""
        used = self.used
        if self.path is not None and used > self._synced:
            self._held.sync()
            if not self._synced:
                with suppress(FileNotFoundError):  # Somebody deleted its directory: it has no name any more.
                    sync_name(self.path)
            self._synced = used

    def warm(self) -> None:
        """Have the pages that come next ready, so that no caller waits for them: as many as were used since last time.

        A page fault costs a caller some microseconds, and a page that was synced faults anew.
        """
        used = self.used
        ahead = max(_WARM_BYTES, min(4 * (used - self._warmed), _WARM_BYTES_AT_MOST))
        self._warmed = used
        self.attention = used + ahead // 2
        start = used - used % mmap.PAGESIZE
        if (pages := self._held.pages) is not None and start < self.size:
            space.populate(pages, start, min(ahead, self.size - start))

    def rest(self) -> None:
        """Unmap the file once it is sealed: it may wait for long, and reading needs no map."""
        if self.sealed:
            self._held.rest()

    def exists(self) -> bool:
        """Tell whether the file is open and still has its name, so that another process can find it."""
        return (self._copy or self._held).is_named()

    def restore(self, prepare: Callable[[], object]) -> None:
        """Give what waits in a file that somebody deleted a file of that name, in a directory that *prepare* makes.

        It is read from where it was; the other one is for whoever comes after a crash. No line may follow.

        Raises:
            OSError: there is no room, or no permission.
        """
        if self.path is None or self.done() or not (self._copy or self._held).is_deleted():
            return
        prepare()
        self.positions.restore()  # First, for without them all would be offered again.
        before, self._copy = self._copy, Held.holding(self.path, self.read(0, self.used))
        if before is not None:
            before.close()

    def acknowledge(self, sink: int, position: int, events: int) -> None:
        """Note that sink number *sink* has everything before *position*, which is *events* lines more."""
        self.positions.acknowledge(sink, position)
        self.shipped[sink] += events

    def is_insecure(self, sink: int) -> bool:
        """Tell whether sink number *sink* has something that is not on the disk itself, as far as is known."""
        return self.secured[sink] < self.positions.acknowledged[sink]

    def secure(self, sink: int) -> None:
        """Note that what sink number *sink* has acknowledged is beyond the reach of a power failure."""
        self.secured[sink] = self.positions.acknowledged[sink]

    def reserve(self, sink: int) -> None:
        """Keep the segment for what sink number *sink* puts off: no other sink waits for its lines."""
        self.aside = True
        for other in range(len(self.shipped)):
            if other != sink:
                self.acknowledge(other, ALL, ALL)
                self.secure(other)

    def waiting(self, sink: int, events: int | None = None) -> int:
        """How many of the lines, or of the first *events*, wait for sink number *sink*."""
        return max(0, (self.events if events is None else events) - self.shipped[sink])

    def left(self, events: int | None = None) -> int:
        """How many of the lines, or of the first *events*, wait for some sink."""
        return max((self.waiting(sink, events) for sink in range(len(self.shipped))), default=0)

    def done(self) -> bool:
        """Tell whether every sink has acknowledged every line."""
        return min(self.positions.acknowledged, default=self.used) >= self.used

    def settled(self) -> bool:
        """Tell whether every sink has brought every line to the disk itself, so that nobody needs this file."""
        return min(self.secured, default=self.used) >= self.used

    def remove(self) -> None:
        """Delete the file: everything in it is stored elsewhere."""
        try:
            if self.path is not None:
                self.path.unlink(missing_ok=True)  # First, for a segment without positions would be shipped again.
            self.positions.remove()
        except OSError as error:
            health.note("a delivered journal file could not be deleted", error)
        self.close()

    def leave(self, prepare: Callable[[], object]) -> None:
        """Delete what is shipped, and leave the rest to whoever comes next; what is in memory alone is lost.

        What was deleted is restored, in a directory that *prepare* makes.
        """
        if self.settled():
            self.remove()
        elif self.path is None and not self.done():
            health.drop("memory_lost", count=self.left())
        try:
            self.restore(prepare)
        except OSError as error:
            health.drop("segment_lost", error, count=self.left())
        self.close(shrunk=not self.adopted)  # Or it has been, if it may be.

    def shrink(self) -> None:
        """Keep no more room than the lines take: none will follow, and programs may leave thousands of files behind."""
        self._held.shrink(self.used)
        self.size = self._held.size

    def close(self, *, shrunk: bool = False) -> None:
        """Let go of the file; whoever comes next adopts it. A forked child calls this too: the parent's lock stays.

        With *shrunk*, it is cut to what it holds before.
        """
        self._held.close(self.used if shrunk else None)
        if self._copy is not None:
            self._copy.close()
        self.positions.close()
