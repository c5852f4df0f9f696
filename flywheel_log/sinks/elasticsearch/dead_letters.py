"""The file of events that Elasticsearch will never take as they are: JSON lines, with the reason, to be sent again."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import orjson

from flywheel_log.process import directories, disk

DRAFT, AGAIN = ".part", ".again"
"""Suffixes of what stands beside the file while it is made anew: its draft, and what is refused once more."""

_CHUNK_BYTES = 1 << 16


class DeadLetter(NamedTuple):
    """One refused event: when and why, and the line of the journal as it was."""

    refused_at: str
    reason: str
    detail: str
    line: bytes

    @property
    def id(self) -> str:
        """The event's id, or "" if it bears none."""
        try:
            return str(orjson.loads(self.line)["id"])
        except (ValueError, LookupError, TypeError):
            return ""


def bury(path: Path, letters: list[DeadLetter]) -> None:
    """Append *letters* to *path*, all or none; processes may share the file.

    Raises:
        OSError: they could not be written; nothing was.
    """
    directories.make(path.parent)
    data = _lines(letters)
    with _locked(path) as file:
        end = _without_torn(file)
        try:
            if os.write(file, data) != len(data):
                raise OSError("the disk is full")
            os.fsync(file)
        except OSError:
            os.ftruncate(file, end)
            raise
    disk.sync_name(path)


def letters(path: Path) -> Iterator[DeadLetter]:
    """Read the dead letters of *path*, oldest first; none if there is no such file.

    What was refused, then offered again because the process was killed at that moment, stands in the file twice, and is
    one letter; the part of a letter that such a process may leave is none.
    """
    known: set[bytes] = set()
    if path.exists():
        with path.open("rb") as file:
            for letter in filter(None, map(_letter, file)):
                digest = blake2b(letter.line, digest_size=16).digest()
                if digest not in known:
                    known.add(digest)
                    yield letter


def resend(path: Path, send: Callable[[list[DeadLetter]], list[DeadLetter]]) -> None:
    """Offer all letters of *path* to *send*, and keep in the file those that it returns.

    Raises:
        OSError: the disk refused; all of them are still there.
    """
    if not path.exists():
        return
    with _locked(path):
        _sweep(path)
        kept = send(list(letters(path)))
        disk.write(draft := path.with_suffix(DRAFT), [_lines(kept)])
        disk.replace(path, draft)


def sweep(path: Path) -> None:
    """Delete what a process that was killed has left of letters: a part of one, and files half made beside *path*."""
    if path.exists():
        with _locked(path) as file:
            _without_torn(file)
            _sweep(path)


def _sweep(path: Path) -> None:
    for suffix in (DRAFT, AGAIN):
        path.with_suffix(suffix).unlink(missing_ok=True)


def _without_torn(file: int) -> int:
    """Cut off a letter that is not ended, whose event was offered again; return where the file ends."""
    size = start = os.lseek(file, 0, os.SEEK_END)
    end = 0
    while start and not end:
        start = max(0, start - _CHUNK_BYTES)
        end = start + os.pread(file, min(_CHUNK_BYTES, size - start), start).rfind(b"\n") + 1
        end = end if end > start else 0
    if end < size:
        os.ftruncate(file, end)
    return end


def _lines(letters: list[DeadLetter]) -> bytes:
    return b"".join(orjson.dumps(_record(letter), option=orjson.OPT_APPEND_NEWLINE) for letter in letters)


def _record(letter: DeadLetter) -> dict[str, str]:
    return {**letter._asdict(), "line": letter.line.decode("utf-8", "replace")}


def _letter(line: bytes) -> DeadLetter | None:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return DeadLetter(**{**record, "line": record["line"].encode()})


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open *path* for us alone; a file that was replaced while we waited is opened anew."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and path.samefile(f"/dev/fd/{file}"):
                yield file
                return
        finally:
            os.close(file)


def now() -> str:
    """The time as a dead letter bears it: ISO 8601 UTC, in seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
