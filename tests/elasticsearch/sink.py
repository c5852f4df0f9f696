"""An index of a test server as a sink, and as a source."""

from __future__ import annotations

import time
from collections.abc import Callable

from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.target import target


def url_of(server: str, index: str, **options: object) -> str:
    """The URL of *index* on the *server* of this HTTP URL, with the *options* of a sink."""
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{server.replace('http://', 'elasticsearch://')}/{index}?{query}".removesuffix("?")


def sink_at(
    server: str, index: str, clock: Callable[[], float] = time.monotonic, **options: object
) -> ElasticsearchSink:
    return ElasticsearchSink(target(url_of(server, index, **options)), clock)
