"""Which log a command reads, and the options that all readers share."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flywheel_log.event import Event
from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.filter import Filter
from flywheel_log.loop.reading.latest import latest
from flywheel_log.loop.reading.read import OnBad, remarks, search
from flywheel_log.process import compression
from flywheel_log.process.rotations import family, log_of
from flywheel_log.sinks import public

from . import Problem
from ._progress import progress_shown

if TYPE_CHECKING:
    from flywheel_log.config import Settings

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="A log (its rotated files are read too), several logs, a quoted glob, or - for standard input. "
        "[default: the file sink of the settings, else genai.log]",
    ),
]
EVERYTHING = Filter()
SUFFIXES = (".log", ".jsonl", ".json", *compression.SUFFIXES)
"""What the names of logs end in."""
READABLE = ("file:", "elasticsearch:")
"""How the URLs of sinks begin from which records are read back."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON lines instead of text.")]


def settings() -> Settings:
    """Return the settings of the environment. Raises Problem if they are wrong."""
    from flywheel_log.config import load

    try:
        return load()
    except ValueError as error:
        raise Problem(error) from None


def sinks() -> tuple[str, ...]:
    """Return the sinks of the environment, for which no other setting matters. Raises Problem if they are wrong."""
    from flywheel_log import config

    try:
        return config.sinks()
    except ValueError as error:
        raise Problem(error) from None


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
    from flywheel_log.loop.reading.sources import file, find

    found: dict[Path, None] = {}
    for source in sources or [default()]:
        try:
            known = find(source)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="SOURCE") from None
        if known is not file:
            raise typer.BadParameter(f"{source!r} is no file; have one such as genai.log", param_hint="SOURCE")
        try:
            log = log_of(file.path_of(source).resolve())
        except RuntimeError:  # a link that leads to itself, until Python 3.13
            raise file.missing(file.path_of(source)) from None
        found |= dict.fromkeys([log] if family(log) else [log_of(one.resolve()) for one in file.paths(source)])
    return list(found)


@contextlib.contextmanager
def reading(
    sources: list[str] | None, chosen: Filter = EVERYTHING, *, joined: bool = False, since: datetime | None = None
) -> Iterator[Iterator[Event]]:
    """Open *sources* (or the default one) for a `with` block, and say afterwards how many lines were skipped.

    The block gets the events that are *chosen*; what began before *since* is not looked for. If *joined*, or where the
    filter asks for it, they come with what was said about them later; standard input, which can be read but once, is
    *joined* with nothing.

    Raises:
        FileNotFoundError: there is no such file.
        typer.BadParameter: a source is of no known kind, or can be read but once where the filter needs a second look.
    """
    once = "-" in (sources or ())
    since = since or chosen.since
    with skipping() as on_bad, progress_shown():
        with wrong_source():
            joined = chosen.joined or (joined and not once)
            events = search(sources or default(), chosen.glance, feedback=joined, on_bad=on_bad, since=since)
        yield chosen.select(events, feedbacks(sources, since) if chosen.feedback else None)


def newest(sources: list[str] | None, count: int, chosen: Filter = EVERYTHING) -> list[Event]:
    """Return the last *count* events that are *chosen*, with what was said about them. Raises as `reading`."""
    if chosen.joined:  # What is said about a call stands behind it, and perhaps in another file.
        with reading(sources, chosen) as events:
            return [*deque(events, maxlen=count)]
    known = feedbacks(sources, chosen.since) if chosen.feedback else None
    select = partial(chosen.select, feedbacks=known)
    with skipping() as on_bad, wrong_source():
        where, looked = sources or default(), chosen.glance
        return latest(where, count, select=select, glance=looked, on_bad=on_bad, since=chosen.since)


@contextlib.contextmanager
def skipping() -> Iterator[OnBad]:
    """Give a `with` block what counts the lines it is called with as skipped, and say at its end how many they were."""
    bad: Counter[str] = Counter()
    try:
        yield lambda _: bad.update(["lines"])
    finally:
        if count := bad["lines"]:
            what = "1 line that is no record" if count == 1 else f"{count} lines that are no records"
            typer.echo(f"flywheel-log: skipped {what}", err=True)


def unreported(read: Callable[..., Iterable[Event]], sources: list[str] | None, *how: object) -> Iterator[Event]:
    """Yield what *read* finds in *sources* (or the default one); `reading` reports their skipped lines, this does not.

    Raises as `reading`.
    """
    with wrong_source(), progress_shown():
        yield from read(sources or default(), *how)


@contextlib.contextmanager
def wrong_source() -> Iterator[None]:
    """Make of the block's ValueError a mistake in the SOURCE. Raises typer.BadParameter."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="SOURCE") from None


def rereadable(sources: list[str] | None) -> None:
    """Raise typer.BadParameter where *sources*, which the command reads more than once, can be read but once."""
    if "-" in (sources or ()):
        raise typer.BadParameter("this is read more than once, and standard input but once; name a file instead of -")


def feedbacks(sources: list[str] | None, since: datetime | None = None) -> Feedbacks:
    """Read the feedback in *sources*: a pass of its own, since it comes after the calls that it is about.

    What was said before *since* may be left out. Raises as `reading`.
    """
    return Feedbacks(unreported(remarks, sources, since))


def nothing(what: str, sources: list[str] | None, chosen: Filter = EVERYTHING) -> Problem:
    """Return the problem that *sources* (or the default one) have no *what* in them, or none that is *chosen*."""
    where = named(sources)
    return Problem(f"none of the {what} in {where} match {given(chosen)}" if chosen else f"no {what} in {where} yet")


def named(sources: list[str] | None) -> str:
    """Return what to call *sources* (or the default one) in a message."""
    names = ["standard input" if one == "-" else public(one) for one in sources or [default().partition("?")[0]]]
    return ", ".join(name.removeprefix("file:") for name in names)


def given(chosen: Filter) -> str:
    """Return *chosen* in words: `workload_id=support, since=2026-01-31T00:00:00+00:00`."""
    described = chosen.described()
    where = {name: " or ".join(values) for name, values in described.pop("where", {}).items()}
    return ", ".join(f"{name}={value}" for name, value in (where | described).items())
