"""Questions to an index of Elasticsearch, and the events in its answers."""

from __future__ import annotations

from flywheel_log.event import JSON
from flywheel_log.sinks.elasticsearch.cluster import Answer, Cluster, Unreachable
from flywheel_log.sinks.elasticsearch.document import event_of

PAGE = 500
SEARCH = "/_search?filter_path=hits.hits,_shards.failed"
OK, UNSORTABLE, MISSING = 200, 400, 404


def event_in(source: JSON) -> JSON:
    """The event of a document; a stub whose text is no event is what it is, for the reader to count as bad."""
    try:
        return event_of(source)
    except ValueError:
        return source


def ask(
    cluster: Cluster, method: str, path: str, body: bytes | JSON | None = None, also: tuple[int, ...] = ()
) -> Answer:
    """Return the answer to one request: a success, a 404, or one of the statuses *also*.

    Raises:
        ConnectionError: there was none, or another one.
    """
    try:
        answer = cluster.request(method, path, body)
    except Unreachable as error:
        raise ConnectionError(f"Elasticsearch at {cluster.servers} does not answer: {error}") from error
    if answer.status not in (OK, MISSING, *also):
        raise ConnectionError(
            f"Elasticsearch at {cluster.servers} answers HTTP {answer.status} to {method} {path.partition('?')[0]}"
        )
    return answer
