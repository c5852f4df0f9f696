"""Records from Elasticsearch: `elasticsearch://host:9200/index`, calls and annotations, oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from flywheel_log.event import JSON
from flywheel_log.loop import progress
from flywheel_log.sinks.elasticsearch.cluster import Answer, Cluster
from flywheel_log.sinks.elasticsearch.target import Target, target

from ._growing import Growing
from ._index import MISSING, PAGE, SEARCH, UNSORTABLE, ask, event_in

_KEEP_ALIVE = "2m"
_BY_TIME = [{"timestamp": {"order": "asc", "unmapped_type": "date"}}, "_shard_doc"]
_NEWEST_FIRST = [{"timestamp": {"order": "desc", "unmapped_type": "date"}}, {"_shard_doc": "desc"}]
_AS_STORED = ["_shard_doc"]


def records(source: str, since: datetime | None = None) -> Iterator[JSON]:
    """Begin to read the events of the index and of its annotations, as they are at this moment, sorted by time.

    Those that began before *since* are left out. Only an index whose timestamps cannot be sorted, being text, is read
    in the order it was stored, and all of it.

    Raises:
        FileNotFoundError: there is no such index.
        ConnectionError: the server does not answer, or does not let us in.
        ValueError: something in the URL or the environment is wrong.
    """
    found = _begun(source, {"sort": _BY_TIME, **_from(since)})
    if progress.heard():
        progress.begin(count(source), "records")
    return found


def backwards(source: str, since: datetime | None = None) -> Iterator[JSON]:
    """Begin to read the same events, the newest first, page by page: the last few take no longer in a large index.

    Raises as `records`.
    """
    return _begun(source, {"sort": _NEWEST_FIRST, **_from(since)})


def count(source: str) -> int:
    """Return how many events the index and its annotations hold at this moment. Raises as `records`."""
    where = target(source)
    cluster = Cluster(where)
    try:
        answer = ask(cluster, "GET", f"/{where.index},{where.annotations}/_count?ignore_unavailable=true")
        return int(answer.body["count"])
    finally:
        cluster.close()


def growing(source: str) -> Growing:
    """Begin to watch the index and its annotations, which need not be there yet.

    Raises:
        ValueError: something in the URL or the environment is wrong.
    """
    return Growing(target(source))


def hits(cluster: Cluster, where: Target, query: JSON, fields: Sequence[str]) -> Iterator[JSON]:
    """Yield the documents of the index and of its annotations that *query* finds, with those *fields* of theirs only.

    They are as they are at this moment, in no order; none if there are no such indices. Each has its `_index`, its
    `_id` and its `_source`.

    Raises:
        ConnectionError: the server does not answer, or does not let us in.
    """
    return _hits(cluster, where, {"sort": _AS_STORED, "query": query, "_source": list(fields)})


def _from(since: datetime | None) -> JSON:
    return {"query": {"range": {"timestamp": {"gte": since.isoformat()}}}} if since else {}


def _begun(source: str, search: JSON) -> Iterator[JSON]:
    where = target(source)
    cluster = Cluster(where)
    if ask(cluster, "GET", f"/{where.index}").status == MISSING:
        raise FileNotFoundError(f"Elasticsearch at {', '.join(where.nodes)} has no index {where.index}")
    return _events(cluster, _hits(cluster, where, search))


def _hits(cluster: Cluster, where: Target, search: JSON) -> Iterator[JSON]:
    path = f"/{where.index},{where.annotations}/_pit?keep_alive={_KEEP_ALIVE}&ignore_unavailable=true"
    moment = ask(cluster, "POST", path).body["id"]
    return _pages(cluster, moment, search)


def _pages(cluster: Cluster, moment: str, search: JSON) -> Iterator[JSON]:
    query = {"size": PAGE, "pit": {"id": moment, "keep_alive": _KEEP_ALIVE}, "track_total_hits": False, **search}
    try:
        while found := _page(cluster, query):
            yield from found
            query["search_after"] = found[-1]["sort"]
    finally:
        ask(cluster, "DELETE", "/_pit", {"id": moment})


def _events(cluster: Cluster, found: Iterator[JSON]) -> Iterator[JSON]:
    try:
        for hit in found:
            progress.advance(1)
            yield event_in(hit["_source"])
    finally:
        cluster.close()


def _page(cluster: Cluster, query: JSON) -> list[JSON]:
    """The next hits; an index that cannot sort, its timestamp being text, is read in the order it was stored."""
    first = "search_after" not in query and query["sort"] in (_BY_TIME, _NEWEST_FIRST)
    answer = ask(cluster, "POST", SEARCH, query, also=(UNSORTABLE,) if first else ())
    if first and (answer.status == UNSORTABLE or _failed(answer)):
        query["sort"] = query["sort"][1:]
        query.pop("query", None)
        answer = ask(cluster, "POST", SEARCH, query)
    if failed := _failed(answer):
        raise ConnectionError(f"Elasticsearch cannot read {failed} shards of the index; is it whole?")
    found: list[JSON] = answer.body.get("hits", {}).get("hits", [])
    return found


def _failed(answer: Answer) -> int:
    """How many shards the answer, for all its 200, does not speak for."""
    return int(answer.body.get("_shards", {}).get("failed", 0))
