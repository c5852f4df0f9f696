"""Add to lines on their way to a sink what takes too long to find out in the program's own call, such as a price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import orjson

from ..event import JSON, Event
from ..health import health
from ..serialise import UNREAD, Prepared, dumps, loads

Enrich = Callable[[Event], JSON]
Prepare = Callable[[bytes, JSON], object]


def enriched(lines: Sequence[bytes], enrich: Enrich | None, prepare: Prepare | None = None) -> Sequence[bytes]:
    """Return *lines* with what *enrich* says about each of them.

    What is added is spliced in, so that the rest of a line stays byte for byte; a line is written anew where something
    in it is replaced, or where only lenient parsers read it. A line that *enrich* fails at goes on unchanged, and is
    counted as `enrich`.

    Args:
        lines: events.
        enrich: tells what to add to an event; it takes `unread` out of one that it has read.
        prepare: makes what a sink wants of the line and its event, so that it need not parse the line again; see
            `Prepared`. It is done line by line: a batch of parsed events is more than the processor's caches hold.
    """
    return lines if enrich is None else [_enriched(line, enrich, prepare) for line in lines]


def _enriched(line: bytes, enrich: Enrich, prepare: Prepare | None) -> bytes:
    try:
        event, strict = _parsed(line)
        if "unread" in event:
            line = line.replace(UNREAD, b"", 1)
        more = enrich(cast(Event, event))
        if strict and event.keys().isdisjoint(more):
            line = line[:-1] + b"," + orjson.dumps(more)[1:] if more else line
            event |= more
        else:
            line = dumps(event | more)
            event = orjson.loads(line)
        return line if prepare is None else Prepared.of(line, prepare(line, event))
    except Exception as error:  # noqa: BLE001 - what is missing is a figure; the event is what counts
        health.drop("enrich", error)
        return line


def _parsed(line: bytes) -> tuple[JSON, bool]:
    """The event in *line*, and whether every parser reads it: an answer is kept as it came, NaN and all."""
    try:
        return orjson.loads(line), True
    except ValueError:
        return loads(line), False
