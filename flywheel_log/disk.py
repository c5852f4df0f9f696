"""What a power failure leaves: what was brought to the disk itself before, and who may be believed afterwards."""

from __future__ import annotations

import os
import time
from pathlib import Path


def sync_name(path: Path) -> None:
    """Bring to the disk itself that *path* is in its directory; its content is there already.

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
