"""Records of a person in Elasticsearch: found by their fields, or one by one where these cannot be searched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import cast

import orjson

from flywheel_log.event import JSON, Event
from flywheel_log.sinks import RetryLater
from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.cluster import Cluster
from flywheel_log.sinks.elasticsearch.document import event_of
from flywheel_log.sinks.elasticsearch.mapping import KEYWORD
from flywheel_log.sinks.elasticsearch.target import Target

from ..reading.sources._index import ask
from ..reading.sources.elasticsearch import hits
from .person import Person
from .places import Place

_OURS = "response.flywheel_log"
_SEARCHED = ("user_id", "target", "trace_id", "refused")
_READ = (*_SEARCHED, "id", "kind", "span_id", "metadata", "tags", "raw")
_FIELDS = ("timestamp", "response.id", *(f"{_OURS}.{name}" for name in _READ))
_MOST_TERMS = 50_000
_MOST_IDS = 1_000


class Index(Place):
    """The index of the calls and that of their annotations.

    Where the mapping is ours, candidates are searched, and documents that were stored as their own text (stubs) looked
    at; where it is not, every document is.
    """

    remains = "a program still records this user there, or documents could not be deleted"

    def __init__(self, where: Target) -> None:
        self._where = where
        self._cluster = Cluster(where)
        self._both = f"/{where.index},{where.annotations}"
        self.name = f"{where.nodes[0]}/{where.index} and its annotations"

    def records(self, person: Person) -> Iterator[Event]:
        """Yield what may be the person's, or mention them. Raises ConnectionError if the server does not answer."""
        return (event for _, event in self._candidates(person))

    def remove(self, person: Person) -> int:
        """Delete the person's documents. Raises as `records`."""
        theirs: defaultdict[str, list[str]] = defaultdict(list)
        for hit, event in self._candidates(person):
            if person.owns(event):
                theirs[hit["_index"]].append(hit["_id"])
        return sum(
            self._delete(index, ids[start : start + _MOST_IDS])
            for index, ids in theirs.items()
            for start in range(0, len(ids), _MOST_IDS)
        )

    def note(self, reports: Sequence[bytes]) -> None:
        """Store *reports* among the annotations, if there is an index. Raises as `records`."""
        if not ask(self._cluster, "GET", f"{self._both}/_mapping?ignore_unavailable=true").body:
            return
        sink = ElasticsearchSink(self._where)
        try:
            left = sink.write(reports)
        except RetryLater as later:
            raise ConnectionError(f"Elasticsearch does not take what was forgotten: {later.reason}") from later
        finally:
            sink.close()
        if left:
            raise ConnectionError("Elasticsearch does not take all that was forgotten")

    def close(self) -> None:
        """Close the connections."""
        self._cluster.close()

    def _candidates(self, person: Person) -> Iterator[tuple[JSON, Event]]:
        ask(self._cluster, "POST", f"{self._both}/_refresh?ignore_unavailable=true")
        query = _query(person) if self._is_searchable(person) else {"match_all": {}}
        for hit in hits(self._cluster, self._where, query, _FIELDS):
            yield hit, _event(hit["_source"])

    def _is_searchable(self, person: Person) -> bool:
        if any(len(name.encode()) > KEYWORD["ignore_above"] for name in person.names):
            return False
        answer = ask(self._cluster, "GET", f"{self._both}/_mapping?ignore_unavailable=true")
        return all(_has_our_fields(one.get("mappings", {})) for one in answer.body.values())

    def _delete(self, index: str, ids: list[str]) -> int:
        lines = b"".join(orjson.dumps({"delete": {"_id": one}}, option=orjson.OPT_APPEND_NEWLINE) for one in ids)
        answer = ask(self._cluster, "POST", f"/{index}/_bulk?refresh=true&filter_path=items.delete.result", lines)
        return sum(item["delete"].get("result") == "deleted" for item in (answer.body or {}).get("items", ()))


def _query(person: Person) -> JSON:
    """What finds all of the person's documents, and some others: each is looked at before it goes."""
    wanted = [{"exists": {"field": f"{_OURS}.refused"}}]
    wanted += [{"term": {f"{_OURS}.metadata": name}} for name in sorted(person.names)]
    if person.mask:
        wanted.append({"prefix": {f"{_OURS}.user_id": person.mask.partition("]")[0]}})
    for name, values in (("user_id", person.names), ("target", person.calls), ("trace_id", person.traces)):
        wanted += _terms(name, values)
    return {"bool": {"should": wanted}}


def _terms(name: str, values: Collection[str]) -> list[JSON]:
    ordered = sorted(values)
    groups = (ordered[start : start + _MOST_TERMS] for start in range(0, len(ordered), _MOST_TERMS))
    return [{"terms": {f"{_OURS}.{name}": group}} for group in groups]


def _has_our_fields(mappings: JSON) -> bool:
    known = mappings
    for name in _OURS.split("."):
        known = known.get("properties", {}).get(name, {})
    types = {name: field.get("type") for name, field in known.get("properties", {}).items()}
    return types.get("metadata") == "flattened" and all(types.get(name) == "keyword" for name in _SEARCHED)


def _event(source: JSON) -> Event:
    try:
        return cast(Event, event_of(source))
    except ValueError:  # a stub whose text is no JSON: only its text can tell
        return cast(Event, {"kind": "llm", "metadata": source})
