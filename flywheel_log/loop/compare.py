"""Two versions side by side: rates, tokens, cost, latency and ratings, and whether their differences are any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flywheel_log.event import Event

from .faults import faults
from .feedback import Feedbacks
from .series import Timeline
from .statistics.estimate import CONFIDENCE, Mean, Share, differ, holm
from .statistics.groups import bucket
from .stats import CALLS, belongs_to, stands_for
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


@dataclass
class Side:
    """One of two: how many calls, and what was measured: `RATES`, `good_rate` of those rated, `MEANS`, and `score`.

    Attributes:
        calls: how many there are; estimated, where they were added *scaled*.
        recorded, estimated: how many are in the log, and how many these stand for.
    """

    calls: float = 0
    measured: dict[str, Share | Mean] = field(default_factory=dict)
    recorded: int = 0
    estimated: float = 0

    def __post_init__(self) -> None:
        shares: dict[str, Share | Mean] = {name: Share() for name in (*RATES, "good_rate")}
        self.measured = self.measured or shares | {name: Mean() for name in (*MEANS, "score")}

    def add(self, event: Event, feedbacks: Feedbacks, *, scaled: bool = False) -> None:
        """Count one call; *scaled*, as often as it stands for others. Means are those of calls that did not fail.

        Calls of one session, else of one trace, belong together: they tell less than as many of strangers.
        """
        weight = stands_for(event)
        times = weight if scaled else 1
        self.calls += times
        self.recorded += 1
        self.estimated += weight
        place = bucket(belongs_to(event))
        for name, value in measures(event, feedbacks).items():
            match self.measured[name]:
                case Share() as share:
                    share.add(hit=bool(value), weight=times, place=place)
                case Mean() as mean:
                    mean.add(value, times, place)

    def merge(self, other: Side) -> None:
        """Count all calls of *other* too."""
        self.calls += other.calls
        self.recorded += other.recorded
        self.estimated += other.estimated
        for name, measured in self.measured.items():
            match measured, other.measured[name]:
                case (Share() as ours, Share() as theirs):
                    ours.merge(theirs)
                case (Mean() as mine, Mean() as others):
                    mine.merge(others)


def measures(event: Event, feedbacks: Feedbacks) -> dict[str, float]:
    """Return what is measured of one call, as far as it is known: 1 or 0 for each rate, and the numbers of the means.

    Numbers are those of calls that did not fail.
    """
    said = feedbacks.on(event)
    found = {name.partition(" ")[0] for name in faults(event, said)}
    measured: dict[str, float | None] = {name: float(fault in found) for name, fault in RATES.items()}
    if said.verdict is not None:
        measured["good_rate"] = float(said.verdict == "good")
    measured["score"] = said.score
    if event.get("status") != "error":
        measured |= {name: finite(event.get(key)) for name, key in MEANS.items()}
    return {name: value for name, value in measured.items() if value is not None}


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
    found: dict[str, Side] = {}
    for event in events:
        if event.get("kind") in CALLS:
            found.setdefault(get(event), Side()).add(event, feedbacks, scaled=scaled)
    return dict(sorted(found.items(), key=lambda item: (-item[1].calls, item[0])))


def compare(a: Side, b: Side) -> list[Difference]:
    """Test for each measure that both sides have whether they differ."""
    names = [name for name in a.measured if a.measured[name].of and b.measured[name].of]
    chances = corrected({name: differ(a.measured[name], b.measured[name]) for name in names})
    return [Difference(name, a.measured[name], b.measured[name], chances[name]) for name in names]


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
        begins: when each period begins, oldest first; `period`: how long one is.
        by_period: the values of each measure in each period; None where there are none.
        halves: the earlier half of the time, and the later.
        differences: the earlier half of the time compared with the later.
    """

    period: str
    begins: list[str]
    by_period: dict[str, list[float | None]]
    halves: tuple[Side, Side]
    differences: list[Difference]


def drift(events: Iterable[Event], feedbacks: Feedbacks, most: int = 24, *, scaled: bool = False) -> Drift:
    """Measure the calls among *events* over time, in *most* periods at most; *scaled* as in `sides`."""
    line = Timeline(Side, Side.merge, most)
    for event in events:
        if event.get("kind") in CALLS and (side := line.at(event["timestamp"])) is not None:
            side.add(event, feedbacks, scaled=scaled)
    periods = list(line)
    middle = (len(periods) + 1) // 2
    earlier, later = (_merged([side for _, side in half]) for half in (periods[:middle], periods[middle:]))
    return Drift(
        line.period,
        [begin for begin, _ in periods],
        {name: [side.measured[name].value for _, side in periods] for name in earlier.measured},
        (earlier, later),
        compare(earlier, later),
    )


def _merged(some: Sequence[Side]) -> Side:
    whole = Side()
    for one in some:
        whole.merge(one)
    return whole
