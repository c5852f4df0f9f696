"""Rules for all processes that share a log: who may write to it now, and how it is rotated."""

from __future__ import annotations

import fcntl
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flywheel_log.process.compression import SUFFIXES, is_compressed
from flywheel_log.process.rotations import place_of
from flywheel_log.sinks import RetryLater

_LOCK_POLL_S = 0.002


def lock(fd: int, deadline: float) -> None:
    """Take the lock of the open log *fd*; whoever writes to it, or renames it or a rotated one, holds that.

    Raises:
        RetryLater: somebody else holds it until *deadline*, a time of the monotonic clock.
    """
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RetryLater("locked") from None
            time.sleep(_LOCK_POLL_S)
        else:
            return


def is_named(fd: int, path: Path) -> bool:
    """Tell whether *path* still is the name of the open file *fd*: a lock counts for that one only."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def locked(path: Path, timeout: float, flags: int) -> Iterator[int | None]:
    """Hold the lock of the log that bears the name *path* now; yield it, opened with *flags*, or None if there is none.

    Raises:
        RetryLater: somebody else held it for *timeout* seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            fd = os.open(path, flags | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            lock(fd, deadline)
            if is_named(fd, path):
                yield fd
                return
        finally:
            os.close(fd)


def numbered(path: Path, number: int) -> list[Path]:
    """Return the rotated file of the log *path* that bears *number*, plain or compressed, if there is one."""
    return [file for suffix in ("", *SUFFIXES) if (file := Path(f"{path}.{number}{suffix}")).exists()]


def shift(path: Path, keep: int | None) -> None:
    """Rename the log *path* to `.1`, and what is there already to the next number; the lock must be held.

    With *keep*, the file that would become number keep + 1 is deleted, and those with the numbers that follow, as where
    more were kept before. Beyond a gap may be the log of another program, such as genai.log.8080. A link stays, and so
    does the disk it leads to.
    """
    path = place_of(path)
    free = next(number for number in itertools.count(1) if number == keep or not numbered(path, number))
    beyond = [*itertools.takewhile(bool, (numbered(path, number) for number in itertools.count(free)))]
    for file in itertools.chain.from_iterable(reversed(beyond)):  # The last first: a kill in between leaves no gap.
        file.unlink(missing_ok=True)
    # The current name goes last: until then nobody else gets past the lock that we hold.
    for number in range(free - 1, 0, -1):
        for file in numbered(path, number):
            file.rename(f"{path}.{number + 1}{file.suffix if is_compressed(file) else ''}")
    path.rename(f"{path}.1")
