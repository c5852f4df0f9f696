"""The next lines of a segment for one sink."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from ..health import health
from ..serialise import loads
from .aside import Place
from .segments import Segment


@dataclass(frozen=True)
class Batch:
    """Lines to hand to a sink, and what acknowledging them means.

    Attributes:
        lines: JSON objects without newlines.
        ends: where in the segment each of them ends.
        end: the position in the segment behind the last of them.
        events: how many lines of the segment that is; damaged ones are counted and not handed on.
    """

    lines: list[bytes]
    ends: list[int]
    end: int
    events: int

    def places(self, numbers: Iterable[int]) -> list[Place]:
        """Return where in the segment the lines of these *numbers*, counted from 0, stand."""
        return [(self.ends[number] - len(self.lines[number]), self.ends[number]) for number in sorted(numbers)]


def next_batch(segment: Segment, start: int, most_lines: int, most_bytes: int) -> Batch | None:
    """Read whole lines of *segment* from *start*, at most *most_lines* and about *most_bytes*; None if there are none.

    A line longer than *most_bytes* comes alone.

    Raises:
        OSError: the disk refused.
    """
    used = segment.used
    data, size = b"", most_bytes
    while start < used and b"\n" not in data:
        data = segment.read(start, min(start + size, used))
        if len(data) < min(size, used - start):
            raise OSError("the segment is shorter than what was written to it")
        size *= 2
    if not data:
        return None
    lines = data[: data.rfind(b"\n")].split(b"\n", most_lines)[:most_lines]
    ends = [start + number + total for number, total in enumerate(accumulate(map(len, lines)))]
    behind, events = ends[-1] + 1, len(lines)
    if segment.adopted:
        sound = [(line, end) for raw, end in zip(lines, ends, strict=True) if (line := _sound(raw))]
        lines, ends = [line for line, _ in sound], [end for _, end in sound]
    return Batch(lines, ends, behind, events)


def _sound(line: bytes) -> bytes | None:
    """Return the event in *line* of a segment whose owner died, or None if the line is damaged."""
    event = line.rpartition(b"\0")[2]  # Behind a hole that a power failure left.
    try:
        if "id" in loads(event):
            return event
    except (ValueError, TypeError, RecursionError):
        pass
    health.drop("damaged_line")
    return None
