"""Where journals and dead letters are kept: in the user's state directory, else among the temporary files."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from platformdirs import user_state_path

from .directories import nearest

_NAME = "flywheel-log"


def state_directory() -> Path:
    """Return the user's own directory for journals and dead letters.

    That is `~/.local/state/flywheel-log` (or below `XDG_STATE_HOME`). A user without a home to write to, as containers
    and functions in a cloud have them, gets a directory among the temporary files that nobody else can write to.

    Raises:
        ValueError: there is neither.
    """
    usual = _usual()
    if usual is not None and _is_ours_to_make(usual):
        return usual
    temporary = Path(tempfile.gettempdir()) / f"{_NAME}-{os.geteuid()}"
    if _is_private(temporary):
        return temporary
    if usual is None:
        raise ValueError(f"there is no home directory, and {temporary} is not ours alone; set FLYWHEEL_LOG_JOURNAL")
    return usual


def _usual() -> Path | None:
    try:
        path = user_state_path(_NAME)
    except RuntimeError:  # Neither a variable nor the system names a home.
        return None
    return path if path.is_absolute() else None


def _is_ours_to_make(path: Path) -> bool:
    there = nearest(path)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _is_private(path: Path) -> bool:
    """Whether *path* is a directory that only we can use, made here if it was not there."""
    try:
        path.mkdir(0o700, exist_ok=True)
        status = path.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    return ours and not stat.S_IMODE(status.st_mode) & 0o077
