"""`flywheel-log verify`: what is missing from a log or from Elasticsearch."""

from __future__ import annotations

from typing import Annotated

import typer

from flywheel_log.loop.gaps import Census, Gap
from flywheel_log.wording import counted, first_few

from . import Problem
from ._amounts import time
from ._records import Records
from ._screen import put
from ._source import AsJson, Sources

Since = Annotated[str, typer.Option(metavar="TIME", help="Look from this time on: 12h, 30d ago, or 2026-01-31.")]


def command(sources: Sources = None, *, since: Since = "", as_json: AsJson = False) -> None:
    """Check a log for missing events, and for repeated ones.

    The events of a process are numbered without gaps, so a missing number is an event that was lost, was removed or is
    still on its way. What `forget` removed is not missing. Events missing after the last one of a process cannot be
    detected. With --since, a log that is pruned, or of which rotated files are deleted, need not be whole before.
    Repeated events are named, too; the exit code is 1 for missing ones only, since sources may overlap.
    """
    begin, records = time(since, "--since"), Records(sources)
    with records.reading() as events:
        census = Census.of(events, begin)
    repeated = census.repeated()
    dead = _dead_letters(sources)
    for identity in dead:
        census.add(identity)
    found = list(census.gaps())
    for gap in found:
        _put(gap, as_json=as_json)
    if not census.events:
        raise records.nothing("events")
    if repeated:
        which = first_few(repeated)
        typer.echo(f"flywheel-log: {counted(len(repeated), 'event')} more than once: {which}", err=True)
    if missing := sum(gap.count for gap in found):
        raise Problem(f"{missing} of {census.events + missing} events are missing")
    if not as_json:
        also = f", {len(dead)} of them dead letters" if dead else ""
        also += f"; {counted(census.forgotten, 'event')} forgotten" if census.forgotten else ""
        runs = counted(census.runs, "process", "processes")
        typer.echo(f"all there: {counted(census.events, 'event')} of {runs}{also}")


def _put(gap: Gap, *, as_json: bool) -> None:
    which = f"{gap.run}-{gap.first}" if gap.count == 1 else f"{gap.run}-{gap.first} to {gap.run}-{gap.last}"
    words = f"missing {gap.count}: {which}" + (f" (dropped: {gap.reason})" if gap.reason else "")
    numbers = {"run": gap.run, "first": gap.first, "last": gap.last, "count": gap.count, "reason": gap.reason}
    put(numbers, words, as_json=as_json)


def _dead_letters(sources: list[str] | None) -> list[str]:
    """The ids of the events that an index among *sources* refused; they are not lost."""
    from flywheel_log.sinks.elasticsearch.dead_letters import letters
    from flywheel_log.sinks.elasticsearch.target import target

    indices = [target(source) for source in sources or () if source.startswith("elasticsearch:")]
    return [letter.id for where in indices for letter in letters(where.dead_letters)]
