"""Add to lines on their way to a sink what takes too long to find out in the program's own call, such as a price."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import orjson

from ..event import JSON
from ..health import health
from ..serialise import UNREAD, Prepared, dumps, loads

Enrich = Callable[[JSON], JSON]
Prepare = Callable[[bytes, JSON], object]

# Each step is done to a few lines in turn: the code of all steps is more than a processor's first cache holds, and the
# parsed events of a whole batch are more than its second one does.
_TOGETHER = 16


def enriched(lines: Sequence[bytes], enrich: Enrich | None, prepare: Prepare | None = None) -> Sequence[bytes]:
    """Return *lines* with what *enrich* says about each of them.

    What is added is spliced in, so that the rest of a line stays byte for byte; a line is written anew where something
    in it is replaced, or where only lenient parsers read it. A line that *enrich* fails at goes on unchanged, and is
    counted as `enrich`.

    Args:
        lines: events.
        enrich: tells what to add to an event; it takes `unread` out of one that it has read.
        prepare: makes what a sink wants of the line and its event, which it may use up, so that it need not parse the
            line again; see `Prepared`.
    """
    if enrich is None:
        return lines
    done: list[bytes] = []
    for at in range(0, len(lines), _TOGETHER):
        understood = [_understood(line, enrich) for line in lines[at : at + _TOGETHER]]
        done += [_prepared(line, event, prepare) for line, event in understood]
    return done


def _understood(line: bytes, enrich: Enrich) -> tuple[bytes, JSON | None]:
    """The line as it goes on, and its event; None where it cannot be told."""
    try:
        event, strict = _parsed(line)
        if "unread" in event:
            line = line.replace(UNREAD, b"", 1)
        more = enrich(event)
        if strict and event.keys().isdisjoint(more):
            if more:
                line = b"".join((line[:-1], b",", orjson.dumps(more)[1:]))
                event |= more
            return line, event
        line = dumps(json.loads(line) | more)  # Slower, and knows integers of any length.
        return line, orjson.loads(line)
    except Exception as error:  # noqa: BLE001 - what is missing is a figure; the event is what counts
        health.drop("enrich", error)
        return line, None


def _prepared(line: bytes, event: JSON | None, prepare: Prepare | None) -> bytes:
    try:
        return line if event is None or prepare is None else Prepared.of(line, prepare(line, event))
    except Exception as error:  # noqa: BLE001 - the sink will meet it again, and say so
        health.drop("enrich", error)
        return line


def _parsed(line: bytes) -> tuple[JSON, bool]:
    """The event in *line*, and whether every parser reads it: an answer is kept as it came, NaN and all."""
    try:
        return orjson.loads(line), True
    except ValueError:
        return loads(line), False
