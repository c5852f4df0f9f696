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
from flywheel_log.process.compression import is_compressed
from flywheel_log.process.rotations import is_rotated

from .read import OnBad, Reading, Where
from .sources import file, find
from .sources._generations import Held, identity


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

    What was rotated away belongs to the last events. Survives rotation (by rename or by truncation), a server that is
    away for a while, and a file or index that does not exist yet. Looks every *interval* seconds (0.2 for a file and 1
    for an index, if None), by calling *wait* with them; what *wait* raises ends the reading.

    Raises:
        ValueError: *source* is neither one plain file nor an index.
        IsADirectoryError: it is a directory.
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
    if module is not file or is_compressed(path) or (glob.has_magic(str(path)) and not path.exists()):
        raise ValueError(f"{where!r} cannot be followed; expected one plain file, e.g. genai.log, or one index")
    if path.is_dir():
        file.paths(where)  # which says what to do about it
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
        self._log = file.Log(path, (path,))
        self._stream: BinaryIO | None = None
        self._part = b""
        self._written_ns = -1  # when the newest file was written to, of which nothing is new any more

    def last(self, count: int) -> Iterator[bytes]:
        """Yield the *count* last lines, of rotated files too, and take all that is there as read."""
        with self._log.held() as files:
            older = [one for one in files if one.packed or one is not files[-1]]
            for one in files:
                self._written_ns = one.written_ns
            if files and files[-1] not in older:
                self._take(files[-1], _begin(files[-1].data, count))
            lines = deque(self._rest(), maxlen=count)
            while older and len(lines) < count:
                lines.extendleft(_latest_first(older.pop(), count - len(lines)))
        yield from lines

    def new(self) -> Iterator[bytes]:
        """Yield the lines that were completed since the last time."""
        yield from self._rest()
        if self._replaced():
            # Written to the old file between the last look and the renaming, and perhaps never finished.
            yield from self._rest()
            yield self._part
            self._part = b""
            yield from self._newer()

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
        return identity(now) != identity(ours) or now.st_size < self._stream.tell()

    def _newer(self) -> Iterator[bytes]:
        """Yield the lines of the files that were begun after ours: more than one, if it was rotated again already."""
        with self._log.held() as files:
            for one in files[self._next(files) :]:
                if one.packed:
                    yield from one.lines()
                    continue
                yield self._part
                self._take(one, 0)
                yield from self._rest()

    def _next(self, files: list[Held]) -> int:
        """Return the place of the first of *files* that is newer than what was read."""
        if self._stream is None:
            return _later(files, self._written_ns, len(files))
        ours = os.fstat(self._stream.fileno())
        for place, one in enumerate(files):
            if one.identity == identity(ours):
                return place if ours.st_size < self._stream.tell() else place + 1  # truncated: it begins anew
        # Deleted, or compressed, which leaves its time as it was.
        begun = bool(files) and not is_rotated(files[-1].path)
        return _later(files, ours.st_mtime_ns, len(files) - begun)

    def _take(self, one: Held, begin: int) -> None:
        self.close()
        self._part = b""
        self._stream = os.fdopen(os.dup(one.data.fileno()), "rb")
        self._stream.seek(begin)


def _begin(data: BinaryIO, last: int) -> int:
    """Where the *last* whole lines of the file begin."""
    places = [place for place, _ in islice(file.backwards(data), last + 1)]
    return places[-1]


def _later(files: list[Held], written_ns: int, otherwise: int) -> int:
    """Return the place of the first of *files* that was written to after that time."""
    return next((place for place, one in enumerate(files) if one.written_ns > written_ns), otherwise)


def _latest_first(one: Held, count: int) -> list[bytes]:
    """Return the *count* latest lines of a file that nobody writes to any more, the last one first."""
    if one.packed:
        return [*deque(one.lines(), maxlen=count)][::-1]
    return [*islice((line for _, line in file.backwards(one.data) if line), count)]
