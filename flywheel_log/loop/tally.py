"""How often a call counts, and which calls belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from flywheel_log.event import Event

from .statistics.groups import bucket
from .values import as_text, finite


@dataclass(kw_only=True)
class Tally:
    """A number of calls, of which perhaps only a sample was kept.

    Attributes:
        scaled: whether each counts as often as it stands for others that the sample left out; else it counts once.
        recorded: how many calls are in the log; `estimated`: how many they stand for.
    """

    scaled: bool = False
    recorded: int = 0
    estimated: float = 0

    @property
    def calls(self) -> float:
        """How many calls there are: those on record or, *scaled*, an estimate of all."""
        return self.estimated if self.scaled else self.recorded

    def count(self, sample_rate: object, recorded: int = 1) -> float:
        """Count *recorded* calls of one *sample_rate* (None: all were kept); return how often each of them counts."""
        rate = finite(sample_rate)
        weight = 1 / rate if rate is not None and 0 < rate < 1 else 1
        self.recorded += recorded
        self.estimated += weight * recorded
        return weight if self.scaled else 1

    def merge(self, other: Self) -> None:
        """Count all calls of *other* too."""
        self.recorded += other.recorded
        self.estimated += other.estimated


def belongs_to(event: Event) -> int | None:
    """Return the bucket of the session of *event*, else of its trace: its calls tell less than as many of strangers."""
    return bucket(as_text(event.get("session_id") or event.get("trace_id")))
