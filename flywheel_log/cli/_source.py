"""Which log a command reads, and the options that all readers share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from flywheel_log.loop.read import Reading, read

from . import Problem

if TYPE_CHECKING:
    from flywheel_log.config import Settings

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="A log, several, a quoted glob, or - for standard input. "
        "[default: the file sink of the settings, else genai.log]",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON lines, for programs.")]


def settings() -> Settings:
    """Return the settings of the environment. Raises Problem if they are wrong."""
    from flywheel_log.config import load

    try:
        return load()
    except ValueError as error:
        raise Problem(error) from None


def default() -> str:
    """Return the log that the settings write: that of the first file sink, else `genai.log`. Raises as `settings`."""
    return next((sink for sink in settings().sinks if sink.startswith("file:")), "genai.log")


@contextlib.contextmanager
def reading(sources: list[str] | None) -> Iterator[Reading]:
    """Open *sources* (or the default one) for a `with` block, and say afterwards how many lines were skipped.

    Raises:
        FileNotFoundError: there is no such file.
        typer.BadParameter: a source is of no known kind.
    """
    try:
        events = read(sources or default())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="SOURCE") from None
    yield events
    if events.bad:
        what = "1 line that is no record" if events.bad == 1 else f"{events.bad} lines that are no records"
        typer.echo(f"flywheel-log: skipped {what}", err=True)
