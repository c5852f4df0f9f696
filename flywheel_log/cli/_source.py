"""Which log a command reads, and the options that all readers share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flywheel_log.loop.reading.read import OnBad
from flywheel_log.loop.reading.sources import file, find
from flywheel_log.process import compression
from flywheel_log.process.rotations import family, log_of
from flywheel_log.wording import counted

from . import failing, wrong

if TYPE_CHECKING:
    from flywheel_log.config import Settings

_DEFAULT = "[default: the file sink of the settings, else genai.log]"
SOURCE = typer.Argument(
    metavar="SOURCE",
    help=f"A log (its rotated files are read too), several logs, a quoted glob, or - for standard input. {_DEFAULT}",
)
Sources = Annotated[list[str] | None, SOURCE]
Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="SOURCE", help=f"A log with its rotated files, several logs, or a quoted glob. {_DEFAULT}"),
]
SUFFIXES = (".log", ".jsonl", ".json", *compression.SUFFIXES)
"""What the names of logs end in."""
READABLE = ("file:", "elasticsearch:")
"""How the URLs of sinks begin from which records are read back."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON lines instead of text.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")]


def settings() -> Settings:
    """Return the settings of the environment. Raises Problem if they are wrong."""
    from flywheel_log.config import load

    with failing(ValueError):
        return load()


def sinks() -> tuple[str, ...]:
    """Return the sinks of the environment, for which no other setting matters. Raises Problem if they are wrong."""
    from flywheel_log import config

    with failing(ValueError):
        return config.sinks()


def default() -> str:
    """Return the log that the settings write: that of the first file sink, else `genai.log`. Raises as `sinks`."""
    return next((sink for sink in sinks() if sink.startswith("file:")), "genai.log")


def or_last(identity: str, sources: list[str] | None) -> tuple[str, list[str] | None]:
    """Return *identity* and *sources* as they are meant: where the one word given names a log, it is the last in it."""
    return ("last", [identity]) if not sources and _names_a_log(identity) else (identity, sources)


def _names_a_log(word: str) -> bool:
    path = Path(word)
    looks_so = path.suffix in SUFFIXES or word.startswith(READABLE) or any(sign in word for sign in ("/", "*"))
    return word == "-" or looks_so or path.exists()


def logs(sources: list[str] | None) -> list[Path]:
    """Return the logs that *sources* (or the default one) are, or were rotated away from.

    Raises:
        FileNotFoundError: there is no such file.
        typer.BadParameter: a source is no file.
    """
    found: dict[Path, None] = {}
    for source in sources or [default()]:
        with wrong("SOURCE"):
            known = find(source)
        if known is not file:
            raise typer.BadParameter(f"{source!r} is not a file; expected one such as genai.log", param_hint="SOURCE")
        try:
            log = log_of(file.path_of(source).resolve())
        except RuntimeError:  # a link that leads to itself, until Python 3.13
            raise file.missing(file.path_of(source)) from None
        found |= dict.fromkeys([log] if family(log) else [log_of(one.resolve()) for one in file.paths(source)])
    return list(found)


@contextlib.contextmanager
def skipping() -> Iterator[OnBad]:
    """Give a `with` block what counts the lines it is called with as skipped, and say at its end how many they were."""
    bad = count()
    try:
        yield lambda _: next(bad)
    finally:
        if skipped := next(bad):  # how often it was asked before
            what = counted(skipped, "line that is not a record", "lines that are not records")
            typer.echo(f"flywheel-log: skipped {what}", err=True)
