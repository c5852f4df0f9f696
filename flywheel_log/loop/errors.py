"""What goes wrong most: calls grouped by their faults, with shares, trends and examples."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flywheel_log.event import Event

from .faults import faults
from .feedback import Feedbacks
from .fields import finite
from .series import Timeline
from .sketch import Sketch
from .statistic import Share, differ
from .stats import CALLS

ALL = ""
_EXAMPLES = 3
_SLOWEST = 1000
_CHANCE = 0.01
_OUTLIER = 3.0


@dataclass
class Group:
    """The calls with one fault.

    Attributes:
        name: the fault, as `faults` names it.
        share: these calls among all.
        by_period: the share in each period, oldest first; None where there were no calls.
        trend: `rising` or `falling` if the later half of the time differs from the earlier by more than chance
            explains (1 %), else `steady`.
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


class Faulty:
    """Collects the faults of calls, in memory that does not grow with their number."""

    def __init__(self, feedbacks: Feedbacks) -> None:
        self._feedbacks = feedbacks
        self._line: Timeline[Counter[str]] = Timeline(Counter, Counter.update, most=24)
        self._all = Share()
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, deque[str]] = {}
        self._latencies: dict[tuple[str, str], _Latencies] = {}

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
            for _, timestamp, identity in latencies.outliers():
                self._mark("slow", timestamp, identity)
        groups = [self._group(name) for name in self._counts]
        groups.sort(key=lambda group: (-group.share.hits, group.name))
        return Errors(self._all, self._line.period, groups)

    def _count(self, event: Event, found: set[str]) -> None:
        self._all.add(hit=bool(found))
        if (period := self._line.at(event["timestamp"])) is not None:
            period[ALL] += 1
        identity = event.get("id") or event["timestamp"]
        for name in found:
            self._mark(name, event["timestamp"], identity)
        if (latency := finite(event.get("latency_ms"))) is not None and event.get("status") != "error":
            key = (event.get("workload_id") or "", event.get("model") or "")
            self._latencies.setdefault(key, _Latencies()).add(latency, event["timestamp"], identity)

    def _mark(self, name: str, timestamp: str, identity: str) -> None:
        self._counts[name] += 1
        self._examples.setdefault(name, deque(maxlen=_EXAMPLES)).appendleft(identity)
        if (period := self._line.at(timestamp)) is not None:
            period[name] += 1

    def _group(self, name: str) -> Group:
        counts = [(period[name], period[ALL]) for _, period in self._line]
        shares = [hits / of if of else None for hits, of in counts]
        share = Share(self._counts[name], self._all.of)
        return Group(name, share, shares, _trend(counts), list(self._examples[name]))


class _Latencies:
    """The latencies of one workload and model: all of them as a sketch, and the slowest with their calls."""

    def __init__(self) -> None:
        self._sketch = Sketch()
        self._slowest: list[tuple[float, str, str]] = []

    def add(self, latency: float, timestamp: str, identity: str) -> None:
        self._sketch.add(latency)
        if len(self._slowest) < _SLOWEST:
            heapq.heappush(self._slowest, (latency, timestamp, identity))
        else:
            heapq.heappushpop(self._slowest, (latency, timestamp, identity))

    def outliers(self) -> list[tuple[float, str, str]]:
        """Return the calls that took longer than the upper quartile by three times the quartiles' distance.

        Of ten calls or fewer none stands out, and no more than the 1,000 slowest are told.
        """
        low, high = self._sketch.quantile(0.25), self._sketch.quantile(0.75)
        if low is None or high is None or self._sketch.count <= 10:  # noqa: PLR2004  as the docstring says
            return []
        limit = high + _OUTLIER * max(high - low, 0.1 * high)
        return sorted((one for one in self._slowest if one[0] > limit), key=lambda one: one[1])


def _trend(counts: list[tuple[int, int]]) -> str:
    middle = (len(counts) + 1) // 2
    earlier, later = (
        Share(sum(hits for hits, _ in half), sum(of for _, of in half)) for half in (counts[:middle], counts[middle:])
    )
    chance = differ(earlier, later)
    if chance is None or chance > _CHANCE:
        return "steady"
    return "rising" if (later.value or 0) > (earlier.value or 0) else "falling"
