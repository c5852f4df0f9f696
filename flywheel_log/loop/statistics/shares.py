"""The shares of calls with certain marks; what all shares have in common is counted once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .estimate import Share


class Shares:
    """Counts calls, and of each mark the calls that have it; what a call costs grows with the marks it has."""

    def __init__(self) -> None:
        self._all = Share()
        self._marked: defaultdict[str, Share] = defaultdict(Share)

    def add(self, marks: Iterable[str], weight: float = 1, place: int | None = None) -> None:
        """Count a call with *marks*, each named once, *weight* times; its group is in the bucket at *place*."""
        self._all.add(1, weight, place)
        for name in marks:
            self.mark(name, weight, place)

    def mark(self, name: str, weight: float = 1, place: int | None = None) -> None:
        """Mark a call that was added before."""
        self._marked[name].add(1, weight, place)

    def merge(self, other: Shares) -> None:
        """Count all calls of *other* too."""
        self._all.merge(other._all)
        for name, hits in other._marked.items():
            self._marked[name].merge(hits)

    def of(self, name: str) -> Share:
        """Return the share of the calls with the mark *name* among all."""
        return self._marked.get(name, Share()).among(self._all)
