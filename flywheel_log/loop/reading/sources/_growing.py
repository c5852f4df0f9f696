"""An index of Elasticsearch while documents are added: what `follow` watches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from flywheel_log.event import JSON
from flywheel_log.sinks.elasticsearch.cluster import Cluster
from flywheel_log.sinks.elasticsearch.target import Target

from ._index import PAGE, SEARCH, UNSORTABLE, ask, event_in, hits_in

_LATEST_FIRST = [{"timestamp": {"order": "desc", "unmapped_type": "date"}}]
_MOST = 10_000
_LATE = 200


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
        path = f"/{self._where.index},{self._where.annotations}{SEARCH}&ignore_unavailable=true"
        answer = ask(
            self._cluster, "POST", path, {"size": min(count, _MOST), "sort": _LATEST_FIRST}, also=(UNSORTABLE,)
        )
        return iter([event_in(hit["_source"]) for hit in reversed(hits_in(answer))])

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
        found = ask(self._cluster, "GET", f"{names}/_settings?ignore_unavailable=true&{only}").body or {}
        settings = {name: one["settings"]["index"] for name, one in found.items() if "settings" in one}
        return [
            Shard(name, one["uuid"], number)
            for name, one in sorted(settings.items())
            for number in range(int(one["number_of_shards"]))
        ]

    def _new(self, shard: Shard, mark: Mark) -> Iterator[JSON]:
        at = mark.begin()
        while hits := self._search(
            shard, {"size": PAGE, "sort": ["_seq_no"], "query": {"range": {"_seq_no": {"gte": at}}}}
        ):
            for hit in hits:
                at = hit["sort"][0] + 1
                if mark.is_new(hit["sort"][0]):
                    yield event_in(hit["_source"])

    def _search(self, shard: Shard, query: dict[str, Any]) -> list[JSON]:
        path = f"/{shard.name}{SEARCH}&preference=_shards:{shard.number}"
        return hits_in(ask(self._cluster, "POST", path, {"track_total_hits": False, **query}))
