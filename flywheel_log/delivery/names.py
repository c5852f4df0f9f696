"""Where segments are, and what the name of one says: when it was made, on which machine, by which process."""

from __future__ import annotations

import os
from operator import attrgetter
from pathlib import Path

SUFFIX = ".seg"


def name(nanoseconds: int, run: str, number: int | str) -> str:
    """Return the name of segment *number* of *run*, made here, *nanoseconds* after the epoch; names sort by that."""
    return f"{nanoseconds:019d}-{_here()}-{os.getpid()}-{run}-{number}{SUFFIX}"


def journals(root: Path) -> list[Path]:
    """Return the directories under *root*, one for each set of sinks."""
    return sorted(path for path in root.glob("*") if path.is_dir())


def segments(directory: Path) -> list[Path]:
    """Return the segments in *directory*, the oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}"), key=attrgetter("name"))  # Whole paths take long to compare.


def process_of(path: Path) -> str:
    """Return the part that all segments of one process share, and no other."""
    return path.name.partition("-")[2].rpartition("-")[0]


def is_of_this_machine(path: Path) -> bool:
    """Tell whether the segment at *path* was made under this host's name, so that our locks are its owner's, too.

    Containers with a kernel of their own, and machines that share a directory over the network, may have others.
    """
    return process_of(path).rsplit("-", 2)[0] == _here()


def _here() -> str:
    return os.uname().nodename.replace("/", "_")
