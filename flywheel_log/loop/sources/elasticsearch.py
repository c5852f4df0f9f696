"""Records from Elasticsearch: `elasticsearch://host:9200/index`, calls and annotations, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flywheel_log.event import JSON
from flywheel_log.sinks.elasticsearch.cluster import Answer, Cluster, Unreachable
from flywheel_log.sinks.elasticsearch.document import event_of
from flywheel_log.sinks.elasticsearch.target import target

_PAGE = 500
_KEEP_ALIVE = "2m"
_SEARCH = "/_search?filter_path=hits.hits,_shards.failed"
_BY_TIME = [{"timestamp": {"order": "asc", "unmapped_type": "date"}}, "_shard_doc"]
_AS_STORED = ["_shard_doc"]
_OK, _UNSORTABLE, _MISSING = 200, 400, 404


def records(source: str, since: datetime | None = None) -> Iterator[JSON]:
    """Begin to read the events of the index and of its annotations, as they are at this moment, sorted by time.

    Those that began before *since* are left out. Only an index whose timestamps cannot be sorted, being text, is read
    in the order it was stored, and all of it.

    Raises:
        FileNotFoundError: there is no such index.
        ConnectionError: the server does not answer, or does not let us in.
        ValueError: something in the URL or the environment is wrong.
    """
    where = target(source)
    cluster = Cluster(where)
    path = f"/{where.index},{where.annotations}/_pit?keep_alive={_KEEP_ALIVE}&ignore_unavailable=true"
    if _ask(cluster, "GET", f"/{where.index}").status == _MISSING:
        raise FileNotFoundError(f"Elasticsearch at {', '.join(where.nodes)} has no index {where.index}")
    return _pages(cluster, _ask(cluster, "POST", path).body["id"], since)


def _pages(cluster: Cluster, moment: str, since: datetime | None) -> Iterator[JSON]:
    query: dict[str, Any] = {
        "size": _PAGE,
        "pit": {"id": moment, "keep_alive": _KEEP_ALIVE},
        "sort": _BY_TIME,
        "track_total_hits": False,
    }
    if since:
        query["query"] = {"range": {"timestamp": {"gte": since.isoformat()}}}
    try:
        while hits := _page(cluster, query):
            for hit in hits:
                yield _event(hit["_source"])
            query["search_after"] = hits[-1]["sort"]
    finally:
        _ask(cluster, "DELETE", "/_pit", {"id": moment})
        cluster.close()


def _page(cluster: Cluster, query: dict[str, Any]) -> list[JSON]:
    """The next hits; an index that cannot sort, its timestamp being text, is read in the order it was stored."""
    first = "search_after" not in query and query["sort"] is _BY_TIME
    answer = _ask(cluster, "POST", _SEARCH, query, also=(_UNSORTABLE,) if first else ())
    if first and (answer.status == _UNSORTABLE or _failed(answer)):
        query["sort"] = _AS_STORED
        query.pop("query", None)
        answer = _ask(cluster, "POST", _SEARCH, query)
    if failed := _failed(answer):
        raise ConnectionError(f"Elasticsearch cannot read {failed} shards of the index; is it whole?")
    hits: list[JSON] = answer.body.get("hits", {}).get("hits", [])
    return hits


def _failed(answer: Answer) -> int:
    """How many shards the answer, for all its 200, does not speak for."""
    return int(answer.body.get("_shards", {}).get("failed", 0))


def _event(source: JSON) -> JSON:
    """The event of a document; a stub whose text is no event is what it is, for the reader to count as bad."""
    try:
        return event_of(source)
    except ValueError:
        return source


def _ask(
    cluster: Cluster, method: str, path: str, body: dict[str, Any] | None = None, also: tuple[int, ...] = ()
) -> Answer:
    try:
        answer = cluster.request(method, path, body)
    except Unreachable as error:
        raise ConnectionError(f"Elasticsearch does not answer: {error}") from error
    if answer.status not in (_OK, _MISSING, *also):
        raise ConnectionError(f"Elasticsearch answers HTTP {answer.status} to {method} {path.partition('?')[0]}")
    return answer
