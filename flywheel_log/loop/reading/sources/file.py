"""Records from files: a path, a `file:` URL or a glob, compressed or not, rotated ones in the order of writing."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote, urlsplit

from flywheel_log.loop.reading import progress
from flywheel_log.loop.reading.since import first_byte
from flywheel_log.process import compression
from flywheel_log.process.rotations import family, generations, in_order, is_rotated, log_of

from ._generations import Held, held


class Log(NamedTuple):
    """The files of one log that are meant.

    Attributes:
        path: the log; what is written now goes to the file of this name.
        named: the files that were asked for. The log itself stands for all its generations; a rotated one for itself.
    """

    path: Path
    named: tuple[Path, ...]

    def files(self) -> list[Path]:
        """Return the files that there are at this moment, in the order in which they were written."""
        if self.path not in self.named:
            return [path for path in self.named if path.exists()]
        others = [path for path in self.named if path != self.path and not is_rotated(path) and path.exists()]
        return in_order([*generations(self.path), *others])

    def held(self) -> AbstractContextManager[list[Held]]:
        """Open the files for a `with` block, so that no rotation changes what is read; see `_generations.held`."""
        return held(self.path, self.files)


def records(source: str | Log, since: datetime | None = None) -> Iterator[bytes]:
    """Begin to read the lines of all files that *source* names, the oldest file first.

    Of large files, the part that was written before *since* is left out.

    Raises:
        FileNotFoundError: there is none.
        IsADirectoryError: it is a directory.
    """
    wanted = [source] if isinstance(source, Log) else logs([source])
    if progress.heard():
        progress.begin(sum(_size(log, since) for log in wanted))
    return chain.from_iterable(_lines(log, since) for log in wanted)


def logs(sources: Iterable[str]) -> list[Log]:
    """Return the logs that *sources* name, each once, and which files of each are meant. Raises as `records`."""
    found: dict[Path, dict[Path, Path]] = {}
    for path in (path for source in sources for path in paths(source)):
        at = path.absolute()
        found.setdefault(log_of(at), {}).setdefault(at, path)
    return [
        Log(named.get(log, log), tuple(in_order(named.values())))
        for log, named in sorted(found.items(), key=lambda item: str(item[0]))
    ]


def backwards(file: BinaryIO, block: int = 1 << 16) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of the plain *file*, the last one first, each with the place where it begins.

    The file is read by the *block* of bytes. Lines come without their ends; after the end of the last whole line there
    is one more, often an empty one.
    """
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
    """Return the files that *source* names, in the order in which they were written. Raises as `records`.

    A log whose latest file was renamed and not begun anew is there as well.
    """
    path = path_of(source)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory; name the log in it, such as {path / 'genai.log'}")
    if path.exists() or generations(path):
        return [path]
    if not glob.has_magic(str(path)):
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()  # Says why, where it is not simply absent: `exists` keeps that to itself since Python 3.14.
        raise missing(path)
    found = [Path(name) for name in glob.glob(str(path))]  # noqa: PTH207  a pattern may be absolute
    if not found:
        raise FileNotFoundError(f"no file matches {path}; quote the pattern, and check its folder")
    return in_order(found)


def parts(files: Iterable[Held], since: datetime | None) -> list[tuple[Held, int]]:
    """Return those of *files* that may hold events which began at *since* or later, and the byte behind which."""
    begins = ((one, first_byte(one.data.fileno(), since, packed=one.packed) if since else 0) for one in files)
    return [(one, begin) for one, begin in begins if begin is not None]


def missing(path: Path) -> FileNotFoundError:
    """Return the error for a log that does not exist, with what to do about it."""
    if others := [] if is_rotated(path) else family(path):
        return FileNotFoundError(f"{path} does not exist, but {others[-1]} does; name that")
    return FileNotFoundError(
        f"{path} does not exist; a program writes it after flywheel_log.instrument(client), "
        f"in the folder where it runs: name the file, or make one with `flywheel-log demo --log {path}`"
    )


def opened(path: Path) -> BinaryIO:
    """Open *path*, compressed or not, to read its lines."""
    data = progress.opened(path)
    return compression.reading(data, path, closing=True) if compression.is_compressed(path) else data


def _lines(log: Log, since: datetime | None) -> Iterator[bytes]:
    with log.held() as files:
        for one, begin in parts(files, since):
            yield from one.lines(begin)


def _size(log: Log, since: datetime | None) -> int:
    with log.held() as files:
        return sum(one.size - begin for one, begin in parts(files, since))
