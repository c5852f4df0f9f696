"""The next lines of a segment for one sink."""

from __future__ import annotations

from dataclasses import dataclass

from ..health import health
from ..serialise import loads
from .segments import Segment


@dataclass(frozen=True)
class Batch:
    """Lines to hand to a sink, and what acknowledging them means.

    Attributes:
        lines: JSON objects without newlines.
        end: the position in the segment behind the last of them.
        events: how many lines of the segment that is; damaged ones are counted and not handed on.
    """

    lines: list[bytes]
    end: int
    events: int


def next_batch(segment: Segment, start: int, most_lines: int, most_bytes: int) -> Batch:
    """Read whole lines of *segment* from *start*, where some are, at most *most_lines* and about *most_bytes*.

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
    lines = data[: data.rfind(b"\n")].split(b"\n", most_lines)[:most_lines]
    end = start + sum(map(len, lines)) + len(lines)
    return Batch(list(filter(None, map(_sound, lines))) if segment.adopted else lines, end, len(lines))


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
