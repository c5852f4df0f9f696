"""Questions to an index of Elasticsearch, and the events in its answers."""

from __future__ import annotations

import time

from flywheel_log.delivery.retry import Backoff
from flywheel_log.event import JSON
from flywheel_log.process.randomness import rng
from flywheel_log.sinks.elasticsearch.cluster import Answer, Cluster, Unreachable
from flywheel_log.sinks.elasticsearch.document import event_of

PAGE = 500
SEARCH = "/_search?filter_path=hits.hits,_shards.failed"
OK, UNSORTABLE, MISSING = 200, 400, 404
_REJECTED, _UNAVAILABLE = 429, (502, 503, 504)
_PATIENCE_S = 10.0


def event_in(source: JSON) -> JSON:
    """The event of a document; a stub whose text is no event is returned as it is, for the reader to count as bad."""
    try:
        return event_of(source)
    except ValueError:
        return source


def hits_in(answer: Answer) -> list[JSON]:
    """Return what a search has found; nothing where there is no such index."""
    found: list[JSON] = answer.body.get("hits", {}).get("hits", [])
    return found


def ask(
    cluster: Cluster,
    method: str,
    path: str,
    body: bytes | JSON | None = None,
    also: tuple[int, ...] = (),
    *,
    moves: bool = False,
) -> Answer:
    """Return the answer to one request: a success, a 404, or one of the statuses *also*.

    A server that is busy or late is asked again for a while; to do what *moves* something there, as reading on does,
    only where it has surely not done so.

    Raises:
        ConnectionError: there was none, or another one.
    """
    give_up, backoff = time.monotonic() + _PATIENCE_S, Backoff(rng.random)
    while _passing(found := _once(cluster, method, path, body), moves=moves) and time.monotonic() < give_up:
        time.sleep(min(_PATIENCE_S, backoff.delay(getattr(found, "after", None))))
    if isinstance(found, Unreachable):
        raise ConnectionError(f"Elasticsearch at {cluster.servers} does not answer: {found}") from found
    if found.status not in (OK, MISSING, *also):
        raise ConnectionError(
            f"Elasticsearch at {cluster.servers} answers HTTP {found.status} to {method} {path.partition('?')[0]}"
        )
    return found


def _once(cluster: Cluster, method: str, path: str, body: bytes | JSON | None) -> Answer | Unreachable:
    try:
        return cluster.request(method, path, body)
    except Unreachable as error:
        return error


def _passing(found: Answer | Unreachable, *, moves: bool) -> bool:
    """Whether the next answer may be another one."""
    if isinstance(found, Unreachable):
        return found.timeout and not moves
    return found.status == _REJECTED or (found.status in _UNAVAILABLE and not moves)
