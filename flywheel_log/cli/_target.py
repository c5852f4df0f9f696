"""Where the answers of a replay go: the log that was read, unless another sink is named, to be read back from there."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import quote

from flywheel_log.loop.reading.read import Reading, search
from flywheel_log.loop.reading.sources import file, find
from flywheel_log.loop.reading.sources.file import path_of
from flywheel_log.loop.replay.origin import may_be_ours
from flywheel_log.process.compression import is_compressed
from flywheel_log.process.rotations import generations

from . import Problem, _source, wrong


def sinks(sources: list[str] | None, into: str | None) -> tuple[str, ...]:
    """Return the sinks for the answers: *into*, or the one log of *sources*, or those of the settings.

    Raises:
        Problem: they are not to be told from the sources, or nothing can be read back from them.
        FileNotFoundError: a source does not exist.
    """
    found = (into,) if into else (_same(sources),) if sources else _source.sinks()
    if not any(url.startswith(_source.READABLE) for url in found):
        raise Problem(f"{', '.join(found)} cannot be read back, and a replay must read its answers; name a file")
    return found


def written(urls: tuple[str, ...]) -> Reading:
    """Read the replays and verdicts that the sinks *urls* have so far; a log that is not there yet has nothing."""
    places = [url for url in urls if url.startswith(_source.READABLE)]
    try:
        with wrong("SOURCE"):
            return search(places, may_be_ours)
    except FileNotFoundError:
        return Reading(())


def logs(sources: list[str] | None, urls: tuple[str, ...]) -> str:
    """Return the options that make `compare` read *sources* and what was written to *urls*; none where it does so."""
    told = sources or [_source.default()]
    known = {path_of(one) for one in told}
    more = [url for url in urls if url.startswith(_source.READABLE) and path_of(url) not in known]
    return "".join(f" --log {shlex.quote(one)}" for one in (*told, *more)) if sources or more else ""


def _same(sources: list[str]) -> str:
    source, log = sources[0], Path(sources[0])
    if len(sources) == 1 and source.startswith(_source.READABLE):
        return source
    # Just rotated, a log is not there until the next line.
    if len(sources) == 1 and not is_compressed(log) and (log.is_file() or generations(log)):
        return f"file:{quote(source)}"
    for one in sources:
        if find(one) is file:
            file.paths(one)
    raise Problem(f"answers cannot go to {' and '.join(sources)}; name a log for them with --into file:replay.log")
