"""How things look: the console, and numbers, times and texts in few characters."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from flywheel_log.serialise import dumps_loaded

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PIPED_WIDTH = 160
_UNKNOWN = "-"
_GAP, _NARROWEST, _ENDLESS = 2, 10, 10_000
# A prompt may hold what moves the cursor, rings the bell or turns the text around: it is shown, never obeyed.
_CONTROLS = {code: 0x2400 + code for code in range(0x20)} | dict.fromkeys(
    [*range(0x7F, 0xA0), *range(0x202A, 0x202F)], "·"
)
_CONTROLS |= dict.fromkeys(range(0x2066, 0x206A), "·")
_MULTILINE = {code: shown for code, shown in _CONTROLS.items() if chr(code) not in "\n\t"}


def console(least: int = 0) -> Console:
    """Return a console on standard output: as wide as the terminal (or `COLUMNS`), 160 into a pipe, or *least* cells.

    Colours only on a terminal, and not if `NO_COLOR` is set. Nothing is read as markup.
    """
    from rich.console import Console

    class Pipe(Console):
        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError

    width = max(least, shutil.get_terminal_size((_PIPED_WIDTH, 24)).columns)
    return Pipe(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def new_table(**style: Any) -> Table:
    """Return an empty table that looks like all others; *style* is what rich's takes."""
    from rich.table import Table

    return Table(box=None, pad_edge=False, header_style="dim", **style)


def put_table(table: Table, without: Sequence[str] = ()) -> None:
    """Print *table* as wide as the terminal, by cutting headings and labels; on a terminal, say what it is *without*.

    Figures are whole even where the terminal has to wrap the lines: one that is cut is another one.
    """
    from rich.cells import cell_len

    over = _whole_width(table) - console().width
    figures = [column for column in table.columns if column.justify == "right"]
    least = {id(one): max(cell_len(str(cell)) for cell in (one.footer, *one.cells)) for one in figures}
    room = {id(one): max(least[id(one)], cell_len(str(one.header))) for one in figures}
    for _ in range(over):
        longest = max(room, key=lambda one: room[one] - least[one])
        room[longest] = max(least[longest], room[longest] - 1)
    for one in figures:
        one.min_width = one.max_width = room[id(one)]
    labels = (_GAP + _NARROWEST) * (len(table.columns) - len(figures))
    console(sum(room.values()) + _GAP * len(figures) + labels).print(table, crop=False)
    if without and console().is_terminal:
        console().print(f"too narrow for {', '.join(without)}", style="dim")


def put_fitting(choices: Iterable[tuple[Table, Sequence[str]]]) -> None:
    """Print the first of *choices*, tables and what each is without, that fits into the terminal, else the last."""
    for choice in choices:
        if _whole_width(choice[0]) <= console().width:
            break
    put_table(*choice)


def _whole_width(table: Table) -> int:
    """Return how many cells *table* takes where nothing of it is cut."""
    screen = console()
    return screen.measure(table, options=screen.options.update(max_width=_ENDLESS)).maximum


def put_marked(mark: str, style: str, text: str) -> None:
    """Print *text* behind a *mark*, which says in words and in the colour of *style* how it stands."""
    from rich.text import Text

    console().print(Text.assemble((mark, style), " ", text), soft_wrap=True)


def put_json(value: Any) -> None:
    """Print *value* as one line of JSON at once; what JSON lacks becomes null or an escape."""
    sys.stdout.write(dumps_loaded(value).decode() + "\n")
    sys.stdout.flush()


def put(value: Any, words: str, *, as_json: bool) -> None:
    """Print *value* as one line of JSON, or what it says in *words* as one line of text."""
    if as_json:
        put_json(value)
    else:
        typer.echo(one_line(words))


def one_line(text: str) -> str:
    """Return *text* on one line, with nothing in it that a terminal would obey."""
    return " ".join(text.split()).translate(_CONTROLS)


def many_lines(text: str) -> str:
    """Return *text* with its lines, and with nothing else in it that a terminal would obey."""
    return text.replace("\r\n", "\n").translate(_MULTILINE)


def fit(text: str, width: int) -> str:
    """Return *text* cut or padded to *width* cells; what is cut ends in an ellipsis."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > width:
        text = set_cell_size(text, max(0, width - 1)).rstrip() + "…"
    return set_cell_size(text, width)


def number(value: float | None) -> str:
    """Return a count in at most five characters: 999, 1.2k, 34k, 5.6M."""
    if value is None:
        return _UNKNOWN
    for limit, unit in ((1e3, ""), (1e6, "k"), (1e9, "M")):
        scaled = value / (limit / 1e3)
        if round(scaled) < 1000:  # noqa: PLR2004  more is one of the next unit
            return f"{scaled:.1f}{unit}" if unit and round(scaled, 1) < 10 else f"{scaled:.0f}{unit}"  # noqa: PLR2004  one digit
    return f"{value / 1e9:.1f}G"


def duration(milliseconds: float | None) -> str:
    """Return a time span in at most six characters: 7.5ms, 812ms, 1.2s, 45s, 2m05s."""
    if milliseconds is None:
        return _UNKNOWN
    seconds = milliseconds / 1000
    if seconds < 0.01:  # noqa: PLR2004
        return f"{milliseconds:.1f}ms"
    if seconds < 1:
        return f"{milliseconds:.0f}ms"
    if seconds < 60:  # noqa: PLR2004  a minute
        return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"  # noqa: PLR2004  one digit
    return f"{int(seconds // 60)}m{int(seconds % 60):02}s"


def money(dollars: float | None) -> str:
    """Return an amount with two digits that count: $0.000039, $0.0012, $3.40, $125."""
    if dollars is None:
        return _UNKNOWN
    if dollars >= 100:  # noqa: PLR2004  cents no longer count
        return f"${dollars:,.0f}"
    return f"${dollars:.2f}" if dollars >= 1 or dollars == 0 else f"${Decimal(f'{dollars:.2g}'):f}"


def moment(timestamp: str, zone: tzinfo | None = None) -> datetime | None:
    """Return a timestamp in local time (or in *zone*); None if it is in another logger's own format."""
    try:
        return datetime.fromisoformat(timestamp).astimezone(zone)
    except ValueError:
        return None
