"""Rewrite a file of a log without some of its lines, or compressed, while others write to and rotate the log."""

from __future__ import annotations

import errno
import fcntl
import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flywheel_log.process import compression
from flywheel_log.process.disk import sync_name
from flywheel_log.process.rotations import family
from flywheel_log.sinks import RetryLater
from flywheel_log.sinks.file import File, sharing
from flywheel_log.sinks.file.sharing import is_named
from flywheel_log.sinks.file.url import Options

from ..reading import progress
from ..reading.read import is_blank
from ..reading.sources.file import opened

LOCK_TIMEOUT_S = 30.0

Doomed = Callable[[bytes], bool]


@dataclass
class Rewritten:
    """What became of one file.

    Attributes:
        kept, removed: how many lines.
        changed: whether the file is another one now; it is not if there was nothing to do.
        vanished: somebody else replaced or deleted the file meanwhile, so nothing was done.
    """

    kept: int = 0
    removed: int = 0
    changed: bool = False
    vanished: bool = False

    def without(self, lines: Iterable[bytes], doomed: Doomed) -> Iterator[bytes]:
        """Yield those of *lines* that stay, and count all but blank ones."""
        for line in lines:
            if doomed(line):
                self.removed += not is_blank(line)
            else:
                self.kept += not is_blank(line)
                yield line


@contextmanager
def locked(log: Path, timeout: float = LOCK_TIMEOUT_S) -> Iterator[int | None]:
    """Hold the lock of *log*, without which nobody writes to it and nobody renames it or what was rotated away from it.

    Yields the open file; None if there is no log, only what was rotated away.

    Raises:
        TimeoutError: somebody else held it for *timeout* seconds.
    """
    with ExitStack() as held:
        try:
            fd = held.enter_context(sharing.locked(log, timeout, os.O_RDWR))
        except RetryLater:
            raise _taken(log) from None
        yield fd


def lines(log: Path) -> Iterator[bytes]:
    """Yield the lines of *log* and of what was rotated away from it, the oldest first."""
    progress.expect(family(log))
    for file in family(log):
        with opened(file) as one:
            yield from one


def append(log: Path, lines: Sequence[bytes]) -> None:
    """Append *lines* to *log* as its writers do. Raises as `locked`, and OSError if the disk refused."""
    sink = File(Options(log))
    try:
        sink.write(lines)
    except RetryLater:
        raise _taken(log) from None
    finally:
        sink.close()


def rewrite(log: Path, file: Path, doomed: Doomed, *, compress: bool = False) -> Rewritten:
    """Make *file* of *log* anew without its *doomed* lines, each of which is asked about once, in order.

    The new file (0600, with its owner and, if rotated, its time) takes the name in one step, and only if a line went,
    or it is to be compressed. Writers go on meanwhile; they wait for what was written since it was begun. A rotated
    file that is empty then is deleted.

    Raises:
        OSError: the disk refused, or the lock could not be had; the file is as it was.
    """
    done = Rewritten()
    sweep(log)
    with progress.opened(file) as old:
        draft = file.with_name(f".{file.name}.{os.getpid()}.part")
        name = Path(f"{file}{compression.OWN}") if compress else file
        try:
            with (
                _created(log, draft, os.fstat(old.fileno())) as new,
                compression.writing(new, name) if compression.is_compressed(name) else nullcontext(new) as out,
            ):
                begin = _settled(log, old) if file == log else None
                out.writelines(done.without(_lines(file, old, begin), doomed))
                with locked(log):
                    if begin is not None:
                        out.writelines(done.without(_rest(old, begin), doomed))
                    out.close()
                    new.close()
                    _replace(log, old, draft, done, compress=compress)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise OSError(error.errno, "no room for the new file, made beside the old one", str(file)) from None
        finally:
            draft.unlink(missing_ok=True)
    return done


def sweep(log: Path) -> None:
    """Delete the drafts that a killed process left beside *log*: whole copies, which nobody would look into again.

    Raises:
        OSError: the lock could not be had, or the disk refused.
    """
    name = glob.escape(log.name)
    drafts = [*log.parent.glob(f".{name}.*.part")]
    with locked(log) if drafts else nullcontext():
        for draft in drafts:
            with suppress(FileNotFoundError, BlockingIOError), draft.open("rb") as made:
                fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink()


def count(file: Path, doomed: Doomed) -> Rewritten:
    """Return what `rewrite` would do to *file*, and do nothing."""
    done = Rewritten()
    with opened(file) as lines:
        for _ in done.without(lines, doomed):
            pass
    return done


@contextmanager
def _created(log: Path, draft: Path, like: os.stat_result) -> Iterator[BinaryIO]:
    with locked(log):  # Or whoever sweeps may see it before it is locked, as the draft of a living process is.
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
    with os.fdopen(fd, "wb") as new:
        if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(fd, like.st_uid, like.st_gid)  # or its writers could not go on
        yield new


def _taken(log: Path) -> TimeoutError:
    return TimeoutError(f"the lock of {log} is held by somebody who does not let go of it")


def _settled(log: Path, old: BinaryIO) -> int:
    """Return how much of the file that is being written to will never change: what is there while nobody writes."""
    with locked(log):
        return os.fstat(old.fileno()).st_size


def _lines(file: Path, old: BinaryIO, end: int | None) -> Iterator[bytes]:
    """Yield the lines of the file, or those that end before the byte *end*."""
    if end is None:
        with compression.reading(old, file) if compression.is_compressed(file) else nullcontext(old) as lines:
            yield from lines
        return
    place = 0
    while place < end and (line := old.readline(end - place)).endswith(b"\n"):
        place += len(line)
        yield line


def _rest(old: BinaryIO, end: int) -> Iterator[bytes]:
    """Yield the lines that end behind the byte *end*; the one that was not ended then is the first of them."""
    old.seek(end)
    while end and os.pread(old.fileno(), 1, end - 1) != b"\n":
        end -= 1
    old.seek(end)
    yield from old


def _replace(log: Path, old: BinaryIO, draft: Path, done: Rewritten, *, compress: bool) -> None:
    """Give the draft the name that the old file has now: it may have been rotated meanwhile."""
    file = next((one for one in family(log) if is_named(old.fileno(), one)), None)
    done.vanished = file is None
    if file is None or not (done.removed or compress):
        return
    status = os.fstat(old.fileno())
    if file != log:
        os.utime(draft, ns=(status.st_atime_ns, status.st_mtime_ns))
    with draft.open("rb") as new:
        os.fsync(new.fileno())
    _take_name(file, draft, gone=not done.kept and file != log, compress=compress)
    done.changed = True
    sync_name(file)


def _take_name(file: Path, draft: Path, *, gone: bool, compress: bool) -> None:
    if gone:
        file.unlink()
    elif compress:
        draft.replace(f"{file}{compression.OWN}")
        file.unlink()
    else:
        draft.replace(file)
