"""What dead programs left in the journal, and the sinks that it waits for; reads only, and changes nothing."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path

from ..health import health
from .destination import Destination
from .names import journals, segments
from .segments import Segment


def waiting(root: Path) -> dict[str, int]:
    """Count the events under *root* that wait for each sink, by its URL without credentials.

    Those of programs that live are theirs to deliver and not counted.
    """
    counts: Counter[str] = Counter()
    for directory in journals(root):
        try:
            counts.update(waiting_in(directory, Destination.load(directory).names))
        except (OSError, ValueError) as error:
            health.warn("what another process left in the journal cannot be read", error)
    return {name: count for name, count in sorted(counts.items()) if count}


def waiting_in(directory: Path, names: tuple[str, ...]) -> Counter[str]:
    """Count the events in *directory* that wait for each of its sinks, which have these *names*.

    Raises:
        OSError: a segment cannot be read.
    """
    counts: Counter[str] = Counter()
    for path in segments(directory):
        if segment := Segment.adopt(path, len(names)):
            with closing(segment):
                counts.update({name: segment.waiting(number) for number, name in enumerate(names)})
    return counts
