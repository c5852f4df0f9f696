"""Directories that may not be there yet."""

from __future__ import annotations

import os
from pathlib import Path


def nearest(path: Path) -> Path:
    """Return *path*, or the first of the directories above it that is there, as far as we are let look."""
    return next(one for one in (path, *path.parents) if os.path.exists(one))  # noqa: PTH110 - Path.exists would raise


def make(path: Path) -> None:
    """Make the directory *path* and those above it that are missing, all with mode 0700.

    Raises:
        OSError: one cannot be made.
    """
    for directory in (*reversed(path.parents), path):
        if not directory.exists():
            directory.mkdir(0o700, exist_ok=True)
