"""What goes wrong most: calls grouped by their faults, with shares, trends and examples."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flywheel_log.event import Event
from flywheel_log.meter import CALLS

from .faults import faults
from .feedback import Feedbacks
from .series import Timeline
from .statistics.estimate import Share
from .statistics.shares import Shares
from .statistics.sketch import Sketch
from .statistics.unpaired import differ
from .tally import Tally, belongs_to
from .values import finite

_FAULTY = "*"
_EXAMPLES = 3
_SLOWEST = 1000
_CHANCE = 0.01
_OUTLIER = 3.0

_Call = tuple[float, int, str, str, float, int | None]
"""Its latency, its number, which no other has, its time and id, how often it counts, and what it belongs to."""


@dataclass
class Group:
    """The calls with one fault.

    Attributes:
        name: the fault, as `faults` names it.
        share: these calls among all.
        by_period: the share in each period, oldest first; None where there were no calls.
        trend: `rising` or `falling` if the later half of the time differs from the earlier by more than chance
            explains (1 %), else `steady`; calls of one session belong together.
        examples: ids of the latest calls, the newest first.
    """

    name: str
    share: Share
    by_period: list[float | None] = field(default_factory=list)
    trend: str = "steady"
    examples: list[str] = field(default_factory=list)


@dataclass
class Errors:
    """All groups, the largest first; `share` is that of all calls with a fault, but for slow ones."""

    share: Share
    period: str
    groups: list[Group]


class Faulty(Tally):
    """Collects the faults of calls, in memory that does not grow with their number."""

    def __init__(self, feedbacks: Feedbacks, *, scaled: bool = False) -> None:
        super().__init__(scaled=scaled)
        self._feedbacks = feedbacks
        self._line: Timeline[Shares] = Timeline(Shares, most=24)
        self._all = Shares()
        self._examples: dict[str, deque[str]] = {}
        self._latencies: defaultdict[tuple[str, str], _Latencies] = defaultdict(_Latencies)

    def watch(self, events: Iterable[Event]) -> Iterator[Event]:
        """Count the faults of *events*, and yield those that have some."""
        for event in events:
            if event.get("kind") not in CALLS:
                continue
            found = faults(event, self._feedbacks.on(event))
            self._count(event, found)
            if found:
                yield event

    def result(self) -> Errors:
        """Return the groups of what was watched so far. Call it once, at the end."""
        for latencies in self._latencies.values():
            for _, _, timestamp, identity, times, place in latencies.outliers():
                self._mark("slow", timestamp, identity, times, place)
        halves = self._line.halves()
        groups = [self._group(name, *halves) for name in self._examples]
        groups.sort(key=lambda group: (-group.share.hits, group.name))
        return Errors(self._all.of(_FAULTY), self._line.period, groups)

    def _count(self, event: Event, found: set[str]) -> None:
        times, place = self.count(event.get("sample_rate")), belongs_to(event)
        self._all.add([_FAULTY] if found else (), times, place)
        if (period := self._line.at(event["timestamp"])) is not None:
            period.add((), times, place)
        identity = event.get("id") or event["timestamp"]
        for name in found:
            self._mark(name, event["timestamp"], identity, times, place)
        if (latency := finite(event.get("latency_ms"))) is not None and event.get("status") != "error":
            key = (event.get("workload_id") or "", event.get("model") or "")
            self._latencies[key].add((latency, self.recorded, event["timestamp"], identity, times, place))

    def _mark(self, name: str, timestamp: str, identity: str, times: float, place: int | None) -> None:
        self._all.mark(name, times, place)
        self._examples.setdefault(name, deque(maxlen=_EXAMPLES)).appendleft(identity)
        if (period := self._line.at(timestamp)) is not None:
            period.mark(name, times, place)

    def _group(self, name: str, earlier: Shares, later: Shares) -> Group:
        values = [period.of(name).value for _, period in self._line]
        trend = _trend(earlier.of(name), later.of(name))
        return Group(name, self._all.of(name), values, trend, list(self._examples[name]))


class _Latencies:
    """The latencies of one workload and model: all of them as a sketch, and the slowest with their calls."""

    def __init__(self) -> None:
        self._sketch = Sketch()
        self._slowest: list[_Call] = []

    def add(self, call: _Call) -> None:
        self._sketch.add(call[0], call[4])
        keep = heapq.heappush if len(self._slowest) < _SLOWEST else heapq.heappushpop
        keep(self._slowest, call)

    def outliers(self) -> list[_Call]:
        """Return the calls that took longer than the upper quartile by three times the quartiles' distance.

        Of ten calls or fewer none stands out, and no more than the 1,000 slowest are told.
        """
        low, high = self._sketch.quantile(0.25), self._sketch.quantile(0.75)
        if low is None or high is None or self._sketch.count <= 10:  # noqa: PLR2004  as the docstring says
            return []
        limit = high + _OUTLIER * max(high - low, 0.1 * high)
        return sorted((one for one in self._slowest if one[0] > limit), key=lambda one: one[2])


def _trend(earlier: Share, later: Share) -> str:
    chance = differ(earlier, later)
    if chance is None or chance > _CHANCE:
        return "steady"
    return "rising" if (later.value or 0) > (earlier.value or 0) else "falling"
