"""A run of `replay` compared with its originals: read from the logs, with how similar the answers are."""

from __future__ import annotations

import typer

from flywheel_log.loop.extra import need
from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.reading.read import search
from flywheel_log.loop.replay.agreement import Agreement
from flywheel_log.loop.replay.judge import verdicts
from flywheel_log.loop.replay.origin import identity, may_be_ours, of_run
from flywheel_log.loop.replay.pairs import Pairs, pairs, replays, runs
from flywheel_log.loop.statistics.estimate import Mean, Share
from flywheel_log.wording import counted, first_few

from . import Problem
from ._records import Records
from ._screen import put_json

_LAST = "last"
_NAMED = 8


def beside(records: Records, known: Feedbacks, run: str) -> Pairs:
    """Pair the replays of *run* (`last`: of the one that ended last) with those of their originals that are chosen.

    Raises:
        Problem: there is no such run, or none of its originals is there.
    """
    records.rereadable()
    there = runs(records.unreported(search, may_be_ours))
    name = next(reversed(there), run) if run == _LAST else run
    if name not in there:
        have = first_few([f"{one} ({there[one]})" for one in reversed(there)], _NAMED)
        raise Problem(
            f"no call belongs to the run {run}; the log has {have}" if there else f"no replays in {records.named} yet"
        )
    ours = [*of_run(records.unreported(search, may_be_ours), name)]
    news, judged, found = replays(ours), verdicts(ours), Pairs()
    with records.reading() as events:
        for old, new in pairs(events, news):
            found.add(old, new, known, judged.get(identity(old)))
    if not found.count:
        which = f"{len(news)} originals of {name}{records.matching}"
        raise Problem(f"none of the {which} is in the log; name theirs with --log as well")
    return found


def put_agreement(found: Pairs, *, as_json: bool) -> None:
    """Print how alike the answers of the pairs are, and which of them a judge prefers."""
    alike = found.agreement
    measured: dict[str, Share | Mean] = {
        "exact_match": alike.exact,
        "normalised_match": alike.normalised,
        "same_tool_calls": alike.tool_calls,
        "similarity": alike.similarity,
    }
    for name, one in measured.items():
        if as_json and one.of:
            put_json({"measure": name, "value": one.value, "interval": one.interval, "of": one.of})
        elif one.of:
            typer.echo(f"{name.replace('_', ' '):<17} {_shown(one)} of {one.of} pairs")
    if found.judged.counts:
        _put_judged(found, as_json=as_json)
    _hint(alike)


def _put_judged(found: Pairs, *, as_json: bool) -> None:
    chance, counts = found.judged.chance(), found.judged.counts
    new, old, tie, unreadable = (counts[verdict] for verdict in ("new", "old", "tie", "unreadable"))
    if as_json:
        sides = {"new": new, "old": old, "tie": tie, "unreadable": unreadable}
        put_json({"measure": "judged", **sides, "p": chance})
    else:
        p = "" if chance is None else f" (p {chance:.3f})"
        lost = f"; {counted(unreadable, 'verdict')} cannot be read" if unreadable else ""
        typer.echo(f"judged better     new {new}, old {old}, neither {tie}{p}{lost}")


def _shown(one: Share | Mean) -> str:
    value = one.value or 0.0
    if one.interval is None:
        return f"{value:.0%}"
    low, high = (min(1.0, max(0.0, end)) for end in one.interval)
    return f"{value:.0%} [{low:.0%}, {high:.0%}]"


def _hint(alike: Agreement) -> None:
    try:
        need("rapidfuzz", "replay")
    except ModuleNotFoundError as error:
        if alike.exact.of:
            typer.echo(f"flywheel-log: no similarity, because {error}", err=True)
