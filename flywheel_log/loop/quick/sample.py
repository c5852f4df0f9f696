"""Whether the lines of a log have the shape of events: all lines of a small log, a sample of a large one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from flywheel_log.process.compression import is_compressed

from ..reading.read import parse
from ..reading.sources.file import opened
from ..values import utc

_FIRST, _PLACES = 500, 64


def is_sound(path: Path) -> bool:
    """Tell whether the first lines of *path*, and those spread over the rest, are records whose times are of UTC."""
    try:
        for line in _lines(path):
            if line.strip() and utc(at := parse(line)["timestamp"]) != at:
                return False
    except (ValueError, RecursionError):
        return False
    return True


def _lines(path: Path) -> Iterator[bytes]:
    with opened(path) as lines:
        yield from islice(lines, _FIRST)
        if is_compressed(path):  # what is further on takes long to reach
            return
        begin, size = lines.tell(), path.stat().st_size
        for number in range(_PLACES if begin < size else 0):
            lines.seek(begin + (size - begin) * number // _PLACES)
            lines.readline()
            if (line := lines.readline()).endswith(b"\n"):
                yield line
