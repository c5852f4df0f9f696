"""Things over time: by periods that become longer as the log does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, Self, TypeVar

from flywheel_log.event import Event
from flywheel_log.meter import CALLS

from .stats import Row
from .values import instant


class Mergeable(Protocol):
    """What counts, and can count what another of its kind has counted, too."""

    def merge(self, other: Self, /) -> None:
        """Count all of *other*."""


Counted = TypeVar("Counted", bound=Mergeable)

PERIODS = {
    "minute": timedelta(minutes=1),
    "5 minutes": timedelta(minutes=5),
    "15 minutes": timedelta(minutes=15),
    "hour": timedelta(hours=1),
    "6 hours": timedelta(hours=6),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "4 weeks": timedelta(weeks=4),
}
_EARLIEST = 1970
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


class Timeline(Generic[Counted]):
    """One thing a period: by the shortest of `PERIODS` of which *most* are enough; after 4 weeks they double.

    Args:
        make: makes a new thing for a period; when periods become longer, two of them are merged.
        most: how many periods there may be at most.
    """

    def __init__(self, make: Callable[[], Counted], most: int = 48) -> None:
        self._make, self._most = make, most
        self._lengths = list(PERIODS.values())
        self._things: dict[int, Counted] = {}

    @property
    def period(self) -> str:
        """The name of the period, e.g. `hour`."""
        length = self._lengths[0]
        return next((name for name, known in PERIODS.items() if known == length), f"{length.days // 7} weeks")

    def at(self, timestamp: str) -> Counted | None:
        """Return the thing of the period that *timestamp* is in; None if it cannot be read."""
        time = instant(timestamp)
        if time is None or time.year < _EARLIEST:
            return None
        while (place := (time - _MONDAY) // self._lengths[0]) not in self._things:
            if not self._things or max(place, *self._things) - min(place, *self._things) < self._most:
                self._things[place] = self._make()
                break
            self._lengthen()
        return self._things[place]

    def __iter__(self) -> Iterator[tuple[str, Counted]]:
        """Yield the beginning of each period in UTC, and its thing, oldest first; empty periods too."""
        for place in range(min(self._things), max(self._things) + 1) if self._things else ():
            begin = (_MONDAY + place * self._lengths[0]).isoformat().replace("+00:00", "Z")
            yield begin, self._things.get(place) or self._make()

    def halves(self) -> tuple[Counted, Counted]:
        """Return what was counted in the earlier half of the time, and in the later."""
        things = [thing for _, thing in self]
        earlier, later = self._make(), self._make()
        for place, thing in enumerate(things):
            (earlier if 2 * place < len(things) else later).merge(thing)
        return earlier, later

    def _lengthen(self) -> None:
        shorter = self._lengths.pop(0)
        if not self._lengths:
            self._lengths.append(shorter * 2)
        share, old, self._things = self._lengths[0] // shorter, self._things, {}
        for place, thing in sorted(old.items(), key=lambda item: item[0]):
            if place // share in self._things:
                self._things[place // share].merge(thing)
            else:
                self._things[place // share] = thing


def over_time(events: Iterable[Event], *, scaled: bool = False) -> tuple[str, list[Row]]:
    """Count the calls among *events* by the period that a `Timeline` takes; *scaled* as `summarise` does.

    Returns the period and its rows, oldest first, those without calls included; the key of a row is the beginning of
    its period in UTC. Calls whose time cannot be read are left out.
    """
    line = Timeline(lambda: Row((), scaled=scaled))
    for event in events:
        if event.get("kind") in CALLS and (row := line.at(event["timestamp"])) is not None:
            row.add(event)
    rows = []
    for begin, row in line:
        row.key = (begin,)
        rows.append(row)
    return line.period, rows
