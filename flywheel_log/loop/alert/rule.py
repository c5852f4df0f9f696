"""A rule in one line, `error_rate > 5% over 15m where workload_id=chat`; errors help those who mistype it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, cast

from ..filter import Filter, age, conditions
from .quantity import Quantity, Unit, quantity

Comparison = Literal[">", ">=", "<", "<="]
Word = Literal["rises", "falls", "changes"]

FORM = (
    "QUANTITY > NUMBER over TIME [against TIME] [where FIELD=VALUE [and FIELD=VALUE]] [min CALLS], "
    "or QUANTITY rises|falls|changes [by SHARE%] over TIME against TIME"
)
LEAST = 10
"""So many calls must have the number before a share, a mean or a percentile of it says anything."""

_WORDS = ("rises", "falls", "changes")
_COMPARISONS = (">=", "<=", ">", "<")
_KEYWORDS = ("over", "against", "where", "min")
_AMOUNT = re.compile(r"(?P<dollar>\$?)(?P<number>\d+(?:\.\d+)?|\.\d+)(?P<unit>%|x|ms|s|m|h|k|M|)")
_SCALES: dict[Unit, dict[str, float]] = {
    "share": {"%": 0.01, "": 1.0},
    "milliseconds": {"ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6},
    "dollars": {"$": 1.0, "": 1.0},
    "count": {"": 1.0, "k": 1e3, "M": 1e6},
}
_WANTED: dict[Unit, str] = {
    "share": "a share such as 5% or 0.05",
    "milliseconds": "a time such as 800ms or 2s",
    "dollars": "an amount such as $10",
    "count": "a number such as 20, 1.5k or 2M",
}


@dataclass(frozen=True)
class Limit:
    """Fires beyond a *threshold*, in the quantity's unit, or a *multiple* of what it was before."""

    comparison: Comparison
    threshold: float
    multiple: bool = False


@dataclass(frozen=True)
class Trend:
    """Fires where chance does not explain the change, and where that is at least *by*, a share of what it was."""

    word: Word
    by: float = 0.0


@dataclass(frozen=True)
class Rule:
    """What to look at, over which time, and when it is too much.

    Attributes:
        text: the rule as it was written.
        quantity, condition: what is measured, and when that fires.
        window: how far back calls are looked at.
        baseline: the time before the window that it is compared with.
        where: which calls are meant.
        least: with fewer calls than this, here or in the baseline, there is too little data.
        name: what its owner calls it; the text if nothing else.
    """

    text: str
    quantity: Quantity
    condition: Limit | Trend
    window: timedelta
    baseline: timedelta | None = None
    where: Filter = field(default_factory=Filter)
    least: int = LEAST
    name: str = ""

    @property
    def reach(self) -> timedelta:
        """How far back the rule looks, its baseline included."""
        return self.window + (self.baseline or timedelta())


def parse(
    text: str, *, name: str = "", where: Mapping[str, tuple[str, ...]] | None = None, least: int | None = None
) -> Rule:
    """Read the rule *text*; *where* and *least* stand in for what it does not say itself.

    Raises:
        ValueError: it is no rule; the message names what is there, and what could be.
    """
    try:
        parts = _parts(text)
        measured, condition = _head(parts["head"])
        rule = Rule(
            text=text,
            quantity=measured,
            condition=condition,
            window=_time("over", parts),
            baseline=_time("against", parts) if "against" in parts else None,
            where=Filter(where={**(where or {}), **_where(parts)}),
            least=_least(parts, LEAST * (measured.kind != "total") if least is None else least),
            name=name or text,
        )
        _check(rule)
    except ValueError as error:
        raise ValueError(f"rule {text!r}: {error}") from None
    return rule


def _parts(text: str) -> dict[str, list[str]]:
    """The words of the rule by the keyword that they follow; `head` is what comes before the first."""
    head, where, rest = text.partition(" where ")
    words = shlex.split(re.sub(r"(>=|<=|>|<)", r" \1 ", head) + where + rest)
    parts: dict[str, list[str]] = {"head": []}
    keyword = "head"
    for word in words:
        if word in _KEYWORDS:
            if word in parts:
                raise ValueError(f"{word!r} is there twice; expected {FORM}")
            keyword = word
            parts[keyword] = []
        else:
            parts[keyword].append(word)
    return parts


def _head(words: list[str]) -> tuple[Quantity, Limit | Trend]:
    place = next((place for place, word in enumerate(words) if word in (*_COMPARISONS, *_WORDS)), None)
    if not place:
        raise ValueError(f"{' '.join(words)!r} is not a condition; expected {FORM}")
    measured = quantity("_".join(words[:place]))
    word, rest = words[place], words[place + 1 :]
    if word in _WORDS:
        return measured, Trend(cast(Word, word), _by(rest))
    if len(rest) != 1:
        raise ValueError(f"{word} is followed by {' '.join(rest)!r}; expected {_WANTED[measured.unit]}, or 2x")
    return measured, _limit(cast(Comparison, word), rest[0], measured)


def _limit(comparison: Comparison, text: str, measured: Quantity) -> Limit:
    found = _AMOUNT.fullmatch(text)
    unit = (found["dollar"] or found["unit"]) if found else "?"
    if found and unit == "x":
        return Limit(comparison, float(found["number"]), multiple=True)
    scale = _SCALES[measured.unit].get(unit)
    if found is None or scale is None or (found["dollar"] and found["unit"]):
        raise ValueError(f"{measured.name} is compared with {text!r}; expected {_WANTED[measured.unit]}, or 2x")
    threshold = float(found["number"]) * scale
    if measured.unit == "share" and threshold > 1:
        raise ValueError(
            f"{measured.name} is a share, at most 1, and compared with {text!r}; expected {_WANTED['share']}"
        )
    return Limit(comparison, threshold)


def _by(words: list[str]) -> float:
    if not words:
        return 0.0
    found = _AMOUNT.fullmatch(words[-1])
    if words[:-1] != ["by"] or found is None or found["unit"] != "%" or found["dollar"]:
        raise ValueError(f"{' '.join(words)!r} is not a change; expected one such as: by 20%")
    return float(found["number"]) / 100


def _time(keyword: str, parts: dict[str, list[str]]) -> timedelta:
    given = " ".join(parts.get(keyword, []))
    span = age(given)
    if not span:
        there = f"{keyword} is followed by {given!r}" if keyword in parts else f"it does not say {keyword} which time"
        raise ValueError(f"{there}; expected {keyword} 90s, 15m, 2h, 3d, 1w")
    return span


def _where(parts: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return conditions((word for word in parts.get("where", ()) if word != "and"), "workload_id=chat")


def _least(parts: dict[str, list[str]], otherwise: int) -> int:
    if "min" not in parts:
        return otherwise
    given = [word for word in parts["min"] if word != "calls"]
    if len(given) != 1 or not given[0].isdecimal():
        raise ValueError(f"min is followed by {' '.join(parts['min'])!r}; expected a number of calls, such as min 20")
    return int(given[0])


def _check(rule: Rule) -> None:
    """Raise ValueError where the condition lacks what it needs."""
    compares = isinstance(rule.condition, Trend) or rule.condition.multiple
    if compares and rule.baseline is None:
        raise ValueError("it compares with an earlier time and does not say which; add against 1d, 7d, 4w")
    if rule.baseline is not None and not compares:
        raise ValueError("against has no meaning with a fixed number; use rises, falls, changes, > 2x")
    if isinstance(rule.condition, Trend) and rule.quantity.kind in ("percentile", "total"):
        raise ValueError(
            f"a change of {rule.quantity.name}, a {rule.quantity.kind}, has no test; "
            f"use a multiple such as {rule.quantity.name} > 1.5x, or the change of a rate or a mean"
        )
