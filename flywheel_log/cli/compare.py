"""`flywheel-log compare`: two versions side by side, and whether they differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from flywheel_log.loop.compare import Difference, Drift, Side, compare, drift, sides
from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.filter import needs_joining
from flywheel_log.loop.statistics.estimate import Mean, Share
from flywheel_log.loop.values import full
from flywheel_log.wording import first_few

from . import Problem, wrong
from ._chart import sparkline
from ._records import ALL, Records
from ._sampled import ScaleUp, say_if_sampled
from ._screen import duration, money, new_table, one_line, put_fitting, put_json
from ._select import one_of, selecting
from ._source import SUFFIXES, AsJson

if TYPE_CHECKING:
    from rich.table import Table

_BY = "prompt.version"
By = Annotated[
    str,
    typer.Option(
        metavar="FIELD", help="What to compare: prompt.version, model, workload_id, any field.", show_default=_BY
    ),
]
Over = Annotated[
    Literal["time"] | None,
    typer.Option(metavar="time", help="Compare the first half of the time with the second instead."),
]
Values = Annotated[
    list[str] | None,
    typer.Argument(metavar="A B", help="The two values to compare; may be left out where there are only two."),
]
Logs = Annotated[
    Records,
    typer.Option(
        "--log",
        metavar="SOURCE",
        help="Log to read; may be repeated. [default: the file sink of the settings, else genai.log]",
    ),
]
Replay = Annotated[str, typer.Option(metavar="RUN", help="Compare a run of `replay`, or the last, with its originals.")]
_NAMED = 8


class _Sides(NamedTuple):
    """What the two sides are called, and how many calls each has."""

    a: str
    b: str
    calls_a: int
    calls_b: int


@selecting
def command(
    values: Values = None,
    *,
    records: Logs = ALL,
    by: By = "",
    over: Over = None,
    replay: Replay = "",
    scale_up: ScaleUp = False,
    as_json: AsJson = False,
) -> None:
    """Compare two prompt versions, two models or two workloads.

    Rates, tokens, cost, latency and ratings, each with its 95 % confidence interval. The cut rate is that of the
    answers that reached their greatest length, which `errors` calls length. p is the probability of such a difference
    by chance, corrected for the number of measures; values below 0.05 are marked. Calls of one session or trace are
    not taken for independent. With --replay, each new answer is compared with the old one to the
    same request: how similar they are, and how the pairs differ.
    """
    one_of(by=by, over=over, replay=replay)
    one_of(replay=replay, scale_up=scale_up)
    _check(values or [], other=bool(over or replay))
    known = records.feedbacks(needed=False)
    if replay:
        _with_originals(records, known, replay, as_json=as_json)
        return
    if over:
        _over_time(records, known, scaled=scale_up, as_json=as_json)
        return
    by = full(by or _BY)
    with records.reading(joined=needs_joining([by])) as events, wrong("--by"):
        found = sides(events, known, by, scaled=scale_up)
    if not found:
        raise records.nothing("calls")
    a, b = _two(values or [], found, by)
    pair = _Sides(a, b, round(found[a].calls), round(found[b].calls))
    _put(pair, compare(found[a], found[b]), as_json=as_json, by=by)
    say_if_sampled(found[a], found[b])


def _check(values: list[str], *, other: bool) -> None:
    """Raise typer.BadParameter where *values* are none to compare: files, or if something *other* is compared."""
    if logs := [value for value in values if Path(value).suffix in SUFFIXES and Path(value).is_file()]:
        raise typer.BadParameter(f"{logs[0]} is a file; name a log with --log {logs[0]}", param_hint="A B")
    if other and values:
        raise typer.BadParameter(
            f"{values[0]!r} is not compared with --over and --replay; leave it out", param_hint="A B"
        )


def _two(values: list[str], found: dict[str, Side], by: str) -> tuple[str, str]:
    there = [f"{value or '(none)'} ({round(side.calls)})" for value, side in found.items()]
    have = first_few(there, _NAMED)
    wanted = values or [value for value in found if value]
    if not any(found):
        raise Problem(f"no call has a {by} to compare by; compare by another field, such as --by model")
    if len(wanted) != 2:  # noqa: PLR2004  a and b
        raise Problem(f"compare needs two values of {by}; the log has {have}")
    if unknown := [value for value in wanted if value not in found]:
        raise Problem(f"no call has the {by} {' or '.join(unknown)}; the log has {have}")
    first, second = wanted if values else sorted(wanted)
    return first, second


def _over_time(records: Records, known: Feedbacks, *, scaled: bool, as_json: bool) -> None:
    with records.reading() as events:
        found = drift(events, known, scaled=scaled)
    earlier, later = found.halves
    if not earlier.calls:
        raise records.nothing("calls")
    if later.calls:
        pair = _Sides("earlier", "later", round(earlier.calls), round(later.calls))
        _put(pair, found.differences, found, as_json=as_json)
    else:
        typer.echo(f"flywheel-log: all calls are in one {found.period}: nothing to compare", err=True)
    say_if_sampled(earlier, later)


def _with_originals(records: Records, known: Feedbacks, run: str, *, as_json: bool) -> None:
    from ._beside import beside, put_agreement

    found = beside(records, known, run)
    _put(_Sides("old", "new", found.count, found.count), found.differences(), as_json=as_json)
    put_agreement(found, as_json=as_json)


def _put(
    sides: _Sides, differences: list[Difference], over: Drift | None = None, *, as_json: bool, by: str = ""
) -> None:
    if as_json:
        _put_json(sides, differences, over)
        return
    whole, narrow = (_table(sides, differences, over, by, intervals=shown) for shown in (True, False))
    put_fitting([(whole, ()), (narrow, ("intervals",))])


def _put_json(sides: _Sides, differences: list[Difference], over: Drift | None) -> None:
    put_json(sides._asdict())
    for one in differences:
        measured = {
            "measure": one.name,
            "a": _numbers(one.a),
            "b": _numbers(one.b),
            "p": one.chance,
            "differs": one.differs,
        }
        put_json(measured | ({"period": over.period, "by_period": over.by_period[one.name]} if over else {}))


def _numbers(measured: Share | Mean) -> dict[str, object]:
    return {"value": measured.value, "interval": measured.interval, "of": measured.of, "effective": measured.effective}


def _table(sides: _Sides, differences: list[Difference], over: Drift | None, by: str, *, intervals: bool) -> Table:
    table = new_table()
    table.add_column(by, no_wrap=True)
    for name, count in ((sides.a, sides.calls_a), (sides.b, sides.calls_b)):
        table.add_column(f"{one_line(name) or '(none)'} ({count})", justify="right", no_wrap=True)
    for name in ("change", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    if over:
        table.add_column(f"by {over.period}", no_wrap=True)
    for one in differences:
        chance = "" if one.chance is None else "<0.001" if one.chance < 0.001 else f"{one.chance:.3f}"  # noqa: PLR2004  three digits
        shown = [_shown(one.name, measured, interval=intervals) for measured in (one.a, one.b)]
        line = [sparkline(over.by_period[one.name])] if over else []
        cells = [*shown, _change(one), chance + " *" * one.differs, *line]
        table.add_row(one.name.replace("_", " "), *cells, style="bold" if one.differs else None)
    return table


def _shown(name: str, measured: Share | Mean, *, interval: bool) -> str:
    value = _value(name, measured.value)
    if measured.interval is None or not interval:
        return value
    low, high = (_value(name, end) for end in measured.interval)
    return f"{value} [{low}, {high}]"


def _value(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name.endswith("_rate"):
        return f"{value:.1%}"
    shown = {"cost_usd": money, "latency_ms": duration, "first_token_ms": duration}.get(name)
    return shown(max(0.0, value)) if shown else f"{value:.4g}"


def _change(one: Difference) -> str:
    """Rates change by points, all else by a share of what it was."""
    a, b = one.a.value or 0.0, one.b.value or 0.0
    if one.name.endswith("_rate"):
        return f"{(b - a) * 100:+.1f}pp"
    return f"{b / a - 1:+.1%}" if a else "-"
