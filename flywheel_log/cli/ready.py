"""`flywheel-log ready`: what a run of NVIDIA's Data Flywheel blueprint would make of the log."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from flywheel_log.loop.blueprint.readiness import Readiness, Split, assess, many_workloads
from flywheel_log.loop.blueprint.usable import DROPPED, FATAL
from flywheel_log.loop.replay.origin import are_meant, is_ours
from flywheel_log.wording import counted, first_few

from . import Problem
from ._records import ALL, Given
from ._screen import console, one_line, put_json
from ._select import selecting
from ._source import AsJson

if TYPE_CHECKING:
    from rich.console import Console

EvalSize = Annotated[int, typer.Option(metavar="NUMBER", min=1, help="Number of records that a run evaluates with.")]
ValidationShare = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        min=0,
        max=1,
        help="Share of the remaining records used for validation; the blueprint's val_ratio.",
    ),
]
MinRecords = Annotated[
    int, typer.Option(metavar="NUMBER", min=1, help="Smallest number of records that a run accepts.")
]
Limit = Annotated[int, typer.Option(metavar="NUMBER", min=1, help="Largest number of records that a run uses.")]
_WORDS = {
    "no_tool_call": "no tool is called, in a workload that calls tools",
    "same_record": "another record has the same messages and the same answer",
    "duplicate_question": "another record has the same user messages",
}
_DEFAULT = Split()


@selecting
def command(
    records: Given = ALL,
    *,
    eval_size: EvalSize = _DEFAULT.eval_size,
    validation_share: ValidationShare = _DEFAULT.validation_share,
    min_records: MinRecords = _DEFAULT.min_total_records,
    limit: Limit = _DEFAULT.limit,
    as_json: AsJson = False,
) -> None:
    """Predict what a Data Flywheel run would do.

    For each client and workload: usable records, what is dropped and why, dataset sizes, and what is missing.
    Replays are left out unless --workload names theirs. The defaults are those of the blueprint's configuration. Exit
    code 1 if no workload is ready.
    """
    replays = are_meant(records.chosen.where)
    with records.reading() as events:
        live = (event for event in events if replays or not is_ours(event))
        found = assess(live, Split(eval_size, validation_share, min_records, limit))
    if not found:
        raise records.nothing("calls")
    _put_json(found) if as_json else _put(found)
    if not any(one.ready for one in found):
        raise Problem("no workload is ready")


def _put_json(found: list[Readiness]) -> None:
    for one in found:
        put_json({"ready": one.ready} | asdict(one))


def _put(found: list[Readiness]) -> None:
    screen = console()
    for one in found:
        _show(screen, one)
    if warning := many_workloads(found):
        screen.print(f"! {warning}", style="yellow")


def _show(screen: Console, one: Readiness) -> None:
    head = one_line(f"{one.client_id or '-'} / {one.workload_id or '-'}")
    mark, state, style = ("✓", "ready", "green") if one.ready else ("✗", "not ready", "red")
    screen.print(f"{mark} {head}  {state}", style=f"bold {style}")
    screen.print(f"  {one.kind}, {one.usable:,} usable of {counted(one.fetched, 'record')}, {one.needed} needed")
    if one.ready:
        screen.print("  " + ", ".join(f"{size} {name}" for name, size in one.sizes.items()))
    for line in one.missing:
        screen.print(f"  missing: {one_line(line)}", style="red", soft_wrap=True)
    for reason, ids in (*one.fatal.items(), *one.dropped.items()):
        fate = "fatal" if reason in one.fatal else "dropped"
        screen.print(f"  {fate} {one_line(_why(reason, ids))}", style="dim", soft_wrap=True)
    for line in one.warnings:
        screen.print(f"  ! {one_line(line)}", style="yellow", soft_wrap=True)


def _why(reason: str, ids: list[str]) -> str:
    words = (DROPPED | FATAL | _WORDS)[reason]
    return f"{len(ids)}: {words} ({first_few(ids)})"
