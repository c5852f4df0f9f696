"""Where a log ended at some time, saved so that what is written after it is found whatever becomes of the file."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from .tail import Part

_BYTES = 64


class Place(NamedTuple):
    """The end of a log, and what stood at both ends of it.

    A file that was cut and has grown again, as those that logrotate copies and truncates, or one that has the number of
    a deleted one, says something else there: the id of another event at least.

    Attributes:
        inode: of the file.
        end: bytes there were.
        first, last: the first and the last of them, as many as are compared.
    """

    inode: int
    end: int
    first: bytes
    last: bytes

    @classmethod
    def of(cls, fd: int, end: int | None = None) -> Self:
        """The end of the open file *fd*, or the place where it ended when it had *end* bytes.

        Raises:
            OSError: the disk refused.
        """
        status = os.fstat(fd)
        end = status.st_size if end is None else end
        ends = [os.pread(fd, min(_BYTES, end), at) for at in (0, max(0, end - _BYTES))] if end else [b"", b""]
        return cls(status.st_ino, end, *ends)

    def behind(self, data: bytes) -> Self:
        """The end of the same file when *data* has been written to it."""
        first, last = (self.first + data[:_BYTES])[:_BYTES], (self.last + data[-_BYTES:])[-_BYTES:]
        return self._replace(end=self.end + len(data), first=first, last=last)

    def noted(self) -> bytes:
        """The place in fifty characters at most."""
        return b"%d %d %08x" % (self.inode, self.end, zlib.crc32(self.first + self.last))


def parts_behind(noted: bytes, files: Sequence[Path]) -> list[Part] | None:
    """The parts of *files*, the newest first, that are behind the place *noted*; None if it is in none of them.

    Raises:
        OSError: a file cannot be read.
    """
    inode, end = map(int, noted.split()[:2])
    for number, file in enumerate(files):
        with suppress(FileNotFoundError):
            if end and file.stat().st_ino == inode and _noted(file, end) == noted:
                return [*map(Part, files[:number]), Part(file, end)]
    return None


def _noted(file: Path, end: int) -> bytes:
    fd = os.open(file, os.O_RDONLY)
    try:
        return Place.of(fd, end).noted()
    finally:
        os.close(fd)
