"""`flywheel-log drain`: deliver what programs that are gone have left in the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from flywheel_log.sinks import open_sink, public, resolve

from . import Problem, failing
from ._screen import put
from ._source import AsJson, settings

if TYPE_CHECKING:
    from flywheel_log.delivery.drain import Drained

Journal = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="The journal's directory.", show_default="that of the settings")
]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0, help="Give up after this many seconds.")]
Into = Annotated[
    str | None, typer.Option(metavar="URL", help="Deliver to this sink what waits for another one of its kind.")
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="URL", help="The sink that --into replaces.", show_default="every one of its kind"),
]


def command(
    *,
    journal: Journal = None,
    timeout: Timeout = 30.0,
    into: Into = None,
    instead_of: From = None,
    as_json: AsJson = False,
) -> None:
    """Deliver what programs left in the journal when they ended.

    Journals of programs that still run are not touched. Credentials come from the environment. To send what waits for
    one index to another one: --from elasticsearch://host/old --into elasticsearch:
    """
    from flywheel_log.delivery import drain
    from flywheel_log.enrichment import Enrichment

    known = settings()
    root = journal or known.journal
    if root.exists() and not root.is_dir():
        raise Problem(f"{root} is not a directory; expected a journal, such as {known.journal}")
    reports = drain(root, timeout, Enrichment(known), _diversion(into, instead_of))
    found = [report for report in reports if report.delivered or report.left]
    for report in reports if as_json else found:
        _put(report, as_json=as_json)
    if not found and not as_json:
        typer.echo(f"nothing is waiting in {root}" + ("" if root.exists() else ", which does not exist"))
    if left := sum(report.left for report in reports):
        raise Problem(
            f"still in {root}: {left}; run `flywheel-log drain` again when their sinks answer, "
            "or let another one of the kind take them: --from file:/gone/genai.log --into file:genai.log"
        )


def _diversion(into: str | None, instead_of: str | None) -> Callable[[str], str] | None:
    """What to open in the place of a sink.

    Raises:
        Problem: that cannot be opened.
        typer.BadParameter: it is of another kind, or nothing is named.
    """
    if into is None:
        if instead_of:
            raise typer.BadParameter("it needs --into, the sink that takes the events", param_hint="--from")
        return None
    with failing(ValueError, OSError):
        open_sink(into).close()
        replaced = public(resolve(instead_of)) if instead_of else None
    kind = urlsplit(into).scheme
    if replaced and urlsplit(replaced).scheme != kind:
        was = urlsplit(replaced).scheme
        raise typer.BadParameter(f"--from is {was}:, --into is {kind}:; they must be of the same kind")
    return lambda url: into if urlsplit(url).scheme == kind and replaced in (None, public(url)) else url


def _put(report: Drained, *, as_json: bool) -> None:
    why = f": {report.why}" if report.why else ""
    where = ", ".join(report.sinks) or "unknown"
    words = f"{where}  {report.delivered} delivered, {report.left} left{why}"
    put(asdict(report), words, as_json=as_json)
