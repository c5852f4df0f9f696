"""When a sink brings what it has acknowledged to the disk itself; only then may the journal forget it."""

from __future__ import annotations

import time

from ..health import name_of
from .journal import Journal
from .outlet import Outlet
from .segments import Segment


class Syncing:
    """Has one sink sync, some time after it has acknowledged something. Used by the sink's own thread only.

    Args:
        number: the sink's place in the destination.
        outlet: the sink.
        journal: what is shipped.
        interval: seconds between two times.
        worth: bytes of a full segment that are worth a time of their own; smaller ones wait for those that follow.

    Attributes:
        at: when the next time is due, by the monotonic clock; None where there is nothing to sync.
        error: why the last time failed; None when it went well.
    """

    def __init__(self, number: int, outlet: Outlet, journal: Journal, interval: float, worth: int) -> None:
        self.at: float | None = None
        self.error: str | None = None
        self._number = number
        self._outlet = outlet
        self._journal = journal
        self._interval = interval
        self._worth = worth

    def consider(self, segment: Segment) -> None:
        """See to it that what the sink has acknowledged of *segment* is synced: where it is full, as soon as may be."""
        if segment.is_insecure(self._number):
            due = time.monotonic() + (0.0 if segment.sealed and self.error is None else self._interval)
            self.at = min(self.at or due, due)
            if segment.size >= self._worth:  # Its room may be wanted now.
                self.sync(early=False)

    def sync(self, *, early: bool) -> None:
        """Sync if it is due, or *early* if anything is to be synced; where that fails, it is due again."""
        if self.at is None or not (early or time.monotonic() >= self.at):
            return
        self.at = time.monotonic() + self._interval
        try:
            self._outlet.sync()
        except Exception as error:  # noqa: BLE001 - nothing is lost: what the sink has stays in the journal as well
            self.error = name_of(error)
            self._outlet.complain(self.error)
            return
        self.at = self.error = None
        for segment in self._journal.segments():
            segment.secure(self._number)
            self._journal.retire(segment)
