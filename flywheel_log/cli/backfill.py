"""`flywheel-log backfill genai.log`: what is in a log, into Elasticsearch, however often it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

import orjson
import typer

from flywheel_log.counted import counted
from flywheel_log.event import Event
from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.document import MOST_DOCUMENTS

from ._deliver import Into, Timeout, deliver, where
from ._source import Sources, reading


def command(sources: Sources = None, *, into: Into = "elasticsearch:", timeout: Timeout = 60.0) -> None:
    """Load a log into Elasticsearch.

    Every event becomes one document with the event's own id, so a second run, or one while the program still delivers,
    makes no duplicates. The source may be an index: this moves an old index into one with the right mapping.
    """
    target = where(into)
    sink = ElasticsearchSink(target)
    with reading(sources) as events:
        for batch in _batches(events):
            deliver(sink, batch, timeout)
    sink.close()
    stats = sink.stats()
    stored, known = stats.get("stored", 0), stats.get("duplicates", 0)
    dead = f"; {stats['dead']} were refused, see `flywheel-log dead-letters`" if stats.get("dead") else ""
    typer.echo(f"{counted(stored, 'event')} in {target.index}, {known:,} of them from before{dead}")


def _batches(events: Iterator[Event]) -> Iterator[list[bytes]]:
    while batch := [_line(event) for event in islice(events, MOST_DOCUMENTS)]:
        yield batch


def _line(event: Event) -> bytes:
    try:
        return orjson.dumps(event)
    except orjson.JSONEncodeError:  # lone surrogates, huge numbers
        return json.dumps(event).encode()
