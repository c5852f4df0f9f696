"""Two versions side by side: rates, tokens, cost, latency, ratings, and whether they really differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from flywheel_log.event import Event
from flywheel_log.meter import CALLS

from .faults import faults
from .feedback import Feedback, Feedbacks
from .series import Timeline
from .statistics.estimate import CONFIDENCE, Mean, Share
from .statistics.shares import Shares
from .statistics.unpaired import differ, holm
from .tally import Tally, belongs_to
from .values import finite, getter

RATES = {
    "error_rate": "error",
    "incomplete_rate": "incomplete",
    "refusal_rate": "refusal",
    "cut_rate": "length",
    "invalid_tool_arguments_rate": "invalid_tool_arguments",
    "hallucination_rate": "hallucination",
    "retried_rate": "retried",
}
"""The shares of calls with a fault, by the first word of its name."""

MEANS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cost_usd": "cost_usd",
    "latency_ms": "latency_ms",
    "first_token_ms": "time_to_first_token_ms",
}
"""The means of a field of the calls."""


class Side(Tally):
    """One of two: how many calls, and what was measured: `RATES`, `good_rate` of those rated, `MEANS`, and `score`."""

    def __init__(self, *, scaled: bool = False) -> None:
        super().__init__(scaled=scaled)
        self._faults = Shares()
        self._good = Share()
        self._means = {name: Mean() for name in (*MEANS, "score")}

    @property
    def measured(self) -> dict[str, Share | Mean]:
        """All measures, by name; of what no call has there is nothing in them."""
        return {name: self._faults.of(fault) for name, fault in RATES.items()} | {"good_rate": self._good} | self._means

    def add(self, event: Event, feedbacks: Feedbacks) -> None:
        """Count one call. Means are those of calls that did not fail.

        Calls of one session, else of one trace, belong together: they tell less than as many of strangers.
        """
        times, place, said = self.count(event.get("sample_rate")), belongs_to(event), feedbacks.on(event)
        self._faults.add(_faults(event, said), times, place)
        if said.verdict is not None:
            self._good.add(said.verdict == "good", times, place)
        for name, value in _numbers(event, said):
            self._means[name].add(value, times, place)

    def merge(self, other: Self) -> None:
        """Count all calls of *other* too."""
        super().merge(other)
        self._faults.merge(other._faults)
        self._good.merge(other._good)
        for name, mean in self._means.items():
            mean.merge(other._means[name])


def measures(event: Event, feedbacks: Feedbacks) -> dict[str, float]:
    """Return what is measured of one call, as far as it is known: 1 or 0 for each rate, and the numbers of the means.

    Numbers are those of calls that did not fail.
    """
    said = feedbacks.on(event)
    found = _faults(event, said)
    measured = {name: float(fault in found) for name, fault in RATES.items()}
    if said.verdict is not None:
        measured["good_rate"] = float(said.verdict == "good")
    return measured | dict(_numbers(event, said))


def _faults(event: Event, said: Feedback) -> set[str]:
    return {name.partition(" ")[0] for name in faults(event, said)}


def _numbers(event: Event, said: Feedback) -> Iterator[tuple[str, float]]:
    if said.score is not None:
        yield "score", said.score
    for name, key in MEANS.items() if event.get("status") != "error" else ():
        if (value := finite(event.get(key))) is not None:
            yield name, value


@dataclass(frozen=True)
class Difference:
    """One measure of both sides.

    Attributes:
        name: what is measured.
        a, b: both sides.
        chance: how likely such a difference is by chance alone (0 to 1), corrected for the number of measures; None if
            that cannot be said.
    """

    name: str
    a: Share | Mean
    b: Share | Mean
    chance: float | None

    @property
    def differs(self) -> bool:
        """Whether the sides differ by more than chance explains, at 95 %."""
        return self.chance is not None and self.chance < 1 - CONFIDENCE


def sides(events: Iterable[Event], feedbacks: Feedbacks, by: str, *, scaled: bool = False) -> dict[str, Side]:
    """Measure the calls among *events*, for each value of the field *by*, the most frequent first; "" where it lacks.

    *scaled*, a call of a sample counts as often as it stands for others; intervals and tests take that into account.

    Raises:
        ValueError: the field does not exist.
    """
    get = getter(by)
    found: defaultdict[str, Side] = defaultdict(partial(Side, scaled=scaled))
    for event in events:
        if event.get("kind") in CALLS:
            found[get(event)].add(event, feedbacks)
    return dict(sorted(found.items(), key=lambda item: (-item[1].calls, item[0])))


def compare(a: Side, b: Side) -> list[Difference]:
    """Test for each measure that both sides have whether they differ."""
    of_a, of_b = a.measured, b.measured
    both = {name: (of_a[name], of_b[name]) for name in of_a if of_a[name].of and of_b[name].of}
    chances = corrected({name: differ(one, other) for name, (one, other) in both.items()})
    return [Difference(name, one, other, chances[name]) for name, (one, other) in both.items()]


def corrected(chances: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return *chances* corrected for their number.

    What could not differ, such as no refusal here and none there, is no test that needs correction.
    """
    tested = {name: chance for name, chance in chances.items() if chance is not None and chance < 1}
    return {**chances, **dict(zip(tested, holm(list(tested.values())), strict=True))}


@dataclass(frozen=True)
class Drift:
    """How the measures change over time.

    Attributes:
        period: how long one is.
        by_period: the values of each measure in each period, oldest first; None where there are none.
        halves: the earlier half of the time, and the later.
        differences: the earlier half of the time compared with the later.
    """

    period: str
    by_period: dict[str, list[float | None]]
    halves: tuple[Side, Side]
    differences: list[Difference]


def drift(events: Iterable[Event], feedbacks: Feedbacks, most: int = 24, *, scaled: bool = False) -> Drift:
    """Measure the calls among *events* over time, in *most* periods at most; *scaled* as in `sides`."""
    line = Timeline(partial(Side, scaled=scaled), most)
    for event in events:
        if event.get("kind") in CALLS and (side := line.at(event["timestamp"])) is not None:
            side.add(event, feedbacks)
    earlier, later = line.halves()
    by_period = [side.measured for _, side in line]
    values = {name: [measured[name].value for measured in by_period] for name in earlier.measured}
    return Drift(line.period, values, (earlier, later), compare(earlier, later))
