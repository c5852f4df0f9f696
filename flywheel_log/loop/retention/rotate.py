"""Rotation from outside, as logrotate does it, but with the lock that our writers keep."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass, field
from pathlib import Path

from flywheel_log.process import compression
from flywheel_log.process.rotations import family, number_of, place_of
from flywheel_log.sinks.file.sharing import shift

from .rewrite import locked, rewrite

_CHUNK_BYTES = 1 << 20


@dataclass
class Rotated:
    """What was done to one log.

    Attributes:
        log: its path.
        rotated: whether it was renamed to `.1`: not if it was empty or too small.
        compressed: the files that are compressed now.
        deleted: the files beyond those to keep.
    """

    log: Path
    rotated: bool = False
    compressed: list[Path] = field(default_factory=list)
    deleted: list[Path] = field(default_factory=list)


def rotate(log: Path, *, at_least: int = 1, keep: int | None = None, compress: bool = True) -> Rotated:
    """Rename *log* to `.1`, what is there to the next number, and compress what is not compressed yet.

    Writers begin a new file with their next record; none is lost. With *keep*, files with a higher number are
    deleted, however they are compressed; those with a date stay. A log of less than *at_least* bytes is not rotated;
    what was rotated before is compressed all the same.

    Raises:
        OSError: as `rewrite`.
    """
    done = Rotated(log)
    with locked(log) as fd:
        for file in family(log):
            if keep is not None and number_of(file, place_of(log)) > keep:
                file.unlink()
                done.deleted.append(file)
        if fd is not None and os.fstat(fd).st_size >= max(1, at_least):
            shift(log, keep)
            done.rotated = True
    for file in family(log) if compress else ():
        if file != log and not compression.is_compressed(file) and _compress(log, file):
            done.compressed.append(Path(f"{file}{compression.OWN}"))
    return done


def _compress(log: Path, file: Path) -> bool:
    """Compress *file*; one that a crash left beside its compressed self is deleted instead."""
    packed = Path(f"{file}{compression.OWN}")
    if not packed.exists():
        return rewrite(log, file, lambda _: False, compress=True).changed
    if _same(file, packed):
        file.unlink()
    return False


def _same(plain: Path, packed: Path) -> bool:
    try:
        with plain.open("rb") as one, gzip.open(packed) as other:
            while chunk := one.read(_CHUNK_BYTES):
                if other.read(len(chunk)) != chunk:
                    return False
            return not other.read(1)
    except (EOFError, gzip.BadGzipFile):
        return False
