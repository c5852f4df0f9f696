"""Records from Elasticsearch: `elasticsearch://host:9200/index`, calls and annotations, oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from flywheel_log.event import JSON
from flywheel_log.loop.reading import progress
from flywheel_log.sinks.elasticsearch.cluster import Answer, Cluster, Unreachable
from flywheel_log.sinks.elasticsearch.target import Target, target

from ._growing import Growing
from ._index import MISSING, PAGE, SEARCH, UNSORTABLE, ask, event_in, hits_in

# Elastic would rather have points in time, but other servers have others: every version of each knows how to scroll.
_SCROLL = "/_search/scroll"
_KEEP_ALIVE = "10m"
_BY_TIME = [{"timestamp": {"order": "asc", "unmapped_type": "date"}}, "_doc"]
_NEWEST_FIRST = [{"timestamp": {"order": "desc", "unmapped_type": "date"}}, {"_doc": "desc"}]
_AS_STORED = ["_doc"]


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
    path = f"/{where.index},{where.annotations}{SEARCH},_scroll_id&scroll={_KEEP_ALIVE}&ignore_unavailable=true"
    return _pages(cluster, _first(cluster, path, {"size": PAGE, **search}))


def _first(cluster: Cluster, path: str, query: JSON) -> Answer:
    """The first page; an index that cannot sort, its timestamp being text, is read in the order it was stored."""
    timed = query["sort"] in (_BY_TIME, _NEWEST_FIRST)
    answer = ask(cluster, "POST", path, query, also=(UNSORTABLE,) if timed else ())
    if timed and (answer.status == UNSORTABLE or _failed(answer)):
        answer = ask(cluster, "POST", path, {"size": PAGE, "sort": query["sort"][1:]})
    return answer


def _pages(cluster: Cluster, answer: Answer) -> Iterator[JSON]:
    scroll = answer.body.get("_scroll_id")
    try:
        while found := _whole(answer):
            yield from found
            answer = ask(cluster, "POST", _SCROLL, {"scroll": _KEEP_ALIVE, "scroll_id": scroll}, moves=True)
            if answer.status == MISSING:
                raise ConnectionError(f"Elasticsearch at {cluster.servers} forgot where we were; read again")
            scroll = answer.body["_scroll_id"]
    finally:
        if scroll:
            _forget(cluster, scroll)


def _forget(cluster: Cluster, scroll: str) -> None:
    """Let the server forget where we were; one that does not listen forgets by itself, and all has been read."""
    try:
        cluster.request("DELETE", _SCROLL, {"scroll_id": scroll})
    except Unreachable:
        return


def _events(cluster: Cluster, found: Iterator[JSON]) -> Iterator[JSON]:
    try:
        for hit in found:
            progress.advance(1)
            yield event_in(hit["_source"])
    finally:
        cluster.close()


def _whole(answer: Answer) -> list[JSON]:
    """The hits of a page that speaks for all shards."""
    if failed := _failed(answer):
        raise ConnectionError(f"Elasticsearch cannot read {failed} shards of the index; is it whole?")
    return hits_in(answer)


def _failed(answer: Answer) -> int:
    """How many shards the answer, for all its 200, does not speak for."""
    return int(answer.body.get("_shards", {}).get("failed", 0))
