"""Calls over time as bars: one line a period, errors hatched and in red, the numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flywheel_log.loop.stats import Row

from ._screen import duration, moment, money, new_table, number

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"
_NUMBERS_WIDTH = 55
_SHORTEST, _LONGEST = 5, 60
_DAY_AND_LONGER = ("day", "week")


def columns(period: str, rows: Sequence[Row], width: int) -> Table:
    """Return a chart of *rows*, whose keys are the beginnings of their periods, at most *width* cells wide."""
    table = new_table()
    table.add_column(f"by {period}", no_wrap=True, style="cyan")
    room = min(_LONGEST, max(_SHORTEST, width - _NUMBERS_WIDTH))
    legend = "▒ errors" if any(row.errors for row in rows) else ""
    table.add_column(legend[:room], no_wrap=True, min_width=room)
    for name in ("calls", "errors", "p95", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    most = max(row.calls for row in rows)
    for row in rows:
        errors = number(row.errors) if row.errors else ""
        figures = (number(row.calls), errors, duration(row.latency.quantile(0.95)), money(row.cost_usd))
        table.add_row(_time(row, period), _bar(row, most, room), *(figures if row.calls else ()))
    return table


def _bar(row: Row, most: float, room: int) -> Text:
    from rich.text import Text

    whole = bar(row.calls / most, room)
    failed = min(len(whole), round(row.errors / most * room) or row.errors > 0)
    return Text("▒" * failed, "red").append(whole[failed:], "green")


def bar(share: float, room: int) -> str:
    """Return a bar of *share* (0 to 1) of *room* cells, in eighths of a cell; what is not nothing is seen."""
    eighths = round(share * room * 8) or (share > 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def sparkline(values: Sequence[float | None]) -> str:
    """Return *values* as a row of bars up to the greatest, one cell each; what is unknown is a gap."""
    top = max((value for value in values if value), default=1.0)
    return "".join(" " if value is None else _HEIGHTS[round(value / top * (len(_HEIGHTS) - 1))] for value in values)


def _time(row: Row, period: str) -> str:
    if period.endswith(_DAY_AND_LONGER):
        return row.key[0][:10]  # days are those of UTC
    local = moment(row.key[0])
    return local.strftime("%m-%d %H:%M") if local else row.key[0]
