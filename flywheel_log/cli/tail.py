"""`flywheel-log tail`: the latest calls, one a line, and with `-f` those to come."""

from __future__ import annotations

import glob
import heapq
from collections.abc import Iterable
from typing import Annotated

import typer

from flywheel_log.event import Event
from flywheel_log.loop.filter import needs_joining
from flywheel_log.loop.reading.follow import follow
from flywheel_log.loop.reading.sources import file, find
from flywheel_log.loop.values import full, numbers

from . import wrong
from ._line import heading, line
from ._records import ALL, Given, Records
from ._screen import console, put_json
from ._select import one_of, selecting
from ._source import AsJson

Count = Annotated[int, typer.Option("-n", "--lines", metavar="NUMBER", min=0, help="How many calls to show.")]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Wait for further calls, until interrupted.")]
Top = Annotated[
    str,
    typer.Option(
        metavar="FIELD",
        help="Instead of the latest, show those with the highest number in this field, such as latency_ms or cost_usd.",
    ),
]


@selecting
def command(
    records: Given = ALL,
    *,
    lines: Count = 10,
    follow: Follow = False,
    top: Top = "",
    as_json: AsJson = False,
) -> None:
    """Show the latest calls, one per line.

    Time, status, workload, model, tokens in→out, latency, and the first words of prompt → answer.
    """
    one_of(follow=follow, top=top)
    if follow:
        show(_following(records, lines), as_json=as_json)
        return
    events = _highest(records, lines, top) if top else records.newest(lines)
    if lines and not events:
        raise records.nothing(f"records with a number as {top}" if top else "records")
    show(events, as_json=as_json)


def show(events: Iterable[Event], *, as_json: bool) -> None:
    """Print *events* as they come, as lines for eyes or as JSON; a terminal gets a heading."""
    screen = console()
    if screen.is_terminal and not as_json:
        screen.print(heading(screen.width))
    for event in events:
        if as_json:
            put_json(event)
        else:
            screen.print(line(event, screen.width), crop=True)


def _highest(records: Records, lines: int, field: str) -> list[Event]:
    """Return the *lines* events with the highest numbers in *field*, the highest first; of equal ones the latest."""
    with wrong("--top"):
        number = numbers(full(field))
    with records.reading(joined=needs_joining([field])) as events:
        numbered = ((one, place, event) for place, event in enumerate(events) if (one := number(event)) is not None)
        return [event for _, _, event in heapq.nlargest(lines, numbered)]


def _following(records: Records, lines: int) -> Iterable[Event]:
    """Follow the one source; the last *lines* of it are looked at, and those chosen of them shown."""
    source, *more = records.sources
    if more:
        given = ", ".join(records.sources)
        raise typer.BadParameter(f"only one source can be followed; got {given}", param_hint="SOURCE")
    with wrong("SOURCE"):
        # A log that is waited for may be a slip of the pen.
        if find(source) is file and not (path := file.path_of(source)).exists() and not glob.has_magic(str(path)):
            typer.echo(f"flywheel-log: {path} is not there yet; waiting for it", err=True)
        events = follow(source, last=lines)
    return records.select(events)
