"""How much of the disk the journal may take, and how it takes that."""

from __future__ import annotations

import errno
import math
import mmap
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..health import health
from ..process.directories import nearest

FREE_PERCENT = 5
_POPULATE_WRITE = 23  # MADV_POPULATE_WRITE of Linux 5.14, which Python does not name.
_LOOK_S = 1.0
_ZEROES = bytes(1 << 16)
_NO_PREALLOCATION = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_NO_MAP = {errno.ENODEV, errno.ENOMEM}  # The second where the process may have no more addresses.
_KEEPS_DESCRIPTOR = sys.version_info < (3, 13)
_MAPPED: dict[str, Any] = {} if _KEEPS_DESCRIPTOR else {"trackfd": False}
_abandoned: list[mmap.mmap] = []


def room(root: Path, quota: int) -> int:
    """Return by how many bytes the journal under *root* may grow; less than 0 when it has grown too far.

    It may take *quota* bytes over all its directories, and leaves 5 % of the disk free (at most *quota* bytes: five
    percent of a very large disk are more than anybody wants to keep for others). Of a disk that others have filled
    farther it leaves at least as much as it takes: room for a few segments, while they are delivered at once.

    Raises:
        OSError: what looking at the disk raised.
    """
    journal = taken(root)
    disk = os.statvfs(nearest(root))
    free = disk.f_bavail * disk.f_frsize
    kept = min(disk.f_blocks * disk.f_frsize * FREE_PERCENT // 100, quota)
    return min(quota - journal, max(free - kept, (free - journal) // 2))


def preallocate(fd: int, size: int) -> None:
    """Give the file *fd* its *size* bytes now. Raises OSError if the disk has no room, or the process may not."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if most != resource.RLIM_INFINITY and size > most:  # To try is a signal, which may end the program.
        raise OSError(errno.EFBIG, "the process may not write files of that size")
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
        return
    for start in range(0, size, len(_ZEROES)):
        os.pwrite(fd, _ZEROES[: size - start], start)


def mapped(fd: int, size: int) -> mmap.mmap | None:
    """Give the file *fd* its *size* bytes and map it; None where the file system or the process cannot.

    Raises:
        OSError: the disk has no room.
    """
    try:  # First the blocks: to touch a page without one on a full disk is SIGBUS.
        preallocate(fd, size)
        return mmap.mmap(fd, size, **_MAPPED)
    except OSError as error:
        if error.errno not in {*_NO_PREALLOCATION, *_NO_MAP}:
            raise
        health.note("the journal cannot be mapped into memory, so it is written", error)
        return None


def unmap(pages: mmap.mmap, size: int) -> None:
    """Let go of *pages*, as `mapped` made them, of a file of *size* bytes.

    Before Python 3.13 a map closes a descriptor of its own. Where that is not the file's any more, since the program
    has closed it and may have been given its number, the map stays until the process ends.
    """
    try:
        theirs = _KEEPS_DESCRIPTOR and pages.size() != size
    except OSError:
        theirs = True
    if theirs:
        _abandoned.append(pages)
    else:
        pages.close()


def populate(pages: mmap.mmap, start: int, size: int) -> None:
    """Have *size* bytes of *pages* in memory from *start* on, a multiple of the size of a page."""
    try:
        pages.madvise(_POPULATE_WRITE, start, size)
    except (OSError, ValueError):  # Not on this kernel, or shipped and closed meanwhile: the faults are only slow.
        return


def taken(root: Path) -> int:
    """Return the bytes of all files of the journal under *root*; 0 when there is none."""
    return sum(_size(file) for directory in _entries(root) for file in _entries(directory.path))


class Gauge:
    """Tells the bytes of the journal under *root* as often as one likes: it is looked at once a second at most.

    Args:
        root: directory of the journals.
        clock: seconds.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._bytes = 0
        self._until = -math.inf

    def read(self) -> int:
        """Return the bytes, as they were within the last second, or when they could be counted last."""
        now = self._clock()
        if now >= self._until:
            self._until = now + _LOOK_S
            with suppress(OSError):  # A program that has become another user, or has no descriptor left, still asks.
                self._bytes = taken(self._root)
        return self._bytes


def _entries(directory: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(file: os.DirEntry[str]) -> int:
    try:
        return file.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # Shipped and unlinked by its owner at this moment.
        return 0
