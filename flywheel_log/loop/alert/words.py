"""The outcome of a rule in words and as JSON: figures and ids, and nothing said to or by a model."""

from __future__ import annotations

from flywheel_log.event import JSON
from flywheel_log.wording import counted

from .check import Outcome
from .quantity import Unit
from .rule import Limit, Trend

_SECOND, _MINUTE, _CENT_COUNTS = 1_000, 60_000, 100


def in_words(outcome: Outcome) -> str:
    """Return *outcome* in one line: `error_rate > 5% over 15m: 12.5% (5 of 40 calls), e.g. run-1, run-2`."""
    if outcome.state == "too_little_data":
        return f"{_title(outcome)}: too little data, {_too_little(outcome)}"
    unit = outcome.rule.quantity.unit
    changed = f", was {figure(outcome.baseline, unit)}" if outcome.baseline is not None else ""
    chance = f", by chance {outcome.chance:.2g}" if outcome.chance is not None else ""
    examples = f", e.g. {', '.join(outcome.examples)}" if outcome.state == "fired" and outcome.examples else ""
    return f"{_title(outcome)}: {figure(outcome.value, unit)}{changed}{chance} ({_rests_on(outcome)}){examples}"


def as_json(outcome: Outcome) -> JSON:
    """Return *outcome* as JSON, in the units of its quantity."""
    rule, condition = outcome.rule, outcome.rule.condition
    multiple = isinstance(condition, Limit) and condition.multiple
    return {
        "rule": rule.text,
        "name": rule.name,
        "state": outcome.state,
        "quantity": rule.quantity.name,
        "unit": rule.quantity.unit,
        "value": outcome.value,
        **({"threshold": condition.threshold} if isinstance(condition, Limit) and not multiple else {}),
        **({"multiple": condition.threshold} if isinstance(condition, Limit) and multiple else {}),
        **({"by": condition.by, "chance": outcome.chance} if isinstance(condition, Trend) else {}),
        **({"baseline": outcome.baseline, "baseline_measured": outcome.baseline_measured} if rule.baseline else {}),
        "calls": outcome.calls,
        "measured": outcome.measured,
        "estimated": outcome.estimated,
        "min": rule.least,
        "where": rule.where.described().get("where", {}),
        "since": outcome.since.isoformat(),
        "until": outcome.until.isoformat(),
        "examples": outcome.examples,
    }


def figure(value: float | None, unit: Unit) -> str:
    """Return a figure with its unit: 12.5%, 812ms, 2.3s, $3.40, 1,204."""
    if value is None:
        return "unknown"
    match unit:
        case "share":
            return f"{value:.3%}".rstrip("0%").rstrip(".") + "%" if value else "0%"
        case "milliseconds":
            return _time(value)
        case "dollars":
            return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.2g}"
        case "count":
            return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _time(milliseconds: float) -> str:
    if milliseconds < _SECOND:
        return f"{milliseconds:.0f}ms" if milliseconds >= 10 or not milliseconds else f"{milliseconds:.2g}ms"  # noqa: PLR2004
    if milliseconds < _MINUTE:
        return f"{milliseconds / _SECOND:.2f}".rstrip("0").rstrip(".") + "s"
    return f"{milliseconds / _MINUTE:.1f}".removesuffix(".0") + "m"


def _title(outcome: Outcome) -> str:
    rule = outcome.rule
    return rule.text if rule.name == rule.text else f"{rule.name} ({rule.text})"


def _rests_on(outcome: Outcome) -> str:
    estimated = round(outcome.estimated)
    share = outcome.value if outcome.rule.quantity.kind == "rate" else None
    hits = "" if share is None else f"{round(share * outcome.estimated):,} of "
    sampled = f", estimated of {outcome.measured:,} on record" if estimated != outcome.measured else ""
    return f"{hits}{counted(estimated, 'call')}{sampled}"


def _too_little(outcome: Outcome) -> str:
    least = outcome.rule.least
    if outcome.calls and not outcome.measured:
        return f"none of {counted(outcome.calls, 'call')} has it"
    if outcome.measured < max(least, 1):
        return f"{counted(outcome.measured, 'call')}, needs {max(least, 1)}"
    if outcome.baseline_measured < max(least, 1):
        return f"{counted(outcome.baseline_measured, 'call')} before, needs {max(least, 1)}"
    return "the time before is not covered by the log, or cannot be compared"
