"""`flywheel-log errors`: what goes wrong, how often, since when, with examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from flywheel_log.event import Event
from flywheel_log.loop.clusters import Cluster, clusters
from flywheel_log.loop.errors import Errors, Faulty
from flywheel_log.loop.faults import meaning
from flywheel_log.wording import counted

from . import failing
from ._chart import sparkline
from ._records import ALL, Given
from ._sampled import ScaleUp, say_if_sampled
from ._screen import console, new_table, number, one_line, put_fitting, put_json
from ._select import selecting
from ._source import AsJson

if TYPE_CHECKING:
    from rich.table import Table

Clusters = Annotated[
    int,
    typer.Option(
        "--clusters", metavar="NUMBER", min=0, help="Number of clusters to group their prompts into; needs [analysis]."
    ),
]


@selecting
def command(
    records: Given = ALL,
    *,
    count: Clusters = 0,
    scale_up: ScaleUp = False,
    as_json: AsJson = False,
) -> None:
    """Show what goes wrong, by kind.

    Failures, refusals, truncated answers, invalid tool arguments, bad ratings, hallucinations, retries and slow calls:
    their number, share of all calls, trend, and the latest of each. `show ID` shows one in full.
    """
    faulty = Faulty(records.feedbacks(needed=False), scaled=scale_up)
    with records.reading() as events:
        alike = _clusters(faulty.watch(events), count)
    errors = faulty.result()
    if not errors.share.of:
        raise records.nothing("calls")
    _put_json(errors, alike) if as_json else _put(errors, alike)
    say_if_sampled(faulty)


def _clusters(events: Iterator[Event], count: int) -> list[Cluster]:
    if not count:
        for _ in events:
            pass
        return []
    with failing(ModuleNotFoundError):
        return clusters(events, count)


def _put_json(errors: Errors, alike: list[Cluster]) -> None:
    for group in errors.groups:
        put_json(
            {
                "fault": group.name,
                "count": round(group.share.hits),
                "calls": round(group.share.of),
                "effective_calls": group.share.effective,
                "share": group.share.value,
                "share_interval": group.share.interval,
                "trend": group.trend,
                "period": errors.period,
                "share_by_period": group.by_period,
                "examples": group.examples,
            }
        )
    for one in alike:
        put_json({"cluster": one.words, "count": one.count, "share": one.share, "examples": one.examples})


def _put(errors: Errors, alike: list[Cluster]) -> None:
    screen = console()
    share = errors.share
    screen.print(f"{round(share.hits):,} of {counted(round(share.of), 'call')} went wrong ({share.value or 0:.1%})")
    if errors.groups:
        put_fitting(_choices(_columns(errors)))
    for one in alike:
        screen.print(_told(one), soft_wrap=True)


def _columns(errors: Errors) -> dict[str, list[str]]:
    groups = errors.groups
    return {
        "fault": [one_line(group.name) for group in groups],
        "calls": [number(group.share.hits) for group in groups],
        "share": [f"{group.share.value or 0:.1%}" for group in groups],
        f"by {errors.period}": [sparkline(group.by_period) for group in groups],
        "trend": [group.trend for group in groups],
        "latest": [one_line(group.examples[0]) for group in groups],
        "meaning": [meaning(group.name) for group in groups],
    }


def _choices(columns: dict[str, list[str]]) -> Iterator[tuple[Table, list[str]]]:
    """Yield tables of *columns* without those that can be spared, and their names.

    What a fault means is worth more than its course, if there is room for the one or the other.
    """
    period, trend = course = [name for name in columns if name == "trend" or name.startswith("by ")]
    for gone in ([], [period], course, ["meaning"], ["meaning", trend], ["meaning", *course]):
        table = new_table()
        shown = {name: cells for name, cells in columns.items() if name not in gone}
        for name in shown:
            table.add_column(name, justify="right" if name in ("calls", "share") else "left", no_wrap=True)
        for row in zip(*shown.values(), strict=True):
            table.add_row(*row)
        yield table, [name for name in columns if name in gone]


def _told(one: Cluster) -> str:
    return one_line(f"{one.count} ({one.share:.0%}) ask about {', '.join(one.words)}: {', '.join(one.examples)}")
