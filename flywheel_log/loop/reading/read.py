"""Logs back into events, one by one; `follow` reads those that are still being written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from types import ModuleType
from typing import cast

from flywheel_log.clock import timestamp
from flywheel_log.event import FLYWHEEL_KEYS, JSON, Event, from_document
from flywheel_log.serialise import loads
from flywheel_log.shape import fits

from ..join import SAYING, Annotations
from .flat import from_flat, is_flat
from .glance import Glance
from .sources import Source, file, find

Where = str | os.PathLike[str]
OnBad = Callable[[bytes], object]
Part = tuple[Source | ModuleType, str | file.Log]
_AS_MILLISECONDS = 1e11  # The year 5138 in seconds, 1973 in milliseconds.
_OF_OTHERS = {*FLYWHEEL_KEYS, "kind"}
_PADDING = b"\0 \t\r\n"
_SAYING = tuple(kind.encode() for kind in SAYING)


class Reading(Iterator[Event]):
    """The events of a source, one at a time.

    Attributes:
        bad: how many lines were skipped so far, because they are not JSON or not a record.
    """

    def __init__(
        self, records: Iterable[bytes | JSON], on_bad: OnBad | None = None, said: Annotations | None = None
    ) -> None:
        self.bad = 0
        self._records = iter(records)
        self._on_bad = on_bad
        self._said = said

    def __next__(self) -> Event:
        for record in self._records:
            if isinstance(record, bytes) and is_blank(record):
                continue
            try:
                event = parse(record)
            except (ValueError, RecursionError):
                self._skip(record)
            else:
                return event if self._said is None else self._said.on(event)
        raise StopIteration

    def _skip(self, record: bytes | JSON) -> None:
        self.bad += 1
        if self._on_bad is not None:
            self._on_bad(record if isinstance(record, bytes) else repr(record).encode())


def read(
    source: Where | Iterable[Where] = "genai.log",
    *,
    feedback: bool = False,
    on_bad: OnBad | None = None,
    since: datetime | None = None,
) -> Reading:
    """Read the events of *source* one by one, in constant memory.

    Args:
        source: a path, a glob (`logs/*.log`), `-` for standard input, a URL, or several of these. A log includes its
            rotated files, compressed or not, oldest first; the name of a rotated file (`genai.log.1`) means that
            file alone. A rotation during the read changes nothing, and no file is read twice. Lines may be events,
            flywheel documents and flat records, in any mixture.
        feedback: give each call the `quality`, `safety` and `hallucination_flag` that people, judges and moderations
            added later, anywhere in *source*. As feedback follows the calls, *source* is first read once to collect it;
            it is kept in memory.
        on_bad: called with every line that is skipped; `Reading.bad` counts them. Blank lines are not bad.
        since: a time with a zone, for speed: most events that began before it are skipped, but some may still come.

    Raises:
        FileNotFoundError: the file does not exist.
        TypeError: *source* is none of these, or *since* has no zone.
        ValueError: no reader knows the URL's scheme; or *feedback* is requested for standard input, which can be read
            only once.
    """
    if since is not None and getattr(since, "tzinfo", None) is None:
        raise TypeError(f"since is a datetime with a zone; got {since!r}")
    return search(source, None, feedback=feedback, on_bad=on_bad, since=since)


def search(
    source: Where | Iterable[Where],
    glance: Glance | None,
    *,
    feedback: bool = False,
    on_bad: OnBad | None = None,
    since: datetime | None = None,
) -> Reading:
    """Read as `read` does, but pass over the lines, unparsed, of which *glance* says no. Raises as `read`."""
    given = _listed(source)
    said = Annotations(remarks(given, since)) if feedback else None
    return Reading(glanced(_records(given, since), glance), on_bad, said)


def remarks(source: Where | Iterable[Where], since: datetime | None = None) -> Iterator[Event]:
    """Begin to read the events of *source* that say something about others: feedback, verdicts, moderations.

    What was said before *since* may be left out. All other lines are passed over unparsed, so this takes a fraction of
    the time of `read`. Raises as `read`.
    """
    given = _listed(source)
    if "-" in given:
        raise ValueError("feedback needs a second look, and standard input has but one")
    saying = glanced(_records(given, since), says)
    return (event for event in Reading(saying) if event["kind"] in SAYING)


def opened(source: Where | Iterable[Where]) -> list[Part]:
    """Return what reads each part of *source*, in order; logs in files, and nothing twice, where all of it is files.

    Raises as `read`.
    """
    found = [(find(where), where) for where in (os.fspath(one) for one in _listed(source))]
    if all(module is file for module, _ in found):
        # A shell expands genai.log* to the newest first.
        return [(file, log) for log in file.logs(where for _, where in found)]
    return [part for module, where in found for part in (opened(where) if module is file else [(module, where)])]


def _listed(source: Where | Iterable[Where]) -> list[Where]:
    if isinstance(source, (str, os.PathLike)):
        return [source]
    if isinstance(source, bytes) or not isinstance(source, Iterable):
        raise TypeError(f"a source is a path, a URL, or a list of these; got {type(source).__name__}")
    return [*source]


def _records(given: Iterable[Where], since: datetime | None) -> Iterator[bytes | JSON]:
    parts = opened(given)
    return chain.from_iterable([cast(ModuleType, module).records(where, since) for module, where in parts])


def is_blank(line: bytes) -> bool:
    """Tell whether *line* is one that readers pass over: it is neither a record nor what might have been one."""
    return not line.strip(_PADDING)


def says(line: bytes) -> bool:
    """Tell whether the record in *line* may say something about others: feedback, verdicts, moderations."""
    return any(kind in line for kind in _SAYING)


def glanced(records: Iterable[bytes | JSON], glance: Glance | None) -> Iterable[bytes | JSON]:
    """Return *records* without the lines, still unparsed, of which *glance* says no."""
    if glance is None:
        return records
    return (record for record in records if not isinstance(record, bytes) or glance(record))


def parse(record: bytes | JSON) -> Event:
    """Turn one line (or an object) into an event; a flywheel document and a flat record are turned back into theirs.

    Raises:
        ValueError: it is not JSON, or not a record.
    """
    value = _dated(loads(record.strip(_PADDING)) if isinstance(record, bytes) else record)
    if not isinstance(value, dict) or not isinstance(value.get("timestamp"), str):
        raise ValueError("a record is a JSON object with a timestamp")
    if "kind" not in value and is_flat(value):
        return _shaped(from_flat(value))
    if isinstance(value.get("kind"), str):
        return _shaped(cast(Event, value))
    if not set(value) <= set(FLYWHEEL_KEYS):
        raise ValueError("a record has a kind, or is a flat one, or has the keys of a flywheel document and no other")
    response = value.get("response")
    if isinstance(response, dict) and "flywheel_log" in response:
        return _shaped(from_document(value))
    return _shaped(cast(Event, {**value, "kind": "llm"}))  # another logger's: a null is told from what is missing


def _dated(value: object) -> object:
    """Write the time of a flywheel document in ISO 8601 where another logger wrote (milli)seconds since 1970."""
    if not isinstance(value, dict) or "request" not in value or not set(value) <= _OF_OTHERS:
        return value
    at = value.get("timestamp")
    if not isinstance(at, (int, float)) or isinstance(at, bool):
        return value
    seconds = at if at < _AS_MILLISECONDS else at / 1000
    return {**value, "timestamp": timestamp(seconds)} if 0 < seconds < _AS_MILLISECONDS else value


def _shaped(event: Event) -> Event:
    """Let no reader stumble over a value that is not what `Event` says; null passes for unknown."""
    for key, value in event.items():
        if not fits(key, value):
            raise ValueError(f"a record's {key} is no {type(value).__name__}")
    return event
