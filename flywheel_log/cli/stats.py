"""`flywheel-log stats`: how many calls, how many errors, tokens, cost and latency, by workload and model."""

from __future__ import annotations

from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flywheel_log.loop.filter import needs_joining
from flywheel_log.loop.reading.sources import file, find
from flywheel_log.loop.series import over_time
from flywheel_log.loop.stats import Row, Stats, summarise
from flywheel_log.loop.values import full

from . import wrong
from ._chart import columns
from ._progress import progress_shown
from ._records import ALL, Given, Records
from ._sampled import ScaleUp, say_if_sampled
from ._screen import console, duration, money, new_table, number, one_line, put_json, put_table
from ._select import one_of, selecting
from ._source import AsJson

if TYPE_CHECKING:
    from rich.table import Table

_BY = "workload_id,model"
By = Annotated[
    str | None,
    typer.Option(
        metavar="FIELDS",
        help="Fields to group by, separated by commas: any field of the record, prompt.version, day, hour.",
        show_default=_BY,
    ),
]
Over = Annotated[Literal["time"] | None, typer.Option(metavar="time", help="Draw charts over time instead of a table.")]

_KEY_WIDTH = 14
_GAP = 2


@selecting
def command(
    records: Given = ALL,
    *,
    by: By = None,
    over: Over = None,
    scale_up: ScaleUp = False,
    as_json: AsJson = False,
) -> None:
    """Count calls, errors, tokens, cost and latency.

    p50 and p95 are the median and the 95th percentile of the latency, within 1%; first is the time to the first token;
    incomplete are calls that were left, cancelled or broken off.
    A cost marked + lacks that of some calls. Calls have a cost if [prices] is installed where they are made.
    A narrow terminal shows the first columns; --json has all figures.
    """
    one_of(by=by, over=over)
    if over:
        _put_over_time(records, scaled=scale_up, as_json=as_json)
        return
    fields = [full(name.strip()) for name in (_BY if by is None else by).split(",") if name.strip()]
    with wrong("--by"):
        stats = _quickly(records, fields, scaled=scale_up) or _summarised(records, fields, scaled=scale_up)
    if not stats.rows:
        raise records.nothing("calls")
    _print_json(stats) if as_json else _put_table(stats, console().width)
    say_if_sampled(stats.total)
    for name, values in zip(stats.by, zip(*(row.key for row in stats.rows), strict=True), strict=True):
        if by is not None and not any(values):
            typer.echo(f"flywheel-log: no call has a {name}", err=True)


def _summarised(records: Records, fields: list[str], *, scaled: bool) -> Stats:
    with records.reading(joined=needs_joining(fields)) as events:
        return summarise(events, fields, scaled=scaled)


def _quickly(records: Records, fields: list[str], *, scaled: bool) -> Stats | None:
    """Let DuckDB count large files, where it is installed."""
    from flywheel_log.loop import quick

    try:
        if needs_joining(fields) or not all(find(source) is file for source in records.sources):
            return None
    except ValueError:  # the reader says what is wrong with it
        return None
    with ExitStack() as held, progress_shown():
        files = [one for log in file.logs(records.sources) for one in held.enter_context(log.held())]
        parts = file.parts(files, records.chosen.since)
        sizes = [one.size for one, _ in parts]
        wanted = sum(sizes) - sum(begin for _, begin in parts)
        if not quick.worthwhile(wanted, sum(sizes)) or not quick.available():
            return None
        stats = quick.summarise([one.path for one, _ in parts], fields, chosen=records.chosen, scaled=scaled)
        # It opens them by name, so after a rotation meanwhile nobody knows what it has counted.
        return stats if all(one.is_in_place() for one, _ in parts) else None


def _put_over_time(records: Records, *, scaled: bool, as_json: bool) -> None:
    with records.reading() as events:
        period, rows = over_time(events, scaled=scaled)
    if not rows:
        raise records.nothing("calls")
    if not as_json:
        put_table(columns(period, rows, console().width))
    for row in rows if as_json else ():
        put_json({"period": period, "begin": row.key[0]} | numbers(row))
    say_if_sampled(*rows)


def _print_json(stats: Stats) -> None:
    for row in stats.rows:
        put_json(dict(zip(stats.by, row.key, strict=True)) | numbers(row))


def numbers(row: Row) -> dict[str, Any]:
    """Return the numbers of *row* under names with units; null is unknown."""
    return {
        "calls": round(row.calls),
        "recorded_calls": row.recorded,
        "estimated_calls": round(row.estimated),
        "errors": round(row.errors),
        "incomplete": round(row.incomplete),
        "error_share": round(row.error_share, 4),
        **{name: _rounded(getattr(row, name)) for name in ("input_tokens", "output_tokens", "cached_tokens")},
        "cost_usd": row.cost_usd,
        "priced_calls": round(row.priced),
        "latency_ms_p50": row.latency.quantile(0.5),
        "latency_ms_p95": row.latency.quantile(0.95),
        "time_to_first_token_ms_p50": row.first_token.quantile(0.5),
        "time_to_first_token_ms_p95": row.first_token.quantile(0.95),
        "calls_per_minute": row.calls_per_minute,
        "first": row.first,
        "last": row.last,
    }


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _put_table(stats: Stats, width: int) -> None:
    columns = _fitting(stats, width)
    put_table(_table(stats, columns, width), without=[*_cells(stats.total)][len(columns) :])


def _table(stats: Stats, columns: list[tuple[str, int]], width: int) -> Table:
    table = new_table(footer_style="bold", show_footer=len(stats.rows) > 1)
    room = max(_KEY_WIDTH, (width - sum(size for _, size in columns)) // max(1, len(stats.by)) - _GAP)
    for place, name in enumerate(stats.by):
        table.add_column(_head(name), "" if place else "total", no_wrap=True, style="cyan", max_width=room)
    total = _cells(stats.total)
    for name, size in columns:
        table.add_column(name, total[name], justify="right", no_wrap=True, min_width=size - _GAP)
    for row in stats.rows:
        cells = _cells(row)
        table.add_row(*(one_line(value) or "-" for value in row.key), *(cells[name] for name, _ in columns))
    return table


def _head(field: str) -> str:
    return field.removesuffix("_id")


def _fitting(stats: Stats, width: int) -> list[tuple[str, int]]:
    """Return the columns of numbers, the first at least, that fit beside readable keys, with their widths."""
    rows = [_cells(row) for row in (*stats.rows, stats.total)]
    room = width + _GAP - sum(min(_KEY_WIDTH, size) + _GAP for size in _sizes(stats))
    columns: list[tuple[str, int]] = []
    for name in rows[0]:
        size = max(len(name), *(len(row[name]) for row in rows)) + _GAP
        room -= size
        if room < 0 and columns:
            break
        columns.append((name, size))
    return columns


def _sizes(stats: Stats) -> list[int]:
    """Return how wide the keys are, each with its heading."""
    from rich.cells import cell_len

    keys = [[one_line(value) for value in row.key] for row in stats.rows]
    return [max(map(cell_len, column)) for column in zip(map(_head, stats.by), *keys, strict=True)]


def _cells(row: Row) -> dict[str, str]:
    """Return the cells of *row* by the names of their columns, the most wanted first."""
    return {
        "calls": number(row.calls),
        "errors": f"{number(row.errors)} ({row.error_share:.0%})" if row.errors else "0",
        "in→out": f"{number(row.input_tokens)}→{number(row.output_tokens)}",
        "p50": duration(row.latency.quantile(0.5)),
        "p95": duration(row.latency.quantile(0.95)),
        "cost": money(row.cost_usd) + "+" * (0 < row.priced < row.calls),
        "first p50": duration(row.first_token.quantile(0.5)),
        "first p95": duration(row.first_token.quantile(0.95)),
        "incomplete": number(row.incomplete),
        "cached": number(row.cached_tokens),
        "calls/min": _rate(row.calls_per_minute),
    }


def _rate(calls: float | None) -> str:
    """Return calls per minute, of few with the two digits that count: 1.2k, 43, 0.31."""
    return number(calls) if calls is None or calls >= 10 else f"{Decimal(f'{calls:.2g}'):f}"  # noqa: PLR2004  two digits
