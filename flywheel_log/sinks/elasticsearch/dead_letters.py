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
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = b"".join(orjson.dumps(_record(letter), option=orjson.OPT_APPEND_NEWLINE) for letter in letters)
    with _locked(path) as file:
        end = os.lseek(file, 0, os.SEEK_END)
        try:
            if os.write(file, data) != len(data):
                raise OSError("the disk is full")
            os.fsync(file)
        except OSError:
            os.ftruncate(file, end)
            raise


def letters(path: Path) -> Iterator[DeadLetter]:
    """Read the dead letters of *path*, oldest first; none if there is no such file.

    What was refused, then offered again because the process was killed at that moment, stands in the file twice, and is
    one letter.
    """
    known: set[bytes] = set()
    if path.exists():
        with path.open("rb") as file:
            for letter in map(_letter, file):
                digest = blake2b(letter.line, digest_size=16).digest()
                if digest not in known:
                    known.add(digest)
                    yield letter


def resend(path: Path, send: Callable[[list[DeadLetter]], list[DeadLetter]]) -> None:
    """Offer all letters of *path* to *send*, and keep in the file those that it returns."""
    if not path.exists():
        return
    with _locked(path) as file:
        kept = send(list(letters(path)))
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as rewritten:
            rewritten.writelines(orjson.dumps(_record(letter), option=orjson.OPT_APPEND_NEWLINE) for letter in kept)
        part.replace(path)
        os.fsync(file)


def _record(letter: DeadLetter) -> dict[str, str]:
    return {**letter._asdict(), "line": letter.line.decode("utf-8", "replace")}


def _letter(line: bytes) -> DeadLetter:
    record = orjson.loads(line)
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
