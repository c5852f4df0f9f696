"""A log while it is being written, through rotation and truncation: what `tail -F` is for lines, for events."""

from __future__ import annotations

import glob
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from .read import OnBad, Reading, Where
from .sources import file, find


def follow(
    source: Where = "genai.log",
    *,
    last: int = 0,
    interval: float = 0.2,
    wait: Callable[[float], object] = time.sleep,
    on_bad: OnBad | None = None,
) -> Reading:
    """Read the *last* events of a file and then, without end, those that are being added to it.

    Survives rotation (by rename or by truncation) and a file that does not exist yet. Looks every *interval* seconds,
    by calling *wait* with them; what *wait* raises ends the reading.

    Raises:
        ValueError: *source* is not one plain file.
    """
    where = os.fspath(source)
    path = file.path_of(where)
    if find(where) is not file or path.suffix == ".gz" or (glob.has_magic(str(path)) and not path.exists()):
        raise ValueError(f"{where!r} cannot be followed; have one plain file, e.g. genai.log")
    return Reading(_tail(_Growing(path, last), last, lambda: wait(interval)), on_bad)


def _tail(log: _Growing, last: int, pause: Callable[[], object]) -> Iterator[bytes]:
    try:
        yield from deque(log.new(), maxlen=last)
        while True:
            pause()
            yield from log.new()
    finally:
        log.close()


class _Growing:
    """Whatever file has the name *path* at the moment, and how far it has been read: at first, to its *last* lines."""

    def __init__(self, path: Path, last: int) -> None:
        self._path = path
        self._last: int | None = last
        self._stream: BinaryIO | None = None
        self._part = b""
        self._reopen()

    def new(self) -> Iterator[bytes]:
        """Yield the lines that were completed since the last time."""
        yield from self._rest()
        if self._replaced():
            # Written to the old file between the last look and the renaming, and perhaps never finished.
            yield from self._rest()
            yield self._part
            self._reopen()
            yield from self._rest()

    def close(self) -> None:
        """Close what is open."""
        if self._stream is not None:
            self._stream.close()

    def _rest(self) -> Iterator[bytes]:
        while self._stream is not None and (line := self._stream.readline()):
            self._part += line
            if self._part.endswith(b"\n"):
                whole, self._part = self._part, b""
                yield whole

    def _replaced(self) -> bool:
        try:
            now = self._path.stat()
        except FileNotFoundError:  # not there yet, or between the renaming and the new file
            return False
        if self._stream is None:
            return True
        ours = os.fstat(self._stream.fileno())
        return (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino) or now.st_size < self._stream.tell()

    def _reopen(self) -> None:
        self.close()
        self._part = b""
        try:
            self._stream = self._path.open("rb")
            if self._last is not None:
                self._stream.seek(_begin(self._path, self._last))
        except FileNotFoundError:
            self._stream = None
        self._last = None  # Whatever comes in its place later is read from its beginning.


def _begin(path: Path, last: int) -> int:
    """Where the *last* whole lines of the file begin."""
    places = [place for place, _ in islice(file.backwards(path), last + 1)]
    return places[-1]
