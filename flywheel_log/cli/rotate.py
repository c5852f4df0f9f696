"""`flywheel-log rotate`: begin a new log, and compress what was there."""

from __future__ import annotations

from typing import Annotated

import typer

from flywheel_log.loop.retention.rotate import Rotated, rotate

from ._amounts import size
from ._screen import put
from ._source import AsJson, Files, logs

LargerThan = Annotated[
    str, typer.Option(metavar="SIZE", help="Rotate only a log of at least this size: 500kB, 100MB, 1.5GB.")
]
Keep = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER",
        min=1,
        help="Keep this many rotated files, and delete older ones.",
        show_default="all are kept",
    ),
]
Plain = Annotated[bool, typer.Option("--plain", help="Do not compress rotated files.")]


def command(
    sources: Files = None,
    *,
    larger_than: LargerThan = "",
    keep: Keep = None,
    plain: Plain = False,
    as_json: AsJson = False,
) -> None:
    """Start a new log, and compress the old one.

    genai.log becomes genai.log.1.gz, which becomes genai.log.2.gz, and so on. Programs that write to it with
    flywheel_log continue in the new one and lose nothing. All commands read the rotated files too, the oldest first.
    """
    at_least = size(larger_than, "--larger-than") or 1
    for log in logs(sources):
        done = rotate(log, at_least=at_least, keep=keep, compress=not plain)
        put(_numbers(done), _words(done), as_json=as_json)


def _numbers(done: Rotated) -> dict[str, object]:
    files = {"compressed": list(map(str, done.compressed)), "deleted": list(map(str, done.deleted))}
    return {"log": str(done.log), "rotated": done.rotated, **files}


def _words(done: Rotated) -> str:
    groups = {"compressed": done.compressed, "deleted": done.deleted}
    files = (f"; {word} {', '.join(file.name for file in files)}" for word, files in groups.items() if files)
    return f"{done.log}: {'rotated' if done.rotated else 'nothing to rotate'}{''.join(files)}"
