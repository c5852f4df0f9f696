"""`flywheel-log forget --user U`: all records of a person out of logs, journal, dead letters and index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from flywheel_log.loop.reading.sources.file import path_of
from flywheel_log.loop.retention.forget import Erased, forget
from flywheel_log.loop.retention.person import Person, disguised
from flywheel_log.loop.retention.places import PATIENCE_S, DeadLetters, Journal, Log, Place
from flywheel_log.process.rotations import family

from . import Problem
from ._progress import progress_shown
from ._screen import one_line, put_json
from ._source import READABLE, AsJson, DryRun, logs, settings

if TYPE_CHECKING:
    from flywheel_log.config import Settings

User = Annotated[str, typer.Option(metavar="ID", help="The `user_id` of the records to remove.", show_default=False)]
Where = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Logs (with their rotated files), and indices as elasticsearch:… URLs. "
        "[default: all sinks of the settings]",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, help="Seconds to wait for running programs to delete what they have delivered."
    ),
]


def command(
    sources: Where = None, *, user: User, wait: Wait = PATIENCE_S, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Remove all records of a user.

    From logs with their rotated files, from an index and its annotations, from its dead letters, and from the journal:
    calls, steps, feedback by the user and feedback about their calls. Afterwards everything is searched again; the
    exit code is 1 if something is left.
    """
    if not user:
        raise typer.BadParameter("the user is ''; pass the user id as the records have it", param_hint="--user")
    known = settings()
    person = disguised(user, known)
    given, blind = _sources(sources, known)
    with progress_shown(), ExitStack() as stack:
        found = forget(person, _places(given, Journal(known.journal, wait), stack), dry_run=dry_run)
    notes = [*_notes(found, person, user), *blind]
    _put_json(found, notes, dry_run=dry_run) if as_json else _put(found, notes, user, dry_run=dry_run)
    if not dry_run and any(one.left != 0 for one in found):
        raise Problem("some records are left; see above")


def _sources(given: list[str] | None, known: Settings) -> tuple[list[str], list[str]]:
    """The sources to look through, and what is to be said of sinks that cannot be."""
    if given:
        return given, []
    within = [sink for sink in known.sinks if sink.startswith(READABLE)]
    blind = [f"what went to {urlsplit(sink).scheme}: is out of reach" for sink in known.sinks if sink not in within]
    missing = [f"{sink} does not exist" for sink in within if not _is_there(sink)]
    return [sink for sink in within if _is_there(sink)], blind + missing


def _is_there(sink: str) -> bool:
    return not sink.startswith("file:") or bool(family(path_of(sink).resolve()))


def _places(sources: list[str], journal: Journal, stack: ExitStack) -> list[Place]:
    """All places, the journal first: what is delivered from it meanwhile is found in the others."""
    from ._deliver import where

    files = [source for source in sources if not source.startswith("elasticsearch:")]
    targets = [where(source) for source in sources if source.startswith("elasticsearch:")]
    found: list[Place] = [journal, *(DeadLetters(target.dead_letters) for target in targets)]
    found += [Log(log) for log in (logs(files) if files else ())]
    for target in targets:
        from flywheel_log.loop.retention.index import Index

        index = Index(target)
        stack.callback(index.close)
        found.append(index)
    return found


def _notes(found: list[Erased], person: Person, user: str) -> Iterator[str]:
    """What remains that may concern the person, and why it does."""
    if len(person.names) > 1:
        yield f"also looked for under {', '.join(sorted(person.names - {user}))}"
    if mentioned := sum(one.after.mentioned for one in found):
        examples = ", ".join(identity for one in found for identity in one.after.examples)
        yield f"{mentioned} records of others have {user!r} as a value ({examples}); look at them with `show`"
    if masked := sum(one.after.masked for one in found):
        yield (
            f"{masked} records have {person.mask} as their user, or a pseudonym whose key is not known: "
            "nobody can tell whose they are"
        )


def _put_json(found: list[Erased], notes: list[str], *, dry_run: bool) -> None:
    places = [
        {
            "place": one.place,
            "found": one.found.kinds,
            "removed": one.removed,
            "left": one.left,
            "why": one.why,
            "mentioned": one.after.mentioned,
            "masked": one.after.masked,
        }
        for one in found
    ]
    nothing_left = not dry_run and all(one.left == 0 for one in found)
    put_json({"dry_run": dry_run, "nothing_left": nothing_left, "places": places, "notes": notes})


def _put(found: list[Erased], notes: list[str], user: str, *, dry_run: bool) -> None:
    for one in found:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(one.found.kinds.items()))
        did = f"{one.found.kinds.total()} would go" if dry_run else f"{one.removed} removed"
        typer.echo(one_line(f"{one.place}: {did}" + (f" ({kinds})" if kinds else "")))
        if one.left != 0 and not dry_run:
            left = "nobody knows what" if one.left is None else one.left
            typer.echo(one_line(f"! {left} left: {one.why}"))
    for note in notes:
        typer.echo(one_line(f"! {note}"))
    if not dry_run and all(one.left == 0 for one in found):
        typer.echo(one_line(f"searched again: no record of {user} is left in these places"))
