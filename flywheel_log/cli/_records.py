"""The records that a command reads: which they are, and what to print if there are none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Annotated

import typer

from flywheel_log.event import Event
from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.filter import Filter
from flywheel_log.loop.reading.latest import latest
from flywheel_log.loop.reading.read import remarks, search
from flywheel_log.sinks import public

from . import Problem, wrong
from ._progress import progress_shown
from ._source import SOURCE, default, skipping


@dataclass(frozen=True)
class Records:
    """The records that a command is about: those of its SOURCE that its options choose.

    Attributes:
        given: the sources as they were given; None for the default one.
        chosen: which of their records.

    All that reads them raises FileNotFoundError where there is no such file, and typer.BadParameter where a source is
    of no known kind, or can be read but once where it has to be read again.
    """

    given: list[str] | None = None
    chosen: Filter = field(default_factory=Filter)

    @property
    def sources(self) -> list[str]:
        """The sources that are meant. Raises as `sinks`."""
        return self.given or [default()]

    @property
    def once(self) -> bool:
        """Whether they can be read but once: standard input is among the sources."""
        return "-" in (self.given or ())

    @contextmanager
    def reading(self, *, joined: bool = False, since: datetime | None = None) -> Iterator[Iterator[Event]]:
        """Open them for a `with` block, and say afterwards how many lines were skipped.

        The block gets the events; what began before *since* is not looked for. If *joined*, or where the filter asks
        for it, they come with what was said about them later; standard input is *joined* with nothing.
        """
        since = since or self.chosen.since
        joined = self.chosen.joined or (joined and not self.once)
        with skipping() as on_bad, progress_shown():
            with wrong("SOURCE"):
                events = search(self.sources, self.chosen.glance, feedback=joined, on_bad=on_bad, since=since)
            yield self.select(events, since)

    def select(self, events: Iterable[Event], since: datetime | None = None) -> Iterator[Event]:
        """Yield those of *events* that are chosen; feedback from before *since* may be left out."""
        return self.chosen.select(events, self.feedbacks(since) if self.chosen.feedback else None)

    def newest(self, count: int) -> list[Event]:
        """Return the last *count* events, with what was said about them."""
        if self.chosen.joined:  # What is said about a call stands behind it, and perhaps in another file.
            with self.reading() as events:
                return [*deque(events, maxlen=count)]
        chosen = self.chosen
        select = partial(chosen.select, feedbacks=self.feedbacks() if chosen.feedback else None)
        with skipping() as on_bad, wrong("SOURCE"):
            return latest(self.sources, count, select=select, glance=chosen.glance, on_bad=on_bad, since=chosen.since)

    def unreported(self, read: Callable[..., Iterable[Event]], *how: object) -> Iterator[Event]:
        """Yield what *read* finds in the sources; `reading` reports their skipped lines, this does not."""
        with wrong("SOURCE"), progress_shown():
            yield from read(self.sources, *how)

    def feedbacks(self, since: datetime | None = None, *, needed: bool = True) -> Feedbacks:
        """Read the feedback in the sources: a pass of its own, since it comes after the calls that it is about.

        What was said before *since* may be left out; where it is not *needed*, that of standard input is.
        """
        if self.once and not needed:
            return Feedbacks(())
        return Feedbacks(self.unreported(remarks, since or self.chosen.since))

    def rereadable(self) -> None:
        """Raise typer.BadParameter where they can be read but once; the command reads them more than once."""
        if self.once:
            why = "this is read more than once, and standard input but once; name a file instead of -"
            raise typer.BadParameter(why)

    @property
    def named(self) -> str:
        """What to call the sources in a message."""
        names = ["standard input" if one == "-" else public(one) for one in self.given or [default().partition("?")[0]]]
        return ", ".join(name.removeprefix("file:") for name in names)

    @property
    def matching(self) -> str:
        """Which of the records are chosen, as it follows a noun: ` that match …`; empty if all are."""
        return f" that match {self.chosen}" if self.chosen else ""

    def nothing(self, what: str) -> Problem:
        """Return the problem that there is no *what*, or none that is chosen."""
        found = f"none of the {what} in {self.named} match {self.chosen}" if self.chosen else ""
        return Problem(found or f"no {what} in {self.named} yet")


Given = Annotated[Records, SOURCE]
"""What a command takes that is `selecting`."""
ALL = Records()
