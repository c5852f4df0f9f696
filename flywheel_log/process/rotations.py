"""The files of one log, recognised by their names: the current one, and those rotated away from it."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from . import compression

# logrotate counts (genai.log.2.gz is older than genai.log.1) or dates (genai.log-20260131.xz, genai.log.2026-01-31).
_BEHIND_NAME = re.compile(
    r"(?:[.-](?P<date>\d{4}-?\d\d-?\d\d[\d-]*)|\.(?P<number>\d+))?"
    rf"(?:{'|'.join(map(re.escape, compression.SUFFIXES))})?"
)
_ROTATED = re.compile(rf"(?P<log>.+?){_BEHIND_NAME.pattern}")


def log_of(file: Path) -> Path:
    """Return the log that *file*, its current or a rotated one, belongs to."""
    parts = _ROTATED.fullmatch(str(file))
    return Path(parts["log"]) if parts else file


def number_of(file: Path, log: Path) -> int:
    """Return the number that *file*, one of the files of *log*, was given when it was rotated away; else 0."""
    parts = _BEHIND_NAME.fullmatch(file.name, len(log.name))
    return int(parts["number"] or 0) if parts else 0


def family(log: Path) -> list[Path]:
    """Return the files of *log*: itself if it is there, and what was rotated away from it, oldest first.

    That is what stands behind its name, which may itself end like that of a rotated file: `genai.8080`.
    """
    found = (
        (_BEHIND_NAME.fullmatch(file.name, len(log.name)), file)
        for file in log.parent.glob(f"{glob.escape(log.name)}*")
    )
    files = [(_age(parts), file) for parts, file in found if parts and file.is_file()]
    return [file for _, file in sorted(files)]


def generations(log: Path) -> list[Path]:
    """Return the files that hold what was ever written to *log*, oldest first; none for the name of a rotated file.

    What is being compressed, or was when a program died, is there twice for a while: then the plain file counts.
    """
    files = [file for file in family(log) if file == log or is_rotated(file)] if not is_rotated(log) else []
    plain = {file for file in files if not compression.is_compressed(file)}
    return [file for file in files if file in plain or compression.plain(file) not in plain]


def in_order(files: Iterable[Path]) -> list[Path]:
    """Sort *files* by their log, and the rotated ones of a log before it, oldest first."""
    return sorted(files, key=_by_log)


def is_rotated(path: Path) -> bool:
    """Tell whether the name of *path* says that it was rotated away from a log."""
    parts = _ROTATED.fullmatch(str(path))
    return parts is not None and bool(parts["number"] or parts["date"])


def _by_log(path: Path) -> tuple[str, tuple[bool, str, int]]:
    parts = _ROTATED.fullmatch(str(path))
    return (parts["log"], _age(parts)) if parts else (str(path), (True, "", 0))


def _age(parts: re.Match[str]) -> tuple[bool, str, int]:
    number, date = parts["number"], parts["date"]
    return (not (number or date), date or "", -int(number or 0))
