"""The files of one log, told by their names: the current one, and those that were rotated away from it."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from . import compression

# logrotate counts (genai.log.2.gz is older than genai.log.1) or dates (genai.log-20260131.xz, genai.log.2026-01-31).
_ROTATED = re.compile(
    r"(?P<stem>.+?)(?:[.-](?P<date>\d{4}-?\d\d-?\d\d[\d-]*)|\.(?P<number>\d+))?"
    rf"(?:{'|'.join(map(re.escape, compression.SUFFIXES))})?"
)


def log_of(file: Path) -> Path:
    """Return the log that *file*, its current or a rotated one, belongs to."""
    parts = _ROTATED.fullmatch(str(file))
    return Path(parts["stem"]) if parts else file


def family(log: Path) -> list[Path]:
    """Return the files of *log*: itself if it is there, and what was rotated away from it, oldest first."""
    pattern = f"{glob.escape(log.name)}*"
    return in_order(file for file in log.parent.glob(pattern) if log_of(file) == log and file.is_file())


def generations(log: Path) -> list[Path]:
    """Return the files that hold what was ever written to *log*, oldest first; none for the name of a rotated file.

    What is being compressed, or was when a program died, is there twice for a while: then the plain file counts.
    """
    files = [file for file in family(log) if file == log or is_rotated(file)] if not is_rotated(log) else []
    plain = {file for file in files if not compression.is_compressed(file)}
    return [file for file in files if file in plain or compression.plain(file) not in plain]


def in_order(files: Iterable[Path]) -> list[Path]:
    """Sort *files* by their log, and the rotated ones of a log before it, oldest first."""
    return sorted(files, key=_age)


def is_rotated(path: Path) -> bool:
    """Tell whether the name of *path* says that it was rotated away from a log."""
    parts = _ROTATED.fullmatch(str(path))
    return parts is not None and bool(parts["number"] or parts["date"])


def _age(path: Path) -> tuple[str, bool, str, int]:
    parts = _ROTATED.fullmatch(str(path))
    if parts is None:
        return (str(path), True, "", 0)
    number, date = parts["number"], parts["date"]
    return (parts["stem"], not (number or date), date or "", -int(number or 0))
