"""Add to lines on their way to a sink what takes too long to find out in the program's own call, such as a price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import orjson

from ..event import JSON, Event
from ..health import health

Enrich = Callable[[Event], JSON]


def enriched(lines: Sequence[bytes], enrich: Enrich | None) -> Sequence[bytes]:
    """Return *lines* with what *enrich* says about each of them, spliced in; the rest of a line stays byte for byte.

    A line that *enrich* fails at goes on unchanged, and is counted as `enrich`.
    """
    return lines if enrich is None else [_enriched(line, enrich) for line in lines]


def _enriched(line: bytes, enrich: Enrich) -> bytes:
    try:
        event: JSON = orjson.loads(line)
        more = {key: value for key, value in enrich(cast(Event, event)).items() if key not in event}
        return line[:-1] + b"," + orjson.dumps(more)[1:] if more else line
    except Exception as error:  # noqa: BLE001 - what is missing is a figure; the event is what counts
        health.drop("enrich", error)
        return line
