"""Lines that a sink postpones while later ones go on: journalled again, where they hold up nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from .journal import Journal
from .segments import Segment


class Aside:
    """What one sink has put off, by what it waits for, in segments of the journal that are for this sink alone.

    So the segments that the lines came from go as soon as all others in them are delivered, and after a crash no other
    line is offered again. Used by the sink's own thread only.

    Args:
        journal: which the lines come from, and stay in.
        sink: the sink's place in the destination.
    """

    def __init__(self, journal: Journal, sink: int) -> None:
        self._journal = journal
        self._sink = sink
        self._lanes: dict[str, list[Segment]] = {}

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self._lanes)

    def add(self, lane: str, lines: Sequence[bytes], source: Segment) -> None:
        """Put *lines* of the segment *source* behind those that wait for *lane*, as safe from a crash as they were.

        Raises:
            OSError: there is no room; some of them may be there.
        """
        for line in lines:
            segments = self._lanes.get(lane, [])
            if not (segments and _takes(segments[-1], len(line) + 1, source)):
                segments.append(self._made(len(line) + 1, source, first=not segments))
                self._lanes[lane] = segments
            segments[-1].append(b"{", line)
        for segment in self._lanes.get(lane, []):
            segment.sync()

    def lanes(self) -> dict[str, tuple[Segment, ...]]:
        """Return the segments of what waits, oldest first, by what it waits for."""
        return {lane: tuple(segments) for lane, segments in self._lanes.items()}

    def remove(self, lane: str) -> None:
        """Let go of the first segment of *lane*: the sink has all that is in it."""
        segments = self._lanes[lane]
        segment = segments.pop(0)
        segment.sealed = True
        self._journal.retire(segment)
        if not segments:
            del self._lanes[lane]

    def _made(self, need: int, source: Segment, *, first: bool) -> Segment:
        with self._journal.making:
            segment = self._journal.supply.aside(need, self._sink, lasting=source.path is not None, first=first)
            self._journal.adopt(segment)
        return segment


def _takes(segment: Segment, need: int, source: Segment) -> bool:
    """Tell whether *segment* has room for *need* bytes of *source*, and keeps them as safely."""
    lasting = segment.path is not None or source.path is None
    return lasting and not segment.sealed and segment.used + need <= segment.size and segment.exists()
