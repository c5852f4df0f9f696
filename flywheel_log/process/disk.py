"""What survives a power failure: files and directory entries, and telling one start of the machine from another."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
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


def write(path: Path, lines: Iterable[bytes]) -> None:
    """Make a file of *lines* (0600), synced to disk before anybody gives it the name of another.

    Raises:
        OSError: the disk refused; there is no such file.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def replace(path: Path, draft: Path) -> None:
    """Let *draft*, which must be synced, have the name *path* from now on, whatever had it before.

    Raises:
        OSError: the disk refused.
    """
    draft.rename(path)
    sync_name(path)


@cache
def boot() -> bytes:
    """Return the kernel's name for the time since it was started, 36 characters; b"" where it has none.

    Unlike any clock, it is not set anew, and not the same on another machine that a volume is moved to.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    except OSError:
        return b""
