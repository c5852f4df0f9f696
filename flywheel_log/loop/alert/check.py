"""Rules against calls: one pass over the events, one outcome a rule."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from flywheel_log.event import Event
from flywheel_log.meter import CALLS

from ..feedback import Feedbacks
from ..statistics.unpaired import differ
from ..values import instant
from .rule import Limit, Rule, Trend
from .sample import Sample

State = Literal["fired", "quiet", "too_little_data"]

CHANCE = 0.01
"""A change fires where chance alone makes one as large less often than this."""

_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True)
class Outcome:
    """What a rule found.

    Attributes:
        rule: the rule.
        state: whether it fired; "too_little_data" where that cannot be said.
        value: the figure in the window, in the quantity's unit; None if no call has it.
        baseline: the same before the window; a total is that of as much time as the window has.
        chance: how likely such a change is by chance alone (0 to 1), where that was tested.
        calls, measured: how many calls the window has on record, and how many of them have the number.
        estimated: how many calls the measured ones stand for, where only a sample was kept; figures are of all these.
        baseline_measured: the same of the time before.
        since, until: the window.
        examples: ids of the calls that tell most.
    """

    rule: Rule
    state: State
    value: float | None
    baseline: float | None
    chance: float | None
    calls: int
    measured: int
    estimated: float
    baseline_measured: int
    since: datetime
    until: datetime
    examples: list[str]


def earliest(rules: Sequence[Rule], until: datetime) -> datetime:
    """Return the earliest time that any of *rules*, checked at *until*, looks at."""
    return until - max((rule.reach for rule in rules), default=timedelta())


def check(rules: Sequence[Rule], events: Iterable[Event], feedbacks: Feedbacks, until: datetime) -> list[Outcome]:
    """Check *rules* for the time that ends at *until*, in one pass over *events*.

    *feedbacks* are what was said about the calls. A call belongs to the time when it started, and what was said about
    it later does too.
    """
    watches = [_Watch(rule, until) for rule in rules]
    begin = until
    for event in events:
        time = instant(event["timestamp"])
        if time is None or time >= until:
            continue
        begin = min(begin, time)
        if event.get("kind") in CALLS:
            for watch in watches:
                watch.add(event, time, feedbacks)
    return [watch.outcome(begin) for watch in watches]


class _Watch:
    """One rule and its two samples: that of the window, and that of the time before."""

    def __init__(self, rule: Rule, until: datetime) -> None:
        lowest = isinstance(rule.condition, Limit) and rule.condition.comparison in ("<", "<=")
        lowest |= isinstance(rule.condition, Trend) and rule.condition.word == "falls"
        self._rule = rule
        self._until = until
        self._since = until - rule.window
        self._earliest = until - rule.reach
        self._now, self._before = Sample(rule.quantity, lowest=lowest), Sample(rule.quantity)

    def add(self, event: Event, time: datetime, feedbacks: Feedbacks) -> None:
        if time < self._earliest or not self._rule.where.matches(event):
            return
        sample = self._now if time >= self._since else self._before
        sample.add(event, feedbacks.on(event))

    def outcome(self, begin: datetime) -> Outcome:
        """Judge, knowing when the log begins."""
        before, chance = self._baseline(begin), self._chance()
        return Outcome(
            rule=self._rule,
            state=self._state(before, chance),
            value=self._now.value,
            baseline=before,
            chance=chance,
            calls=self._now.calls,
            measured=self._now.measured.recorded,
            estimated=self._now.measured.estimated,
            baseline_measured=self._before.measured.recorded,
            since=self._since,
            until=self._until,
            examples=self._now.examples,
        )

    def _baseline(self, begin: datetime) -> float | None:
        """The figure of the time before; a total for as long as the window is, of the time that the log covers."""
        value = self._before.value
        if self._rule.baseline is None or value is None or self._rule.quantity.kind != "total":
            return value if self._rule.baseline else None
        covered = self._since - max(self._earliest, begin)
        return value * (self._rule.window / covered) if covered >= self._rule.window else None

    def _chance(self) -> float | None:
        is_trend = isinstance(self._rule.condition, Trend)
        return differ(self._now.average, self._before.average) if is_trend else None

    def _state(self, before: float | None, chance: float | None) -> State:
        value, condition = self._now.value, self._rule.condition
        if value is None or self._now.measured.recorded < self._rule.least:
            return "too_little_data"
        if isinstance(condition, Limit) and not condition.multiple:
            return _fired(_COMPARE[condition.comparison](value, condition.threshold))
        if before is None or self._before.measured.recorded < max(1, self._rule.least):
            return "too_little_data"
        if isinstance(condition, Limit):
            return _fired(_COMPARE[condition.comparison](value, condition.threshold * before))
        if chance is None:
            return "too_little_data"
        return _fired(chance < CHANCE and _moved(condition, value - before, before))


def _moved(trend: Trend, change: float, before: float) -> bool:
    up, down = change > 0, change < 0
    wanted = {"rises": up, "falls": down, "changes": up or down}[trend.word]
    return wanted and abs(change) >= trend.by * abs(before)


def _fired(fired: bool) -> State:  # noqa: FBT001  it is what the name says
    return "fired" if fired else "quiet"
