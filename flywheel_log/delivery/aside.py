"""Lines that a sink puts off while those behind them go on: where they stand in their segment."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

Place = tuple[int, int]


class Aside:
    """What one sink has put off of one segment, by what it waits for; sixteen bytes of memory a line.

    It is not written to disk: the position there stays before the first of these lines, so after a crash they are
    offered again with all that follow, which only sinks that know what they hold may cause.
    """

    def __init__(self) -> None:
        self._ends: dict[str, tuple[array[int], array[int]]] = {}

    def __len__(self) -> int:
        """How many lines there are."""
        return sum(len(starts) for starts, _ in self._ends.values())

    def add(self, lane: str, places: Iterable[Place]) -> None:
        """Put the lines at *places* (first byte, and the one behind the last) behind those that wait for *lane*."""
        starts, ends = self._ends.setdefault(lane, (array("Q"), array("Q")))
        for start, end in places:
            starts.append(start)
            ends.append(end)

    def lanes(self) -> list[str]:
        """What lines wait for."""
        return list(self._ends)

    def first(self, default: int) -> int:
        """Return where the first of the lines begins, or *default* where there is none."""
        return min((starts[0] for starts, _ in self._ends.values()), default=default)

    def next(self, lane: str, most_lines: int, most_bytes: int) -> list[Place]:
        """Return the next places of *lane*: at most *most_lines*, and about *most_bytes*, but one at least."""
        found: list[Place] = []
        for place in zip(*(ends[:most_lines] for ends in self._ends.get(lane, ())), strict=True):
            most_bytes -= place[1] - place[0]
            if found and most_bytes < 0:
                break
            found.append(place)
        return found

    def remove(self, lane: str, count: int) -> None:
        """Take the first *count* lines of *lane* away."""
        starts, ends = self._ends[lane]
        del starts[:count], ends[:count]
        if not starts:
            del self._ends[lane]
