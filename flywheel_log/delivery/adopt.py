"""Orphans: segments whose owner died before they were shipped, and temporary files that it may have left."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..health import health
from .held import UNBORN
from .names import SUFFIX, is_of_this_machine, process_of, segments
from .positions import SUFFIX as POSITIONS
from .segments import Segment

LOCK = "adopt.lock"
DRAFT = ".part"
"""Suffix of what is to take the place of a segment."""

RUBBISH_AFTER_S = 60.0


def adopt_orphans(directory: Path, sinks: int, most: int, mine: Collection[Path] = ()) -> tuple[list[Segment], bool]:
    """Take over up to *most* segments in *directory* whose owners are dead, the oldest first.

    A run has one adopter at a time, for its events must stay in their order wherever they are stored: a sink that looks
    up what is there already relies on that. *mine* are the segments that this process has adopted before.

    Returns the segments, and whether there are more that may be had later: we have enough, another process is at their
    run, or it is looking at this moment.
    """
    with alone(directory) as ours:
        if not ours:
            return [], directory.exists()
        round_ = _Round(sinks, most)
        for path in segments(directory):
            if path not in mine:
                round_.look_at(path)
        sweep(directory)
    return round_.adopted, round_.passed_over


class _Round:
    """One look at all segments there are, from the oldest on."""

    def __init__(self, sinks: int, most: int) -> None:
        self.adopted: list[Segment] = []
        self.passed_over = False
        self._sinks = sinks
        self._most = most
        self._taken: set[str] = set()

    def look_at(self, path: Path) -> None:
        """Adopt the segment at *path* if it may be had, and remember what that says about the rest of its run."""
        run = process_of(path)
        try:
            if run in self._taken or len(self.adopted) >= self._most:
                self.passed_over = self.passed_over or _is_orphan(path)
            elif segment := Segment.adopt(path, self._sinks):
                if is_of_this_machine(path):  # Else its owner may live behind other locks, and to cut its map kills it.
                    segment.shrink()
                self.adopted.append(segment)
            else:
                self._taken.add(run)
        except FileNotFoundError:  # Its owner has shipped it while we looked.
            return
        except OSError as error:
            health.warn("what another process left in the journal cannot be read", error)


def _is_orphan(path: Path) -> bool:
    fd = os.open(path, os.O_RDWR)
    try:
        return _locked(fd)
    finally:
        os.close(fd)


@contextmanager
def alone(directory: Path) -> Iterator[bool]:
    """Be the only one to look for orphans in *directory*; tells whether we are."""
    try:
        fd = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except (FileNotFoundError, NotADirectoryError):
        yield False
        return
    try:
        yield _locked(fd)
    finally:
        os.close(fd)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sweep(directory: Path) -> None:
    """Delete what killed processes left: segments and drafts half made, and positions whose segment is gone.

    Only for whoever is `alone` in *directory*: drafts are made by nobody else.
    """
    try:
        names = {*os.listdir(directory)}  # There may be thousands, and a path takes as long as ten names.
    except FileNotFoundError:
        return
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix == DRAFT:
            (directory / name).unlink(missing_ok=True)
        elif suffix == UNBORN or (suffix == POSITIONS and f"{stem}{SUFFIX}" not in names):
            _discard(directory / name)


def _discard(path: Path) -> None:
    """Delete *path* if it is old, no segment of its name has come since the look at all names, and nobody is at it.

    Clocks may jump, and those of two machines that share the directory differ: what looks old may be in the making.
    """
    with suppress(OSError):  # It is gone, or another user's, who may delete it.
        old = time.time() - path.stat().st_mtime > RUBBISH_AFTER_S
        if old and not path.with_suffix(SUFFIX).exists() and _is_orphan(path):
            path.unlink(missing_ok=True)
