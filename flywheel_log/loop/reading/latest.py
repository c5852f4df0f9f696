"""The latest events of a log; plain files and indices are read from the end, so a large log takes no longer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from flywheel_log.event import JSON, Event

from ..join import SAYING, Annotations
from .glance import Glance
from .read import OnBad, Reading, Where, glanced, opened, says
from .sources import file

Select = Callable[[Iterable[Event]], Iterator[Event]]


def latest(
    source: Where | Iterable[Where] = "genai.log",
    count: int = 10,
    *,
    select: Select = iter,
    glance: Glance | None = None,
    on_bad: OnBad | None = None,
    since: datetime | None = None,
) -> list[Event]:
    """Return the last *count* events that *select* lets pass, the oldest first, with what was said about them since.

    What is compressed, and the standard input, is read from its beginning, but only if the rest has too few events.

    Args:
        source: as `read` takes it.
        count: how many events at most.
        select: passes on those of the events that are meant; it gets the newest first where a source is read backwards.
        glance: tells of an unparsed line whether *select* may let its event pass; None if each has to be parsed.
        on_bad: called with every line that is skipped.
        since: a time with a zone; events that began before it may be left out, and some may not.

    Raises as `read`.
    """
    found: deque[Event] = deque()
    wanted_line = glance and (lambda line: glance(line) or says(line))
    said: list[Event] = []  # The newest first.
    with closing(_parts(source, since)) as parts:
        while (wanted := count - len(found)) > 0 and (part := next(parts, None)):
            records, newest_first = part
            heard: list[Event] = []
            events = select(_listening(Reading(glanced(records, wanted_line), on_bad), heard))
            if newest_first:
                found.extendleft(islice(events, wanted))
            else:
                found.extendleft(reversed(deque(events, maxlen=wanted)))
            said += heard if newest_first else reversed(heard)
    return [*map(Annotations(reversed(said)).on, found)]


def _parts(
    source: Where | Iterable[Where], since: datetime | None
) -> Generator[tuple[Iterator[bytes | JSON], bool], None, None]:
    """Yield the records of each part, the newest part first, and whether of those, too, the newest comes first."""
    for module, where in reversed(opened(source)):
        if isinstance(where, file.Log):
            yield from _files(where, since)
        elif backwards := getattr(module, "backwards", None):
            yield backwards(where, since), True
        else:
            yield module.records(where, since), False


def _files(log: file.Log, since: datetime | None) -> Iterator[tuple[Iterator[bytes], bool]]:
    with log.held() as files:
        for one, begin in reversed(file.parts(files, since)):
            yield (one.lines(), False) if one.packed else (_behind(one.data, begin), True)


def _behind(data: BinaryIO, begin: int) -> Iterator[bytes]:
    """Yield the lines that end behind the byte *begin*, the last one first."""
    for place, line in file.backwards(data):
        if place + len(line) < begin:
            return
        yield line


def _listening(events: Iterable[Event], heard: list[Event]) -> Iterator[Event]:
    for event in events:
        if event["kind"] in SAYING:
            heard.append(event)
        yield event
