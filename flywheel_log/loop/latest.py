"""The latest events of a log; plain files and indices are read from their ends, so that a large one takes no longer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import ModuleType

from flywheel_log.event import JSON, Event

from . import recent
from .join import SAYING, Annotations
from .read import OnBad, Reading, Where, opened
from .sources import Source, file

Select = Callable[[Iterable[Event]], Iterator[Event]]


def latest(
    source: Where | Iterable[Where] = "genai.log",
    count: int = 10,
    *,
    select: Select = iter,
    on_bad: OnBad | None = None,
    since: datetime | None = None,
) -> list[Event]:
    """Return the last *count* events that *select* lets pass, the oldest first, with what was said about them since.

    What is compressed, and the standard input, is read from its beginning, but only if the rest has too few events.

    Args:
        source: as `read` takes it.
        count: how many events at most.
        select: passes on those of the events that are meant; it gets the newest first where a source is read backwards.
        on_bad: called with every line that is skipped.
        since: a time with a zone; events that began before it may be left out, and some may not.

    Raises as `read`.
    """
    found: deque[Event] = deque()
    said: list[Event] = []  # The newest first.
    for module, where in reversed(opened(source)):
        wanted = count - len(found)
        if wanted <= 0:
            break
        heard: list[Event] = []
        if (newest := _backwards(module, where, since)) is not None:
            found.extendleft(islice(select(_listening(Reading(newest, on_bad), heard)), wanted))
            said += heard
        else:
            events = select(_listening(Reading(module.records(where, since), on_bad), heard))
            found.extendleft(reversed(deque(events, maxlen=wanted)))
            said += reversed(heard)
    return [*map(Annotations(reversed(said)).on, found)]


def _backwards(module: Source | ModuleType, where: str, since: datetime | None) -> Iterator[bytes | JSON] | None:
    """The records of a source, the newest first; None where it can only be read from its beginning."""
    if module is file:
        return None if where.endswith(".gz") else _behind(Path(where), since)
    read: Callable[[str, datetime | None], Iterator[JSON]] | None = getattr(module, "backwards", None)
    return read(where, since) if read else None


def _behind(path: Path, since: datetime | None) -> Iterator[bytes]:
    """Yield the lines of *path* that may be of events which began at *since* or later, the last one first."""
    begin = recent.begin(path, since) if since else 0
    if begin is None:
        return
    for place, line in file.backwards(path):
        if place + len(line) < begin:
            return
        yield line


def _listening(events: Iterable[Event], heard: list[Event]) -> Iterator[Event]:
    for event in events:
        if event["kind"] in SAYING:
            heard.append(event)
        yield event
