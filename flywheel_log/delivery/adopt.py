"""Orphans: segments whose owner died before they were shipped, and the rubbish it may have left beside them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..health import health
from .positions import SUFFIX as POSITIONS
from .segments import SUFFIX, UNBORN, Segment

LOCK = "adopt.lock"
RUBBISH_AFTER_S = 60.0


def adopt_orphans(directory: Path, sinks: int, most: int) -> list[Segment]:
    """Take over up to *most* segments in *directory* whose owners are dead, the oldest first.

    Returns none when another process is looking at this moment, or when there is no such directory.
    """
    adopted: list[Segment] = []
    with alone(directory) as ours:
        if not ours:
            return adopted
        for path in sorted(directory.glob(f"*{SUFFIX}")):
            if len(adopted) >= most:
                break
            if segment := _adopted(path, sinks):
                adopted.append(segment)
        _sweep(directory)
    return adopted


def _adopted(path: Path, sinks: int) -> Segment | None:
    try:
        return Segment.adopt(path, sinks)
    except FileNotFoundError:  # Its owner has shipped it while we looked.
        return None
    except OSError as error:
        health.warn("orphan_not_readable", error)
        return None


@contextmanager
def alone(directory: Path) -> Iterator[bool]:
    """Be the only one to look for orphans in *directory*; tells whether we are."""
    try:
        fd = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
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


def _sweep(directory: Path) -> None:
    """Delete segments that died half made, and positions whose segment is gone."""
    for path in (*directory.glob(f"*{UNBORN}"), *directory.glob(f"*{POSITIONS}")):
        try:
            orphaned = path.suffix == UNBORN or not path.with_suffix(SUFFIX).exists()
            if orphaned and time.time() - path.stat().st_mtime > RUBBISH_AFTER_S:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            continue
