"""Where journals and dead letters are kept: the user's state directory, else the temporary directory."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from platformdirs import user_state_path

from .directories import nearest

_NAME = "flywheel-log"
_NOWHERE = Path("/dev/null") / _NAME


def state_directory() -> Path:
    """Return the user's own directory for journals and dead letters.

    That is `~/.local/state/flywheel-log` (or below `XDG_STATE_HOME`). A user without a home to write to, as containers
    and functions in a cloud have them, gets a directory among the temporary files that nobody else can write to. Where
    there is neither, as in a container that is read-only throughout, it is one that cannot be made, and whoever wants
    to write there does without.
    """
    usual = _usual()
    if _is_ours_to_make(usual):
        return usual
    temporary = _temporary()
    return temporary if temporary is not None and _is_private(temporary) else usual


def _usual() -> Path:
    try:
        path = user_state_path(_NAME)
    except RuntimeError:  # Neither a variable nor the system names a home.
        return _NOWHERE
    return path if path.is_absolute() else _NOWHERE


def _temporary() -> Path | None:
    try:
        return Path(tempfile.gettempdir()) / f"{_NAME}-{os.geteuid()}"
    except FileNotFoundError:  # No directory for temporary files can be written.
        return None


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
