"""What survives a power failure: syncing directory entries, and telling which files were written since the boot."""

from __future__ import annotations

import os
import time
from pathlib import Path


def sync_name(path: Path) -> None:
    """Sync the entry of *path* in its directory to disk; the content of *path* must be synced already.

    Raises:
        OSError: the disk refused.
    """
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def is_of_this_boot(path: Path) -> bool:
    """Tell whether *path* was written since this machine started, so that no power failure can have reordered it.

    Where that is not known, it was not.

    Raises:
        OSError: there is no such file.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    booted = time.time() - time.clock_gettime(clock) if clock is not None else time.time()
    return path.stat().st_mtime > booted
