"""`flywheel-log backfill genai.log`: what is in a log, into Elasticsearch, however often it is run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from flywheel_log.event import Event
from flywheel_log.serialise import dumps_loaded
from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.document import MOST_DOCUMENTS
from flywheel_log.wording import counted

from . import Problem
from ._deliver import Into, Timeout, deliver, where
from ._records import Records
from ._screen import put
from ._source import AsJson, Sources


def command(
    sources: Sources = None, *, into: Into = "elasticsearch:", timeout: Timeout = 60.0, as_json: AsJson = False
) -> None:
    """Load a log into Elasticsearch.

    Every event becomes one document with the event's own id, so a second run, or one while the program still delivers,
    makes no duplicates. The source may be an index: this moves an old index into one with the right mapping. The exit
    code is 1 if Elasticsearch refused an event; these are kept as dead letters.
    """
    target = where(into)
    sink = ElasticsearchSink(target)
    with Records(sources).reading() as events:
        for batch in _batches(events):
            deliver(sink, batch, timeout)
    sink.close()
    stats = {name: sink.stats()[name] for name in ("stored", "duplicates", "dead")}
    words = f"{counted(stats['stored'], 'event')} in {target.index}, {stats['duplicates']:,} of them from before"
    put({"index": target.index, **stats}, words, as_json=as_json)
    if stats["dead"]:
        raise Problem(f"{counted(stats['dead'], 'event')} refused by Elasticsearch; see `flywheel-log dead-letters`")


def _batches(events: Iterator[Event]) -> Iterator[list[bytes]]:
    while batch := [*map(dumps_loaded, islice(events, MOST_DOCUMENTS))]:
        yield batch
