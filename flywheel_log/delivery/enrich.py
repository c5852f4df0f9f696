"""Add to lines on their way to a sink what takes too long to compute in the program's own call, such as a price."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from ..event import JSON
from ..health import health
from ..serialise import UNREAD, dumps, is_json, loads

Enrich = Callable[[Sequence[JSON]], Sequence[JSON]]
Prepare = Callable[[Sequence[bytes], Sequence[JSON]], Sequence[Any]]

# Each step is done to a few lines in turn: the code of all steps is more than a processor's first cache holds, and the
# parsed events of a whole batch are more than its second one does.
_TOGETHER = 16


def enriched(lines: Sequence[bytes], enrich: Enrich | None, prepare: Prepare | None = None) -> Sequence[Any]:
    """Return *lines* with what *enrich* says about each of them.

    What is added is spliced in, so that the rest of a line stays byte for byte; a line is written anew where something
    in it is replaced, or where only lenient parsers read it. A line that *enrich* fails at goes on unchanged, and is
    counted as `enrich`.

    Args:
        lines: events.
        enrich: tells what to add to each of some events; it takes `unread` out of one that it has read.
        prepare: makes what a sink wants of some lines and their events, which it may use up, so that it need not parse
            the lines again; what it makes is returned in their place.
    """
    if enrich is None:
        return lines
    done: list[Any] = []
    for at in range(0, len(lines), _TOGETHER):
        some = lines[at : at + _TOGETHER]
        try:
            done += _together(some, enrich, prepare)
        except Exception:  # noqa: BLE001 - of one of them, which is looked for
            done += [_alone(line, enrich, prepare) for line in some]
    return done


def _together(lines: Sequence[bytes], enrich: Enrich, prepare: Prepare | None) -> Sequence[Any]:
    """Enrich lines that every parser reads, as nearly all are."""
    events = [orjson.loads(line) for line in lines]
    whole = _cut(lines, events)
    found = enrich(events)
    whole = [_told(*one) for one in zip(whole, events, found, strict=True)]
    return whole if prepare is None else prepare(whole, events)


def _cut(lines: Sequence[bytes], events: Sequence[JSON]) -> list[bytes]:
    """Return *lines* without the mark `UNREAD`."""
    return [
        line.replace(UNREAD, b"", 1) if "unread" in event else line for line, event in zip(lines, events, strict=True)
    ]


def _told(line: bytes, event: JSON, more: JSON) -> bytes:
    """Return *line* with the fields *more*; they are added to *event* as well."""
    if not more:
        return line
    if event.keys().isdisjoint(more):
        event |= more
        return b"%b,%b" % (line[:-1], orjson.dumps(more)[1:])
    line = _anew(line, more)
    event.clear()
    event |= orjson.loads(line)
    return line


def _anew(line: bytes, more: JSON) -> bytes:
    return dumps(json.loads(line) | more)  # Slower, and knows integers of any length.


def _alone(line: bytes, enrich: Enrich, prepare: Prepare | None) -> Any:
    """Enrich a line that may be no strict JSON, for answers are kept as they came, or that *enrich* fails at."""
    whole = line
    try:
        event = loads(line)
        [whole] = _cut([line], [event])
        [more] = enrich([event])
        if not is_json(line):
            whole, more = _anew(whole, more), {}
            event = orjson.loads(whole)
        whole = _told(whole, event, more)
        return whole if prepare is None else prepare([whole], [event])[0]
    except Exception as error:  # noqa: BLE001 - what is missing is a figure; the event is what counts
        health.drop("enrich", error)
        return whole
