"""Records from files: a path, a `file:` URL or a glob, compressed or not, rotated ones in the order of writing."""

from __future__ import annotations

import glob
import gzip
import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

from flywheel_log.loop import progress, recent

# logrotate counts (genai.log.2.gz is older than genai.log.1) or dates (genai.log-20260131.gz).
_ROTATED = re.compile(r"(?P<stem>.+?)(?:\.(?P<number>\d+)|-(?P<date>\d{8}[\d-]*))?(?:\.gz)?")


def records(source: str, since: datetime | None = None) -> Iterator[bytes]:
    """Begin to read the lines of all files that *source* names, the oldest file first.

    Of large files, the part that was written before *since* is left out.

    Raises:
        FileNotFoundError: there is none.
        IsADirectoryError: it is a directory.
    """
    wanted = parts(paths(source), since)
    if progress.heard():
        progress.begin(sum(path.stat().st_size - begin for path, begin in wanted))
    return _lines(wanted)


def backwards(path: Path, block: int = 1 << 16) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of the plain file *path*, the last one first, each with the place where it begins.

    The file is read by the *block* of bytes. Lines come without their ends; after the end of the last whole line there
    is one more, often an empty one.
    """
    with path.open("rb") as file:
        place, rest, size = file.seek(0, os.SEEK_END), b"", block
        while place:
            size = min(size, place)
            place = file.seek(place - size)
            first, *lines = (file.read(size) + rest).split(b"\n")
            at = place + len(first) + sum(map(len, lines)) + len(lines)
            for line in reversed(lines):
                at -= len(line)
                yield at, line
                at -= 1
            # A long line is looked for in ever larger blocks, so that it is not copied over and over again.
            rest, size = first, block if lines else 2 * size
        yield 0, rest


def path_of(source: str) -> Path:
    """Return the path that *source*, a path or a `file:` URL, means."""
    if not source.startswith("file:"):
        return Path(source).expanduser()
    url = urlsplit(source)
    return Path(unquote(url.netloc + url.path)).expanduser()


def paths(source: str) -> list[Path]:
    """Return the files that *source* names, in the order in which they were written. Raises as `records`."""
    path = path_of(source)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory; name the log in it, such as {path / 'genai.log'}")
    if path.exists():
        return [path]
    if not glob.has_magic(str(path)):
        raise missing(path)
    found = [Path(name) for name in glob.glob(str(path))]  # noqa: PTH207  a pattern may be absolute
    if not found:
        raise FileNotFoundError(f"no file matches {path}; quote the pattern, and check its folder")
    return in_order(found)


def parts(files: Iterable[Path], since: datetime | None) -> list[tuple[Path, int]]:
    """Return those of *files* that may hold events which began at *since* or later, and the byte behind which."""
    begins = ((path, recent.begin(path, since) if since else 0) for path in files)
    return [(path, begin) for path, begin in begins if begin is not None]


def log_of(file: Path) -> Path:
    """Return the log that *file*, its current or a rotated one, belongs to."""
    parts = _ROTATED.fullmatch(str(file))
    return Path(parts["stem"]) if parts else file


def family(log: Path) -> list[Path]:
    """Return the files of *log*: itself if it is there, and what was rotated away from it, oldest first."""
    pattern = f"{glob.escape(log.name)}*"
    return in_order(file for file in log.parent.glob(pattern) if log_of(file) == log and file.is_file())


def in_order(files: Iterable[Path]) -> list[Path]:
    """Sort *files* by their log, and the rotated ones of a log before it, oldest first."""
    return sorted(files, key=_age)


def missing(path: Path) -> FileNotFoundError:
    """Return the error for a log that does not exist, with what to do about it."""
    if family(path):
        return FileNotFoundError(f"{path} was rotated, and nothing was written since; read '{path}*'")
    return FileNotFoundError(
        f"{path} does not exist; a program writes it after flywheel_log.instrument(client), "
        f"in the folder where it runs: name the file, or make one with `flywheel-log demo --log {path}`"
    )


def _age(path: Path) -> tuple[str, bool, str, int]:
    parts = _ROTATED.fullmatch(str(path))
    if parts is None:
        return (str(path), True, "", 0)
    number, date = parts["number"], parts["date"]
    return (parts["stem"], not (number or date), date or "", -int(number or 0))


def _lines(wanted: list[tuple[Path, int]]) -> Iterator[bytes]:
    for path, begin in wanted:
        with opened(path) as lines:
            if begin:
                lines.seek(begin)
                lines.readline()
            yield from lines


def opened(path: Path) -> BinaryIO:
    """Open *path*, compressed or not, to read its lines."""
    data = progress.opened(path)
    return cast(BinaryIO, _Unpacked(data)) if path.suffix == ".gz" else data


class _Unpacked(gzip.GzipFile):
    """What is in a compressed file, which is closed with it."""

    def __init__(self, data: BinaryIO) -> None:
        super().__init__(fileobj=data, mode="rb")
        self._data = data

    def close(self) -> None:
        super().close()
        self._data.close()
