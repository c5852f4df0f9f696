"""`flywheel-log drain`: deliver what programs that are gone have left in the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import Problem
from ._source import AsJson, settings

if TYPE_CHECKING:
    from flywheel_log.delivery.drain import Drained

Journal = Annotated[
    Path | None, typer.Option("--journal", help="The journal's directory.", show_default="that of the settings")
]
Timeout = Annotated[float, typer.Option("--timeout", min=0, help="Seconds to try at most.")]


def command(*, journal: Journal = None, timeout: Timeout = 30.0, as_json: AsJson = False) -> None:
    """Deliver what programs that are gone have left behind.

    The journal of programs that still run is theirs and not touched. Credentials come from the environment.
    """
    from flywheel_log.delivery import drain
    from flywheel_log.recorder import enrichment

    known = settings()
    root = journal or known.journal
    reports = drain(root, timeout, enrichment(known))
    for report in reports:
        _put(report, as_json=as_json)
    if not reports and not as_json:
        typer.echo(f"nothing was left behind in {root}")
    if left := sum(report.left for report in reports):
        raise Problem(f"still in {root}: {left}; run `flywheel-log drain` again when their sinks answer")


def _put(report: Drained, *, as_json: bool) -> None:
    from ._screen import one_line, put_json

    if as_json:
        put_json({"sinks": report.sinks, "delivered": report.delivered, "left": report.left, "why": report.why})
        return
    why = f": {report.why}" if report.why else ""
    where = ", ".join(report.sinks) or "unknown"
    typer.echo(one_line(f"{where}  {report.delivered} delivered, {report.left} left{why}"))
