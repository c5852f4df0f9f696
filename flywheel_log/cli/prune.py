"""`flywheel-log prune`: old records out of a log and its rotated files."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.filesize import decimal

from flywheel_log.loop.retention.prune import Pruned, prune
from flywheel_log.wording import counted

from . import Problem
from ._amounts import protecting, size, time
from ._progress import progress_shown
from ._screen import put
from ._source import AsJson, DryRun, Files, logs

OlderThan = Annotated[
    str, typer.Option(metavar="TIME", help="Remove what began before this: 12h, 90d, 4w ago, or 2026-01-31.")
]
LargerThan = Annotated[
    str, typer.Option(metavar="SIZE", help="Remove the oldest until all files together are at most this size: 10GB.")
]
Keep = Annotated[
    list[str] | None,
    typer.Option(metavar="FIELD=VALUE", help="Never remove what this matches, or feedback=good; may be repeated."),
]


def command(
    sources: Files = None,
    *,
    older_than: OlderThan = "",
    larger_than: LargerThan = "",
    keep: Keep = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove old records from a log and its rotated files.

    Programs may go on writing to the log. What --keep matches is kept, with its feedback. An index is pruned
    in Elasticsearch itself.
    """
    before, most = time(older_than, "--older-than"), size(larger_than, "--larger-than")
    if before is None and most is None:
        raise typer.BadParameter("say what to remove: --older-than 90d, or --larger-than 10GB")
    protected = protecting(keep or [], "--keep")
    with progress_shown():
        found = [
            one
            for log in logs(sources)
            for one in prune(log, before=before, most_bytes=most, keep=protected, dry_run=dry_run)
        ]
    for one in found:
        _put(one, dry_run=dry_run, as_json=as_json)
    if any(one.vanished for one in found):
        raise Problem("a file was rotated or replaced meanwhile; run the command again")


def _put(one: Pruned, *, dry_run: bool, as_json: bool) -> None:
    did = "would go" if dry_run else "gone"
    sizes = decimal(one.before) + (f" → {'about ' * dry_run}{decimal(one.after)}" if one.removed else "")
    words = f"{one.file}: {one.removed:,} of {counted(one.removed + one.kept, 'record')} {did} ({sizes})"
    put(asdict(one) | {"file": str(one.file), "dry_run": dry_run}, words, as_json=as_json)
