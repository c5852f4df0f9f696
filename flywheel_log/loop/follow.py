"""A log while it is being written, through rotation and truncation: what `tail -F` is for lines, for events."""

from __future__ import annotations

import glob
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from flywheel_log.event import JSON

from .read import OnBad, Reading, Where
from .sources import file, find


class Growing(Protocol):
    """A source that grows; the module of its scheme gives it as `growing(source)`."""

    interval_s: float

    def last(self, count: int) -> Iterator[bytes | JSON]:
        """Yield the *count* latest records; what is there by now is not new any more."""

    def new(self) -> Iterator[bytes | JSON]:
        """Yield what was added since the last time."""

    def close(self) -> None:
        """Let go of it."""


def follow(
    source: Where = "genai.log",
    *,
    last: int = 0,
    interval: float | None = None,
    wait: Callable[[float], object] = time.sleep,
    on_bad: OnBad | None = None,
) -> Reading:
    """Read the *last* events of a file or an index and then, without end, those that are being added to it.

    Survives rotation (by rename or by truncation), a server that is away for a while, and a file or index that does not
    exist yet. Looks every *interval* seconds (0.2 for a file and 1 for an index, if None), by calling *wait* with them;
    what *wait* raises ends the reading.

    Raises:
        ValueError: *source* is neither one plain file nor an index.
        ConnectionError: the server does not answer, or does not let us in.
    """
    log = _growing(os.fspath(source))
    seconds = log.interval_s if interval is None else interval
    return Reading(_tail(log, log.last(last), lambda: wait(seconds)), on_bad)


def _growing(where: str) -> Growing:
    module = find(where)
    if own := getattr(module, "growing", None):
        return cast(Growing, own(where))
    path = file.path_of(where)
    if module is not file or path.suffix == ".gz" or (glob.has_magic(str(path)) and not path.exists()):
        raise ValueError(f"{where!r} cannot be followed; have one plain file, e.g. genai.log, or one index")
    return _GrowingFile(path)


def _tail(log: Growing, latest: Iterator[bytes | JSON], pause: Callable[[], object]) -> Iterator[bytes | JSON]:
    try:
        yield from latest
        while True:
            pause()
            yield from log.new()
    finally:
        log.close()


class _GrowingFile:
    """Whatever file has the name *path* at the moment, and how far it has been read."""

    interval_s = 0.2

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO | None = None
        self._part = b""

    def last(self, count: int) -> Iterator[bytes]:
        """Yield the *count* last lines, and take all that is there as read."""
        self._reopen()
        if self._stream is not None:
            self._stream.seek(_begin(self._path, count))
        yield from deque(self.new(), maxlen=count)

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
        except FileNotFoundError:
            self._stream = None


def _begin(path: Path, last: int) -> int:
    """Where the *last* whole lines of the file begin."""
    places = [place for place, _ in islice(file.backwards(path), last + 1)]
    return places[-1]
