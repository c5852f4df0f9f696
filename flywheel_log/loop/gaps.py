"""What is missing: the numbers that no event bears, though later events of the same process do."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flywheel_log.event import Event

_FIRST = 1


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
        anonymous: events without an id of ours, in which nothing can be missing.
    """

    anonymous: int = 0
    _runs: dict[str, array[int]] = field(default_factory=dict)
    _losses: list[Gap] = field(default_factory=list)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Census:
        """Count *events*, in any order, repeated ones included."""
        census = cls()
        for event in events:
            census.add(event.get("id"))
            if event.get("kind") == "loss_report":
                census.add_loss(dict(event))
        return census

    def add(self, identity: object) -> None:
        """Count the event with the id *identity*."""
        run, _, number = str(identity).rpartition("-")
        if not (run and number.isdecimal() and len(number) < 19):  # noqa: PLR2004  what eight bytes hold
            self.anonymous += 1
            return
        self._runs.setdefault(run, array("q")).append(int(number))

    def add_loss(self, report: dict[str, Any]) -> None:
        """Note what a `loss_report` says: `first` and `last` are ids, `reason` a word."""
        run, _, first = str(report.get("first")).rpartition("-")
        last = str(report.get("last")).rpartition("-")[2]
        if first.isdecimal() and last.isdecimal():
            self._losses.append(Gap(run, int(first), int(last), str(report.get("reason"))))

    @property
    def runs(self) -> int:
        """How many processes wrote the events."""
        return len(self._runs)

    @property
    def events(self) -> int:
        """How many different events there are."""
        return self.anonymous + sum(len(set(numbers)) for numbers in self._runs.values())

    def gaps(self) -> Iterator[Gap]:
        """Find what is missing before the last event of each run; what came after it cannot be known."""
        for run, numbers in sorted(self._runs.items()):
            before = _FIRST - 1
            for number in sorted(numbers):
                if number > before + 1:
                    yield Gap(run, before + 1, number - 1, self._reason(run, before + 1, number - 1))
                before = number

    def _reason(self, run: str, first: int, last: int) -> str:
        known = (loss.reason for loss in self._losses if loss.run == run and loss.first <= first and last <= loss.last)
        return next(known, "")
