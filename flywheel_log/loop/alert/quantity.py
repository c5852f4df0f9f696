"""The quantities of rules: shares of calls, means, percentiles and totals, and how each is read from a call."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flywheel_log.event import Event

from ..compare import RATES
from ..faults import faults
from ..feedback import Feedback
from ..values import finite

Kind = Literal["rate", "mean", "percentile", "total"]
Unit = Literal["share", "milliseconds", "dollars", "count"]
Reader = Callable[[Event, Feedback], float | None]

_COUNTS = {"errors": "error", "refusals": "refusal", "hallucinations": "hallucination", "low_ratings": "rated_bad"}
_NUMBERS: dict[str, tuple[str, Unit]] = {
    "latency": ("latency_ms", "milliseconds"),
    "first_token": ("time_to_first_token_ms", "milliseconds"),
    "cost": ("cost_usd", "dollars"),
    "input_tokens": ("input_tokens", "count"),
    "output_tokens": ("output_tokens", "count"),
}
_SUMS = ("cost", "input_tokens", "output_tokens")
_MEASURE = re.compile(r"(?P<number>\w+?)_(?:(?P<mean>mean)|p(?P<percentile>\d{1,2}(?:\.\d+)?))")
_FORMS = tuple(f"{name}_{form}" for name in _NUMBERS for form in ("p95", "mean"))


@dataclass(frozen=True)
class Quantity:
    """One figure of some calls.

    Attributes:
        name: as a rule names it.
        kind: a share of the calls, the mean or a percentile of a number, or a total.
        unit: what it is counted in.
        read: takes the number out of a call and what was said about it; None where it has none.
        percentile: which one, 0 to 100.
    """

    name: str
    kind: Kind
    unit: Unit
    read: Reader
    percentile: float = 0.0

    @property
    def needs_feedback(self) -> bool:
        """Whether it depends on what was said about calls afterwards."""
        return self.name.startswith(("hallucination", "low_rating", "score"))


def quantity(name: str) -> Quantity:
    """Return the quantity of this *name*: `error_rate`, `latency_p95`, `cost`; names of `stats --json` will do.

    Raises:
        ValueError: there is none; the message lists those that are there.
    """
    short = name.replace("_ms", "").replace("_usd", "").removeprefix("time_to_")
    found = _NAMED.get(short) or _measured(short)
    if found is None:
        raise ValueError(
            f"quantity {name!r} is unknown; expected one of {', '.join((*_NAMED, *_FORMS))} (any percentile)"
        )
    return found


def _measured(name: str) -> Quantity | None:
    found = _MEASURE.fullmatch(name)
    if found is None or found["number"] not in _NUMBERS:
        return None
    unit, read = _NUMBERS[found["number"]][1], _number(found["number"])
    if found["mean"]:
        return Quantity(name, "mean", unit, read)
    return Quantity(name, "percentile", unit, read, float(found["percentile"]))


def _has(fault: str) -> Reader:
    return lambda event, said: float(any(name.partition(" ")[0] == fault for name in faults(event, said)))


def _low_rated(_: Event, said: Feedback) -> float | None:
    return None if said.verdict is None else float(said.verdict == "bad")


def _number(name: str) -> Reader:
    key = _NUMBERS[name][0]
    return lambda event, _: finite(event.get(key))


def _tokens(event: Event, _: Feedback) -> float | None:
    known = [number for key in ("input_tokens", "output_tokens") if (number := finite(event.get(key))) is not None]
    return sum(known) if known else None


_NAMED = {
    one.name: one
    for one in (
        *(Quantity(name, "rate", "share", _has(fault)) for name, fault in RATES.items()),
        Quantity("low_rating_rate", "rate", "share", _low_rated),
        Quantity("calls", "total", "count", lambda *_: 1.0),
        *(Quantity(name, "total", "count", _has(fault)) for name, fault in _COUNTS.items()),
        Quantity("tokens", "total", "count", _tokens),
        *(Quantity(name, "total", _NUMBERS[name][1], _number(name)) for name in _SUMS),
        Quantity("score_mean", "mean", "count", lambda _, said: said.score),
    )
}
