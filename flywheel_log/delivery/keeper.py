"""The thread that keeps the journal: syncs it, prepares its next segment, adopts orphans, reports losses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..health import health
from .adopt import adopt_orphans
from .journal import Journal
from .purge import asked_at
from .tuning import Tuning

MOST_ADOPTED = 16
"""Segments of dead processes that are held at a time and that no sink is done with."""

MOST_HELD = 128
"""All that are held, each with two open files: a sink that fails keeps those that the others are done with."""

_BREATH_S = 0.02


class Keeper:
    """Does for the journal what its callers should not wait for.

    Args:
        journal: what is kept.
        tuning: how often.
        chore: done beside, about once a second while events come.
    """

    name = "journal:"

    def __init__(self, journal: Journal, tuning: Tuning, chore: Callable[[], object]) -> None:
        self._journal = journal
        self._chore = chore
        self._tuning = tuning
        self._stop = threading.Event()
        self._sync_at = 0.0
        self._adopt_at = 0.0
        self._asked: int | None = None

    def run(self) -> None:
        """Keep the journal until stopped. The body of the thread."""
        bell = self._journal.keeper_bell
        while not self._stop.is_set():
            for work in (self._restore, self._sync, self._journal.prepare, self._adopt, self._chore):
                self._guard(work)
            health.say()
            if bell.wait(self._idle_s()):
                self._stop.wait(_BREATH_S)  # A full disk rings for every event; once in a while is enough.
            bell.rearm()

    def stop(self) -> None:
        """Let the thread end."""
        self._stop.set()
        self._journal.keeper_bell.ring()

    def adopt(self) -> bool:
        """Adopt a few orphans, unless many are waiting already; tell whether there were any, or may be more."""
        destination = self._journal.destination
        sinks = range(len(destination.urls))
        with self._journal.making:
            held = {one.path: one for one in self._journal.segments() if one.adopted and one.path}
            most = min(MOST_ADOPTED - sum(all(map(one.waiting, sinks)) for one in held.values()), MOST_HELD - len(held))
            orphans, more = adopt_orphans(destination.directory, len(sinks), most, held)
            for orphan in orphans:
                self._journal.adopt(orphan)
        return more or bool(orphans)

    def _idle_s(self) -> float:
        now = time.monotonic()
        due = min(self._adopt_at, self._sync_at) if self._journal.unsynced else self._adopt_at
        return max(0.0, min(due - now, self._tuning.refused_s if self._journal.losses else due - now))

    def _restore(self) -> None:
        """Let what somebody deleted have a file again: it is shipped from here, but a crash would lose it."""
        journal = self._journal
        for segment in journal.segments():
            if not segment.exists():
                with journal.making:
                    if segment in journal.segments():  # Else it is delivered, and was removed just now.
                        if not segment.sealed:
                            journal.let_go()
                            segment.sealed = True
                        segment.restore(journal.destination.prepare)

    def _sync(self) -> None:
        if self._journal.unsynced and time.monotonic() >= self._sync_at:
            self._sync_at = time.monotonic() + self._tuning.sync_s
            self._journal.sync()

    def _adopt(self) -> None:
        if time.monotonic() >= self._adopt_at:
            self._adopt_at = time.monotonic() + self._tuning.adopt_s
            self.adopt()
            self._listen()

    def _listen(self) -> None:
        """Let go of what is delivered, if that was asked for since the last time."""
        asked = asked_at(self._journal.destination.directory)
        if self._asked not in (None, asked):
            self._journal.let_go()
        self._asked = asked

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the next round tries again
            health.warn("maintaining the journal failed; it is tried again", error)
