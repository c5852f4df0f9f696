"""`file:genai.log`: one JSON line per event in a file that processes may share, rotate and follow."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import orjson

from flywheel_log.event import JSON, Event, to_flat
from flywheel_log.health import health
from flywheel_log.process import directories
from flywheel_log.process.descriptors import Descriptor
from flywheel_log.process.disk import sync_name
from flywheel_log.process.rotations import family, place_of
from flywheel_log.sinks import BATCH_BYTES, Sink

from .check import check
from .place import Place, parts_behind
from .sharing import is_named, lock, shift
from .tail import Part, absent, unstored
from .url import Options, options, resolve

__all__ = ["File", "check", "open", "resolve"]

LOCK_TIMEOUT_S = 5.0
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


def open(url: str) -> File:
    """Return the sink of *url*, as `url.options` reads it. The disk is not touched yet.

    Raises:
        ValueError: the URL has no path, an unknown parameter or a bad value; the message says what is allowed.
    """
    return File(options(url))


class File(Sink):
    """Appends to a file under an flock: lines of several processes never mix, a failed write leaves nothing behind.

    Attributes:
        batch_bytes: how much to be given at once, at most: a batch stands in one file, which is to stay in its limit.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.batch_bytes = min(options.rotate_bytes or BATCH_BYTES, BATCH_BYTES)
        self._file: Descriptor | None = None
        self._torn = False
        self._named = False
        self._place: bytes | None = None
        self._lockable = True
        _open_files.add(self)

    def write(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Append *lines* in one write; all of them, or none and an OSError."""
        if self._torn:  # An earlier write failed and could not be taken back: nobody knows how much of it is there.
            lines = self.missing(lines, self._place or b"")
        data = b"".join(record + b"\n" for line in lines if (record := self._record(line)))
        with self._locked(len(data)) as fd:
            self._append(fd, data)
        return ()

    def place(self) -> bytes:
        """Return where the file ends: nothing that is written from now on is before that."""
        if self._place is None:
            with self._locked(0) as fd:
                self._place = Place.of(fd).noted()
        return self._place or b""

    def missing(self, lines: Sequence[bytes], since: bytes = b"") -> Sequence[bytes]:
        """Return those of *lines* that neither the file nor one rotated away holds, from the place *since* on."""
        path = self._options.path
        if _is_special(path):
            return lines  # A pipe, a device: what is in it is not ours to take out, and nobody knows what was.
        while True:
            names = _names(path)
            missing = self._missing(lines, since, [*names] or [path])
            if _names(path) == names:  # Else a rotation may have taken what was yet to be read past us.
                return missing

    def _missing(self, lines: Sequence[bytes], since: bytes, files: Sequence[Path]) -> Sequence[bytes]:
        behind = parts_behind(since, files) if since else None
        parts = [*map(Part, files)] if behind is None else behind
        if self._options.format == "full":
            return unstored(lines, parts, all_of_them=behind is not None)
        missing = absent([self._record(line) for line in lines], parts)
        return [line for line, is_missing in zip(lines, missing, strict=True) if is_missing]

    def sync(self) -> None:
        """Bring what was written, by a dead process too, to the disk itself; the shipper asks about once a second."""
        if self._file is None and not self._options.path.exists():
            return
        fd = self._opened()
        _sync(fd)
        if not self._named and is_named(fd, self._options.path):
            try:
                sync_name(place_of(self._options.path))
            except PermissionError as error:  # Nor will the next time: the journal must not wait for it and grow full.
                health.warn("the log's directory cannot be read, so a power failure may lose a new log", error)
            self._named = True

    def _leave(self) -> None:
        """Close a file that was rotated away, all of it on the disk itself."""
        try:
            _sync(self._opened())
        finally:
            self.close()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _record(self, line: bytes) -> bytes:
        if self._options.format == "full":
            return line
        try:
            return orjson.dumps(_flat(orjson.loads(line)))
        except ValueError as error:  # Not JSON: offered again it would hold up all others for ever.
            health.drop("line_not_json", error)
            return b""

    @contextmanager
    def _locked(self, size: int) -> Iterator[int]:
        """Hold the lock of the file that has the name now, with room for *size* bytes before it is rotated."""
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            fd = self._opened()
            self._lock(fd, deadline)
            try:
                if not is_named(fd, self._options.path):
                    self._leave()
                    continue
                if self._is_full(fd, size):
                    shift(self._options.path, self._options.keep)
                    self._leave()
                    continue
                yield fd
                return
            finally:
                if self._lockable and self._file is not None and self._file.number() == fd:
                    fcntl.flock(fd, fcntl.LOCK_UN)

    def _lock(self, fd: int, deadline: float) -> None:
        try:
            lock(fd, deadline)
            self._lockable = True
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            health.warn("the log's file system has no locks, so only one process may write to the log", error)
            self._lockable = False

    def _opened(self) -> int:
        if self._file is None or (number := self._file.number()) is None:
            path = self._options.path
            directories.make(path.parent)
            self._named = False
            number = _open(path)
            self._file = Descriptor(number)
        return number

    def _is_full(self, fd: int, size: int) -> bool:
        there = os.fstat(fd).st_size
        return bool(self._options.rotate_bytes) and there > 0 and there + size > self._options.rotate_bytes

    def _append(self, fd: int, data: bytes) -> None:
        place = Place.of(fd)
        if place.last and not place.last.endswith(b"\n"):
            data = b"\n" + data  # Somebody died in the middle of a line; ours must not become its rest.
        self._torn = True
        try:
            if os.write(fd, data) != len(data):
                raise OSError(errno.ENOSPC, "short write to the log")
        except OSError:
            # Without a lock, what is behind the end may be somebody else's by now; a pipe takes nothing back.
            if self._lockable and stat.S_ISREG(os.fstat(fd).st_mode):
                os.ftruncate(fd, place.end)
                self._torn = False
            raise
        self._torn = False
        self._place = place.behind(data).noted()  # Nothing that may fail: what is written must not come again.


def _is_special(path: Path) -> bool:
    """Tell whether *path* is something else than a file, by one look: a rotation may come between two."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _names(path: Path) -> dict[Path, int]:
    """Return the files of the log *path*, the newest first, and which file each of these names stands for."""
    found = {}
    for file in reversed(family(path)):
        with suppress(FileNotFoundError):
            found[file] = file.stat().st_ino
    return found


def _open(path: Path) -> int:
    """Raises OSError ENXIO for a pipe that nobody reads: what it took would be gone with us."""
    if not path.is_fifo():
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.set_blocking(fd, True)
    return fd


def _sync(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # A terminal, a pipe, /dev/null: there is no disk behind it.
            raise


def _flat(event: Event) -> JSON:
    try:
        return to_flat(event)
    except (AttributeError, TypeError) as error:
        # What a server answers may have any shape; the numbers are known all the same.
        health.drop("flat_in_part", error)
        return to_flat(cast(Event, {key: value for key, value in event.items() if not isinstance(value, (dict, list))}))


_open_files: weakref.WeakSet[File] = weakref.WeakSet()


def _close_inherited() -> None:
    # The lock belongs to the open file that both share: a child that kept it would hold it for a dead parent.
    for file in list(_open_files):
        file.close()


os.register_at_fork(after_in_child=_close_inherited)
