"""Each record beside its replay, and the differences between them, tested as pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from flywheel_log.event import Event
from flywheel_log.loop.compare import Difference, corrected, measures
from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.statistics.estimate import Mean, Share
from flywheel_log.loop.statistics.paired import Differences
from flywheel_log.loop.tally import belongs_to

from .agreement import Agreement, text_of_answer
from .judge import Judged, Verdict
from .origin import identity, origin


def runs(events: Iterable[Event]) -> dict[str, int]:
    """Return how many replays among *events* each run has, by its name, the run that ended last at the end."""
    counts, last = Counter[str](), dict[str, str]()
    for event in events:
        if mark := origin(event):
            counts[mark.run] += 1
            last[mark.run] = max(last.get(mark.run, ""), event["timestamp"])
    return {run: counts[run] for run in sorted(last, key=last.__getitem__)}


def replays(ours: Iterable[Event]) -> dict[str, Event]:
    """Return the replays among *ours*, the events of one run, by the record that each one is of.

    Of several the latest counts, but one that was answered before one that was not.
    """
    found: dict[str, Event] = {}
    for event in ours:
        if (mark := origin(event)) and _rank(event) >= _rank(found.get(mark.of)):
            found[mark.of] = event
    return found


def pairs(originals: Iterable[Event], news: Mapping[str, Event]) -> Iterator[tuple[Event, Event]]:
    """Yield each of *originals* that has a replay among *news*, with it; each replay once."""
    left = dict(news)
    for event in originals:
        if event.get("kind") == "llm" and (new := left.pop(identity(event), None)) is not None:
            yield event, new


@dataclass
class Pairs:
    """What differs between old and new.

    Attributes:
        count: how many pairs.
        agreement: how alike their answers are.
        judged: what a judge found about them.
    """

    count: int = 0
    agreement: Agreement = field(default_factory=Agreement)
    judged: Judged = field(default_factory=Judged)
    _measured: dict[str, _Measured] = field(default_factory=dict)

    def add(self, old: Event, new: Event, feedbacks: Feedbacks, verdict: Verdict | None = None) -> None:
        """Count one pair: each measure that both have, and the judge's *verdict* if there is one."""
        self.count += 1
        place = belongs_to(old)
        if verdict is not None:
            self.judged.add(verdict, place)
        self.agreement.add(old, new, place)
        before, after = (measures(event, feedbacks) | _length(event) for event in (old, new))
        for name in before:
            if name in after:
                self._measured.setdefault(name, _Measured.of(name)).add(before[name], after[name], place)

    def differences(self) -> list[Difference]:
        """Test for each measure whether old and new differ: rates by McNemar's test, numbers by Wilcoxon's.

        Pairs of one session, else of one trace, belong together.
        """
        chances = corrected({name: one.differences.chance() for name, one in self._measured.items()})
        return [Difference(name, one.a, one.b, chances[name]) for name, one in self._measured.items()]


@dataclass
class _Measured:
    a: Share | Mean
    b: Share | Mean
    differences: Differences = field(default_factory=Differences)

    @classmethod
    def of(cls, name: str) -> _Measured:
        kind = Share if name.endswith("_rate") else Mean
        return cls(kind(), kind())

    def add(self, before: float, after: float, place: int | None) -> None:
        self.a.add(before, place=place)
        self.b.add(after, place=place)
        self.differences.add(after - before, place)


def _length(event: Event) -> dict[str, float]:
    return {} if event.get("status") == "error" else {"answer_characters": len(text_of_answer(event))}


def _rank(event: Event | None) -> tuple[bool, str]:
    return (False, "") if event is None else (event.get("status") == "ok", event["timestamp"])
