"""The bytes of one segment: a file that is locked for as long as it is held, and mapped; or memory."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from contextlib import suppress
from pathlib import Path

from ..process.descriptors import Descriptor
from ..process.disk import sync_name
from . import space

UNBORN = ".tmp"


class Held:
    """The program may close the descriptor: then the map still holds the lock, and what was written can be read.

    Attributes:
        size: bytes there are.
        pages: the map; None where the file system has none, and once it is not needed.
    """

    __slots__ = ("_file", "_path", "pages", "size")

    def __init__(self, path: Path | None, file: Descriptor | None, size: int, pages: mmap.mmap | None = None) -> None:
        self.size = size
        self.pages = pages
        self._path = path
        self._file = file

    @classmethod
    def create(cls, path: Path, size: int) -> Held:
        """Make the file of *size* bytes at *path*, locked and preallocated; it appears there only when it is complete.

        Raises:
            OSError: there is no room, no permission or no such directory; nothing is left behind.
        """
        unborn = path.with_suffix(UNBORN)
        number = os.open(unborn, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            pages = space.mapped(number, size)
            os.rename(unborn, path)
        except BaseException:
            os.close(number)
            unborn.unlink(missing_ok=True)
            raise
        return cls(path, Descriptor(number), size, pages)

    @classmethod
    def holding(cls, path: Path, data: bytes) -> Held:
        """Make the file of *data* at *path*, locked, and on the disk itself.

        Raises:
            OSError: there is no room, no permission or no such directory; nothing is left behind.
        """
        held = cls.create(path, len(data))
        try:
            if held.pages is not None:
                held.pages[:] = data
            else:
                held.write(data, 0)
            held.sync()
            held.rest()
            sync_name(path)
        except BaseException:
            held.close()
            path.unlink(missing_ok=True)
            raise
        return held

    @classmethod
    def take(cls, path: Path) -> Held:
        """Open and lock the file that is at *path*.

        Raises:
            BlockingIOError: another process holds it, or has shipped and unlinked it while we opened it.
            OSError: there is none, or it cannot be read.
        """
        file = _taken(path)
        return cls(path, file, file.size)

    @classmethod
    def in_memory(cls, size: int) -> Held:
        """Have *size* bytes that are gone with the process."""
        return cls(None, None, size, mmap.mmap(-1, size))

    def _number(self) -> int | None:
        """The descriptor; None where there is but the map.

        Raises:
            OSError: it was closed where there is no map, and cannot be taken again.
        """
        file = self._file
        if file is None or self._path is None:
            return None
        number = file.number()
        if number is None and self.pages is None and self._file is file:  # Else another thread has let go of it.
            self._file = file = _taken(self._path)
            number = file.number()
        return number

    def write(self, record: bytes, start: int) -> None:
        """Write *record* at *start* where there is no map.

        Raises:
            OSError: the disk refused.
        """
        if (number := self._number()) is None or os.pwrite(number, record, start) != len(record):
            raise OSError(errno.EIO, "short write to the journal")

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from *start* to *end*, fewer at the end of the file.

        Raises:
            OSError: the disk refused.
        """
        if (number := self._number()) is not None:
            return os.pread(number, end - start, start)
        return pages[start:end] if (pages := self.pages) is not None else b""

    def sync(self) -> None:
        """Bring what was written to the disk itself.

        Raises:
            OSError: the disk refused.
        """
        if (number := self._number()) is not None:
            os.fsync(number)
        elif self._file is not None and (pages := self.pages) is not None:
            pages.flush()

    def rest(self) -> None:
        """Unmap the file: it may wait for long, and reading needs no map."""
        file = self._file
        if file is not None and file.number() is not None:
            self._unmap()

    def _unmap(self) -> None:
        pages, self.pages = self.pages, None  # First, for two threads may be here.
        if pages is not None:
            space.unmap(pages, self.size)

    def is_named(self) -> bool:
        """Tell whether the file is open and still has its name, so that another process can find it."""
        file = self._file
        return file is None or ((status := file.status()) is not None and status.st_nlink > 0)

    def is_deleted(self) -> bool:
        """Tell whether the file is open and has no name any more."""
        return not self.is_named() and self._file is not None and self._file.status() is not None

    def shrink(self, size: int) -> None:
        """Keep *size* bytes of the file, once there is no map: to touch what was cut off would be the process's end."""
        if size < self.size:
            with suppress(OSError):  # Then it takes more of the quota than it needs.
                if (number := self._number()) is not None:
                    os.ftruncate(number, size)
                    self.size = size

    def close(self, used: int | None = None) -> None:
        """Let go of the file; whoever comes next takes it. With *used*, it is cut to so many bytes before."""
        self._unmap()
        if used is not None:
            self.shrink(used)
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _taken(path: Path) -> Descriptor:
    number = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(number).st_nlink == 0:
            raise BlockingIOError
    except BaseException:
        os.close(number)
        raise
    return Descriptor(number)
