"""Which requests a run sends, and at what cost: decided before the first one is sent."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from flywheel_log.event import JSON, Event

from .change import Unfit
from .forecast import Estimate, Forecast
from .origin import Settled, identity, is_ours

Body = Callable[[Event], JSON]
"""Makes the body to send of a record; raises `Unfit` where there is none."""
_NOTHING = Settled(set(), set())


@dataclass
class Plan:
    """What a run will do.

    Attributes:
        calls: how many calls there were to choose from.
        left_out: how many of them cannot be sent, by reason.
        fit: how many can.
        done: how many of those taken have been answered in this run before.
        refused: how many of them the server has refused for good.
        forecast: what is to be sent, and what it is expected to cost.
    """

    calls: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    fit: int = 0
    done: int = 0
    refused: int = 0
    forecast: Forecast = field(default_factory=Forecast)
    _chosen: set[bytes] = field(default_factory=set)

    def jobs(self, events: Iterable[Event], body: Body) -> Iterator[tuple[Event, JSON]]:
        """Yield from the same *events* once more those to be sent, with their bodies; each once.

        What has come to the log since the plan was made is not in it.
        """
        for event in events:
            key = _key(identity(event))
            if key in self._chosen:
                self._chosen.discard(key)
                yield event, body(event)

    def _take(self, name: str, one: Estimate) -> None:
        if (key := _key(name)) in self._chosen:
            self.fit -= 1
            self.left_out["twice"] += 1
        else:
            self._chosen.add(key)
            self.forecast.add(one)


class _Fit(NamedTuple):
    name: str
    estimate: Estimate


def plan(
    events: Iterable[Event],
    body: Body,
    estimate: Callable[[Event, JSON], Estimate],
    before: Settled = _NOTHING,
    *,
    again: bool = False,
    sample: int | None = None,
    seed: int = 0,
) -> Plan:
    """Settle which of *events* are sent: *sample* of those that can be (None: all), without those settled *before*.

    What was refused is sent *again* if that is wanted. The sample depends on *seed* and the records' ids alone. Replays
    are never sent again. The memory needed grows with the requests taken only.
    """
    made = Plan()
    fit: Iterable[_Fit] = _fit(events, body, estimate, made)
    if sample is not None:
        fit = heapq.nsmallest(sample, fit, key=lambda one: _key(one.name, seed))
    for one in fit:
        if one.name in before.answered:
            made.done += 1
        elif one.name in before.refused and not again:
            made.refused += 1
        else:
            made._take(one.name, one.estimate)  # noqa: SLF001  the plan is being made here
    return made


def _fit(
    events: Iterable[Event], body: Body, estimate: Callable[[Event, JSON], Estimate], made: Plan
) -> Iterator[_Fit]:
    for event in events:
        if event.get("kind") != "llm" or is_ours(event):
            continue
        made.calls += 1
        try:
            request = body(event)
        except Unfit as unfit:
            made.left_out[str(unfit)] += 1
            continue
        made.fit += 1
        yield _Fit(identity(event), estimate(event, request))


def _key(name: str, seed: int | None = None) -> bytes:
    salt = b"" if seed is None else seed.to_bytes(8, "little", signed=True)
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16, salt=salt).digest()
