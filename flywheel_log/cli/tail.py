"""`flywheel-log tail`: the latest calls, one a line, and with `-f` those to come."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from typing import Annotated

import typer

from flywheel_log.event import Event
from flywheel_log.loop.filter import Filter
from flywheel_log.loop.reading.follow import follow
from flywheel_log.loop.reading.sources import file, find

from ._select import selecting
from ._source import EVERYTHING, AsJson, Sources, default, feedbacks, named, newest, nothing, wrong_source

Count = Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the latest calls to show.")]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Wait for further calls, until interrupted.")]


@selecting
def command(
    sources: Sources = None,
    *,
    lines: Count = 10,
    follow: Follow = False,
    as_json: AsJson = False,
    chosen: Filter = EVERYTHING,
) -> None:
    """Show the latest calls, one per line.

    Time, status, workload, model, tokens in→out, latency, and the first words of prompt → answer.
    """
    if follow:
        show(_following(sources, lines, chosen), as_json=as_json)
        return
    events = newest(sources, lines, chosen)
    if lines and not events:
        raise nothing("records", sources, chosen)
    show(events, as_json=as_json)


def show(events: Iterable[Event], *, as_json: bool) -> None:
    """Print *events* as they come, as lines for eyes or as JSON; a terminal gets a heading."""
    from ._line import heading, line
    from ._screen import console, put_json

    screen = console()
    if screen.is_terminal and not as_json:
        screen.print(heading(screen.width))
    for event in events:
        if as_json:
            put_json(event)
        else:
            screen.print(line(event, screen.width), crop=True)


def _following(sources: list[str] | None, lines: int, chosen: Filter) -> Iterable[Event]:
    """Follow the one source; the last *lines* of it are looked at, and those chosen of them shown."""
    source = sources[0] if sources else default()
    if sources and len(sources) > 1:
        raise typer.BadParameter(f"only one source can be followed; have {', '.join(sources)}", param_hint="SOURCE")
    with wrong_source():
        _say_if_missing(source)
        events = follow(source, last=lines)
    return chosen.select(events, feedbacks([source]) if chosen.feedback else None)


def _say_if_missing(source: str) -> None:
    """Say that a log is waited for: it may be a slip of the pen."""
    if find(source) is file and not file.path_of(source).exists() and not glob.has_magic(source):
        typer.echo(f"flywheel-log: {named([source.partition('?')[0]])} is not there yet; waiting for it", err=True)
