"""Which of some lines a log file holds already: read from its end, as far as it could matter."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson

CHUNK_BYTES = 1 << 22
FARTHEST_BYTES = 1 << 30
_ID = re.compile(rb'\{"id":"([^"\\]*)-(\d+)"')
_Id = tuple[bytes, int]


def unstored(lines: Sequence[bytes], files: Iterable[Path]) -> list[bytes]:
    """Return those of *lines*, events with ids, that none of *files*, the newest first, holds whole.

    A process writes its events in the order of their ids, so the search ends at the first older event of each process
    in *lines*; at the latest 1 GiB from the end.
    """
    wanted = {identity: line for line in lines if (identity := _id(line))}
    oldest: dict[bytes, int] = {}
    for run, number in wanted:
        oldest[run] = min(number, oldest.get(run, number))
    found = set()
    for line in _backwards(files):
        identity = _id(line)
        if identity is None or identity[0] not in oldest:
            continue
        if identity in wanted and _is_whole(line):
            found.add(identity)
        elif identity[1] < oldest[identity[0]]:
            del oldest[identity[0]]
            if not oldest:
                break
    return [line for line in lines if _id(line) not in found]


def absent(lines: Sequence[bytes], files: Iterable[Path]) -> set[bytes]:
    """Return those of *lines*, records without ids, that none of *files*, the newest first, holds."""
    missing = set(lines)
    for line in _backwards(files):
        missing.discard(line)
        if not missing:
            break
    return missing


def _id(line: bytes) -> _Id | None:
    match = _ID.match(line)
    return (match[1], int(match[2])) if match else None


def _is_whole(line: bytes) -> bool:
    # A line that a kill cut short, and that somebody ended with a newline later, is not stored.
    try:
        orjson.loads(line)
    except ValueError:
        return False
    return True


def _backwards(files: Iterable[Path]) -> Iterator[bytes]:
    """Yield the ended lines of *files* from the last one, until the farthest distance is read."""
    left = FARTHEST_BYTES
    for path in files:
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            end = os.fstat(fd).st_size
            yield from _lines(fd, end, max(0, end - left))
            left -= end
        finally:
            os.close(fd)
        if left <= 0:
            return


def _lines(fd: int, end: int, stop: int) -> Iterator[bytes]:
    rest: list[bytes] = []  # Pieces, the last first, of a line whose beginning has not been read.
    ended = False
    while end > stop:
        start = max(stop, end - CHUNK_BYTES)
        first, *others = os.pread(fd, end - start, start).split(b"\n")
        end = start
        if not others:
            rest.append(first)
            continue
        others[-1] += b"".join(reversed(rest))
        if not ended:
            others.pop()  # Behind the last newline: a line that is not ended.
            ended = True
        yield from reversed(others)
        rest = [first]
    if ended and stop == 0:
        yield b"".join(reversed(rest))
