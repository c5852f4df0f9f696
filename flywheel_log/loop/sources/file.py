"""Records from files: a path, a `file:` URL or a glob, compressed or not, rotated ones in the order of writing."""

from __future__ import annotations

import glob
import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

# logrotate counts (genai.log.2.gz is older than genai.log.1) or dates (genai.log-20260131.gz).
_ROTATED = re.compile(r"(?P<stem>.+?)(?:\.(?P<number>\d+)|-(?P<date>\d{8}[\d-]*))?(?:\.gz)?")


def records(source: str) -> Iterator[bytes]:
    """Begin to read the lines of all files that *source* names, the oldest file first.

    Raises:
        FileNotFoundError: there is none.
    """
    return _lines(paths(source))


def count(source: str) -> int:
    """Return how many lines the files that *source* names have. Raises as `records`."""
    total = 0
    for path in paths(source):
        with _open(path) as lines:
            total += sum(part.count(b"\n") for part in iter(lambda: lines.read(1 << 20), b""))
    return total


def path_of(source: str) -> Path:
    """Return the path that *source*, a path or a `file:` URL, means."""
    if not source.startswith("file:"):
        return Path(source).expanduser()
    url = urlsplit(source)
    return Path(unquote(url.netloc + url.path)).expanduser()


def paths(source: str) -> list[Path]:
    """Return the files that *source* names, in the order in which they were written. Raises as `records`."""
    path = path_of(source)
    if path.exists():
        return [path]
    if not glob.has_magic(str(path)):
        raise missing(path)
    found = [Path(name) for name in glob.glob(str(path))]  # noqa: PTH207  a pattern may be absolute
    if not found:
        raise FileNotFoundError(f"no file matches {path}; quote the pattern, and check its folder")
    return in_order(found)


def in_order(files: Iterable[Path]) -> list[Path]:
    """Sort *files* by their log, and the rotated ones of a log before it, oldest first."""
    return sorted(files, key=_age)


def missing(path: Path) -> FileNotFoundError:
    """Return the error for a log that does not exist, with what to do about it."""
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


def _lines(files: list[Path]) -> Iterator[bytes]:
    for path in files:
        with _open(path) as lines:
            yield from lines


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
