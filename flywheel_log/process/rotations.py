"""The files of one log, recognised by their names: the current one, and those rotated away from it."""

from __future__ import annotations

import glob
import heapq
import os
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


def place_of(log: Path) -> Path:
    """Return where the files of *log* are: where it leads to if it is a link, unless that is a rotated file."""
    target = Path(os.path.realpath(log)) if os.path.islink(log) else log  # noqa: PTH114 - the method may raise
    return log if is_rotated(target) else target


def number_of(file: Path, log: Path) -> int:
    """Return the number that *file*, one of the files of *log*, was given when it was rotated away; else 0."""
    parts = _BEHIND_NAME.fullmatch(file.name, len(log.name))
    return int(parts["number"] or 0) if parts else 0


def family(log: Path) -> list[Path]:
    """Return the files of *log*: itself if it is there, and what was rotated away from it, oldest first.

    That is what stands behind its name, which may itself end like that of a rotated file: `genai.8080`. Rotated files
    are in the order of their numbers or dates; where there are both, it is seen by the times when they were last
    written to where the ones belong among the others. Those of a link are where it leads to.
    """
    log = place_of(log)
    found = (
        (_BEHIND_NAME.fullmatch(file.name, len(log.name)), file)
        for file in log.parent.glob(f"{glob.escape(log.name)}*")
    )
    return _oldest_first((parts, file) for parts, file in found if parts and file.is_file())


def generations(log: Path) -> list[Path]:
    """Return the files that hold what was ever written to *log*, oldest first; none for the name of a rotated file.

    What is being compressed, or was when a program died, is there twice for a while: then the plain file counts.
    """
    log = place_of(log)
    files = [file for file in family(log) if file == log or is_rotated(file)] if not is_rotated(log) else []
    plain = {file for file in files if not compression.is_compressed(file)}
    return [file for file in files if file in plain or compression.plain(file) not in plain]


def in_order(files: Iterable[Path]) -> list[Path]:
    """Sort *files* by their log, and the rotated ones of a log before it, in the order of `family`."""
    logs: dict[Path, list[Path]] = {}
    for file in files:
        logs.setdefault(log_of(file), []).append(file)
    named = ([(_ROTATED.fullmatch(str(file)), file) for file in logs[log]] for log in sorted(logs, key=str))
    return [file for one in named for file in _oldest_first(one)]


def is_rotated(path: Path) -> bool:
    """Tell whether the name of *path* says that it was rotated away from a log."""
    parts = _ROTATED.fullmatch(str(path))
    return parts is not None and bool(parts["number"] or parts["date"])


def _oldest_first(files: Iterable[tuple[re.Match[str] | None, Path]]) -> list[Path]:
    """Sort *files* of one log, each with the parts of its name."""
    numbered, dated, current = [], [], []
    for parts, file in files:
        if parts and parts["number"]:
            numbered.append((-int(parts["number"]), file))
        elif parts and parts["date"]:
            dated.append((parts["date"].replace("-", ""), file))
        else:
            current.append(file)
    chains = ([file for _, file in sorted(chain)] for chain in (numbered, dated))
    return [*heapq.merge(*chains, key=_written_ns), *sorted(current)]


def _written_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:  # It was renamed or deleted just now.
        return 0
