"""Records from Elasticsearch: `elasticsearch://host:9200/index`, calls and annotations, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from flywheel_log.event import JSON
from flywheel_log.sinks.elasticsearch.cluster import Answer, Cluster, Unreachable
from flywheel_log.sinks.elasticsearch.document import event_of
from flywheel_log.sinks.elasticsearch.target import Target, target

_PAGE = 500
_KEEP_ALIVE = "2m"
_SEARCH = "/_search?filter_path=hits.hits,_shards.failed"
_BY_TIME = [{"timestamp": {"order": "asc", "unmapped_type": "date"}}, "_shard_doc"]
_LATEST_FIRST = [{"timestamp": {"order": "desc", "unmapped_type": "date"}}]
_AS_STORED = ["_shard_doc"]
_MOST = 10_000
_LATE = 200
_OK, _UNSORTABLE, _MISSING = 200, 400, 404


def records(source: str) -> Iterator[JSON]:
    """Begin to read the events of the index and of its annotations, as they are at this moment, sorted by time.

    Only an index whose timestamps cannot be sorted, being text, is read in the order it was stored.

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
    return _pages(cluster, _ask(cluster, "POST", path).body["id"])


def count(source: str) -> int:
    """Return how many events the index and its annotations hold at this moment. Raises as `records`."""
    where = target(source)
    cluster = Cluster(where)
    try:
        answer = _ask(cluster, "GET", f"/{where.index},{where.annotations}/_count?ignore_unavailable=true")
        return int(answer.body["count"])
    finally:
        cluster.close()


def growing(source: str) -> Growing:
    """Begin to watch the index and its annotations, which need not be there yet.

    Raises:
        ValueError: something in the URL or the environment is wrong.
    """
    return Growing(target(source))


class Shard(NamedTuple):
    """One shard of one index; the unique id tells an index from the one of that name that was deleted."""

    name: str
    unique: str
    number: int


class Mark:
    """How far the numbers of a shard have been seen, from *first* on.

    Documents that are stored at the same time may be found in another order than they are numbered in, so that a few
    numbers before the last one are looked at again.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._next = first
        self._seen: set[int] = set()

    def begin(self) -> int:
        """Return the number to look from."""
        start = max(self._first, self._next - _LATE)
        self._seen = {number for number in self._seen if number >= start}
        return start

    def is_new(self, number: int) -> bool:
        """Say whether *number* has not been seen, and note that it has."""
        if number in self._seen:
            return False
        self._seen.add(number)
        self._next = max(self._next, number + 1)
        return True


class Growing:
    """An index while documents are added, in the order in which each of its shards numbers them.

    Their own timestamps say when calls began, and a call that took long comes after later ones.
    """

    interval_s = 1.0

    def __init__(self, where: Target) -> None:
        self._where = where
        self._cluster = Cluster(where)
        self._marks: dict[Shard, Mark] = {}

    def last(self, count: int) -> Iterator[JSON]:
        """Return the *count* latest events by time, and take all that is there as seen."""
        for shard in self._shards():
            newest = self._search(shard, {"size": 1, "sort": [{"_seq_no": "desc"}]})
            self._marks[shard] = Mark(newest[0]["sort"][0] + 1 if newest else 0)
        path = f"/{self._where.index},{self._where.annotations}{_SEARCH}&ignore_unavailable=true"
        answer = _ask(
            self._cluster, "POST", path, {"size": min(count, _MOST), "sort": _LATEST_FIRST}, also=(_UNSORTABLE,)
        )
        hits = answer.body.get("hits", {}).get("hits", [])
        return iter([_event(hit["_source"]) for hit in reversed(hits)])

    def new(self) -> Iterator[JSON]:
        """Yield what was added since the last time; nothing while the server does not answer."""
        try:
            for shard in self._shards():
                yield from self._new(shard, self._marks.setdefault(shard, Mark(0)))
        except ConnectionError:
            return

    def close(self) -> None:
        """Close the connections."""
        self._cluster.close()

    def _shards(self) -> list[Shard]:
        """The shards of the index and its annotations at this moment; an index made anew has others."""
        names = f"/{self._where.index},{self._where.annotations}"
        only = "filter_path=*.settings.index.uuid,*.settings.index.number_of_shards"
        found = _ask(self._cluster, "GET", f"{names}/_settings?ignore_unavailable=true&{only}").body or {}
        settings = {name: one["settings"]["index"] for name, one in found.items() if "settings" in one}
        return [
            Shard(name, one["uuid"], number)
            for name, one in settings.items()
            for number in range(int(one["number_of_shards"]))
        ]

    def _new(self, shard: Shard, mark: Mark) -> Iterator[JSON]:
        at = mark.begin()
        while hits := self._search(
            shard, {"size": _PAGE, "sort": ["_seq_no"], "query": {"range": {"_seq_no": {"gte": at}}}}
        ):
            for hit in hits:
                at = hit["sort"][0] + 1
                if mark.is_new(hit["sort"][0]):
                    yield _event(hit["_source"])

    def _search(self, shard: Shard, query: dict[str, Any]) -> list[JSON]:
        path = f"/{shard.name}{_SEARCH}&preference=_shards:{shard.number}"
        answer = _ask(self._cluster, "POST", path, {"track_total_hits": False, **query})
        hits: list[JSON] = answer.body.get("hits", {}).get("hits", [])
        return hits


def _pages(cluster: Cluster, moment: str) -> Iterator[JSON]:
    query: dict[str, Any] = {
        "size": _PAGE,
        "pit": {"id": moment, "keep_alive": _KEEP_ALIVE},
        "sort": _BY_TIME,
        "track_total_hits": False,
    }
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
