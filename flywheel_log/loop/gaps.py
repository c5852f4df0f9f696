"""What is missing: numbers without an event, though later events of the same process exist."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from typing import Any

from flywheel_log.clock import timestamp
from flywheel_log.event import Event
from flywheel_log.serialise import dumps

from .values import instant

FORGOTTEN = "forgotten"
"""The reason of a `loss_report` about events that were removed on purpose: nothing is missing."""

_FIRST = 1
_MOST_DIGITS = 18  # what eight bytes hold


@dataclass(frozen=True)
class Gap:
    """Events *first* to *last* of a *run* (one process) that are not there.

    Attributes:
        run, first, last: the ids are `<run>-<first>` to `<run>-<last>`.
        reason: why they were dropped, if a `loss_report` among the events says so, else "".
    """

    run: str
    first: int
    last: int
    reason: str = ""

    @property
    def count(self) -> int:
        """How many events."""
        return self.last - self.first + 1


@dataclass
class Census:
    """The events that are there, by run, in eight bytes each.

    Attributes:
        since: what is missing before the first event of a run from this time on is not asked for.
        anonymous: events without an id of ours, in which nothing can be missing.
    """

    since: datetime | None = None
    anonymous: int = 0
    _runs: defaultdict[str, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))
    _starts: dict[str, int] = field(default_factory=dict)
    _losses: list[Gap] = field(default_factory=list)
    _forgotten: defaultdict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, events: Iterable[Event], since: datetime | None = None) -> Census:
        """Count *events*, in any order, repeated ones included."""
        census = cls(since)
        for event in events:
            census.add(event.get("id"), event["timestamp"])
            if event.get("kind") == "loss_report":
                census.add_loss(dict(event))
        return census

    def add(self, identity: object, time: str = "") -> None:
        """Count the event with the id *identity*, that began at *time*."""
        if (known := _numbered(identity)) is None:
            self.anonymous += 1
            return
        run, number = known
        self._runs[run].append(number)
        if self.since and (began := instant(time)) and began >= self.since:
            self._starts[run] = min(number, self._starts.get(run, number))

    def add_loss(self, report: dict[str, Any]) -> None:
        """Note what a `loss_report` says: `first` and `last` are ids, `reason` a word."""
        first, last = _numbered(report.get("first")), _numbered(report.get("last"))
        if first is None or last is None:
            return
        loss = Gap(first[0], first[1], last[1], str(report.get("reason")))
        if loss.reason == FORGOTTEN:
            self._forgotten[loss.run].append((loss.first, loss.last))
        else:
            self._losses.append(loss)

    @property
    def runs(self) -> int:
        """How many processes wrote the events."""
        return len(self._runs)

    @property
    def events(self) -> int:
        """How many different events there are."""
        return self.anonymous + sum(len(set(numbers)) for numbers in self._runs.values())

    def repeated(self) -> list[str]:
        """Return the ids of the events that are there more than once."""
        rows = ((run, Counter(numbers)) for run, numbers in sorted(self._runs.items()))
        return [f"{run}-{number}" for run, row in rows for number, times in sorted(row.items()) if times > 1]

    @property
    def forgotten(self) -> int:
        """How many events a `loss_report` among the events, or several, say were removed on purpose."""
        count = 0
        for rows in self._forgotten.values():
            before = 0
            for first, last in sorted(rows):
                count += max(0, last - max(first - 1, before))
                before = max(before, last)
        return count

    def gaps(self) -> Iterator[Gap]:
        """Find what is missing before the last event of each run; what came after it cannot be known."""
        for run, numbers in sorted(self._runs.items()):
            if self.since and run not in self._starts:
                continue
            before = self._starts.get(run, _FIRST) - 1
            there = merge(((number, number) for number in sorted(numbers)), sorted(self._forgotten[run]))
            for first, last in there:
                if first > before + 1:
                    yield Gap(run, before + 1, first - 1, self._reason(run, before + 1, first - 1))
                before = max(before, last)

    def _reason(self, run: str, first: int, last: int) -> str:
        known = (loss.reason for loss in self._losses if loss.run == run and loss.first <= first and last <= loss.last)
        return next(known, "")


def forgotten(identities: Iterable[str], now: float) -> list[bytes]:
    """Return the `loss_report` lines that say that the events *identities* were removed on purpose.

    There is one for each unbroken row of numbers, so that what stands between them is still missed. *now* is in seconds
    since the epoch.
    """
    rows: list[Gap] = []
    for run, number in sorted({known for one in identities if (known := _numbered(one))}):
        if rows and (rows[-1].run, rows[-1].last + 1) == (run, number):
            rows[-1] = Gap(run, rows[-1].first, number)
        else:
            rows.append(Gap(run, number, number))
    return [dumps(_report(row, now)) for row in rows]


def in_place_of(identity: str, now: float) -> bytes:
    """Return the line (with its newline) that says that the event *identity* was removed on purpose, and bears its id.

    Whoever waits for that event gets this one instead, once. Empty if the id is none of ours.
    """
    if (known := _numbered(identity)) is None:
        return b""
    run, number = known
    return dumps({"id": identity, **_report(Gap(run, number, number), now)}) + b"\n"


def _report(row: Gap, now: float) -> dict[str, Any]:
    ends = {"count": row.count, "first": f"{row.run}-{row.first}", "last": f"{row.run}-{row.last}"}
    return {"kind": "loss_report", "timestamp": timestamp(now), "reason": FORGOTTEN, **ends}


def _numbered(identity: object) -> tuple[str, int] | None:
    """The run and the number that an id of ours consists of."""
    run, _, number = str(identity).rpartition("-")
    return (run, int(number)) if run and number.isdecimal() and len(number) <= _MOST_DIGITS else None
