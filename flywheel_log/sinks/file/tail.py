"""Which of some lines a log file already holds: read from its end, as far back as they could be."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from flywheel_log.health import health
from flywheel_log.process import compression
from flywheel_log.serialise import is_json

CHUNK_BYTES = 1 << 22
FARTHEST_BYTES = 1 << 30
_MARK_BYTES = 256
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_ID = re.compile(rb'\{"id":"([^"\\]*)-(\d+)"')
_Id = tuple[bytes, int]


class Part(NamedTuple):
    """A file from the position *start* on, which is the beginning of a line."""

    path: Path
    start: int = 0


def unstored(
    lines: Sequence[bytes], parts: Iterable[Part], chunk: int = CHUNK_BYTES, *, all_of_them: bool = False
) -> list[bytes]:
    """Return those of *lines*, events with ids, that none of *parts*, the newest first, holds whole.

    A process writes its events in the order of their ids, so the search ends at the first older event of each process
    in *lines*, unless *all_of_them* are to be looked through; at the latest 1 GiB from the end. *chunk* bytes, more
    than an id has, are read at once.
    """
    wanted = {identity: line for line in lines if (identity := _id(line))}
    oldest: dict[bytes, int] = {}
    for run, number in wanted:
        oldest[run] = min(number, oldest.get(run, number))
    found = set()
    for line in _backwards(parts, [b'{"id":"%s-' % run for run in oldest], chunk):
        identity = _id(line)
        if identity is None or identity[0] not in oldest:
            continue
        if identity in wanted and is_json(line):  # One that a kill cut short, and somebody ended later, is none.
            found.add(identity)
        elif identity[1] < oldest[identity[0]] and not all_of_them:
            del oldest[identity[0]]
            if not oldest:
                break
    return [line for line in lines if _id(line) not in found]


def absent(records: Sequence[bytes], parts: Iterable[Part]) -> list[bool]:
    """Tell which of *records*, which have no ids, none of *parts*, the newest first, holds; equal ones are counted."""
    there = dict.fromkeys(records, 0)
    left = len(records)
    for line in _backwards(parts, [b""], CHUNK_BYTES):
        if line in there:
            there[line] += 1
            left -= 1
            if not left:
                break
    missing = []
    for record in records:  # What is stored of equal ones are the first.
        missing.append(there[record] <= 0)
        there[record] -= 1
    return missing


def _id(line: bytes) -> _Id | None:
    match = _ID.match(line)
    return (match[1], int(match[2])) if match else None


def _backwards(parts: Iterable[Part], marks: Sequence[bytes], chunk: int) -> Iterator[bytes]:
    """Yield the lines of *parts* from the last one, until the farthest distance is read.

    Only lines that begin with one of *marks* are sure to be among them.
    """
    left = FARTHEST_BYTES
    for path, begin in parts:
        try:
            fd = _opened(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            if not compression.is_compressed(path) or error.errno in _NO_ROOM:  # There may be some later.
                raise
            health.warn("a rotated log could not be read", error)
            continue
        try:
            end = os.fstat(fd).st_size
            start = max(begin, end - left)
            yield from _lines(fd, range(start, end), marks, chunk, whole=start == begin)
            left -= end - start
        finally:
            os.close(fd)
        if left <= 0:
            return


def _opened(path: Path) -> int:
    if not compression.is_compressed(path):
        return os.open(path, os.O_RDONLY)
    with path.open("rb") as data, _scratch(path) as plain:
        shutil.copyfileobj(compression.reading(data, path), plain)
        plain.flush()
        return os.dup(plain.fileno())


def _scratch(path: Path) -> IO[bytes]:
    """Make a file that is gone with its last descriptor, on the disk of *path* if that may be: others may have none."""
    try:
        return tempfile.TemporaryFile(dir=path.parent)
    except PermissionError:
        return tempfile.TemporaryFile()


def _lines(fd: int, part: range, marks: Sequence[bytes], chunk: int, *, whole: bool) -> Iterator[bytes]:
    rest: list[bytes] = []  # Pieces, the last first, of a line whose beginning has not been read.
    end = part.stop
    while end > part.start:
        start = max(part.start, end - chunk)
        data = os.pread(fd, end - start, start)
        seam = data[-_MARK_BYTES:] + rest[-1][:_MARK_BYTES] if rest else b""
        # To search a chunk is several times faster than to take it apart, and most have nothing to do with us.
        relevant = any(mark in data or mark in seam for mark in marks)
        first, *others = data.split(b"\n", -1 if relevant else 1)
        end = start
        if not others:
            rest.append(first)
            continue
        if relevant:
            others[-1] += b"".join(reversed(rest))
            # Behind the last newline may be a line that lacks but its own: the next writer ends it, whoever that is.
            yield from filter(None, reversed(others))
        rest = [first]
    if rest and whole:
        yield b"".join(reversed(rest))
