"""`log_retrieval`: which documents were found, how well they fit, and that the calls which follow knew them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from numbers import Real
from typing import Any, cast

from .. import scope
from ..clock import timestamp
from ..event import JSON, Event
from ..fields import fields_of
from ..health import guarded
from ..place import place_of
from ..recorder import record

REMEMBERED = 200
"""How many documents of one trace (or block) are stamped on its calls; the latest count."""

# What frameworks call the parts of a document, the usual names first.
_NAMES = {
    "id": ("id", "_id", "doc_id", "document_id", "node_id"),
    "text": ("text", "page_content", "content", "document"),
    "score": ("score", "_score", "similarity", "relevance_score"),
    "source": ("source", "url", "uri", "file_name", "title"),
    "embedding": ("embedding", "vector"),
}
_REFERENCE = ("id", "score", "source")
_lock = threading.RLock()


def _unlock() -> None:
    """In a forked child, which does not have the thread that may hold the lock."""
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_unlock)


@guarded("retrieval")
def log_retrieval(
    documents: Iterable[Any],
    *,
    query: str | None = None,
    scores: Sequence[float | None] | None = None,
    sources: Sequence[str | None] | None = None,
    embeddings: Sequence[Any] | None = None,
    query_embedding: Any = None,
    latency_ms: float | None = None,
    **fields: Any,
) -> str | None:
    """Record what was retrieved, as an event of the kind `retrieval`, and name it on the calls that follow.

    The calls of the same trace, or without one of the same `context` block or `@logged_llm` function, carry id, score
    and source of each document as `retrieval_docs`; the texts stand in this event only.

    Args:
        documents: strings, dictionaries, objects of a framework (`page_content`, `text`, `metadata`, `score` …), or
            pairs of one of these and its score.
        query: what was searched for.
        scores: how well each document fits, where the documents do not say it.
        sources: where each comes from, likewise.
        embeddings: the vector of each; kept as the setting `embeddings` says.
        query_embedding: the vector that was searched with.
        latency_ms: how long the search took, in milliseconds.
        **fields: what `context` takes.

    Returns:
        The id of the event, or None where nothing was recorded. Never raises: what cannot be read is counted.
    """
    if scope.suppressed():
        return None
    columns = {"score": scores, "source": sources, "embedding": embeddings}
    several = [documents] if isinstance(documents, str | Mapping) else documents
    found = [_document(one) | _row(columns, at) for at, one in enumerate(several)]
    request = {"query": query, "embedding": query_embedding}
    event: JSON = {
        "timestamp": timestamp(time.time()),
        "kind": "retrieval",
        **scope.merge(scope.at_call(), fields_of(**fields)),
        "request": {key: value for key, value in request.items() if value is not None},
        "retrieval_docs": found,
    }
    if latency_ms is not None:
        event["latency_ms"] = latency_ms
    identity = record(cast(Event, event))
    _remember(found, identity)
    return identity


def _remember(found: list[JSON], identity: str | None) -> None:
    place = place_of(scope.current())
    if place is None:
        return
    origin = {"retrieval": identity} if identity else {}
    references = [{key: one[key] for key in _REFERENCE if key in one} | origin for one in found]
    fresh = set(map(_name_of, references))
    with _lock:
        kept = [one for one in place.documents if _name_of(one) not in fresh]
        place.documents[:] = [*kept, *references][-REMEMBERED:]


def _name_of(reference: JSON) -> str:
    """What a document is found again by; its id and source are whatever the program says, also a list or an object."""
    return repr((reference["id"], reference.get("source")))


def _row(columns: Mapping[str, Sequence[Any] | None], at: int) -> JSON:
    """What the lists beside the documents say of the one *at* that place; they may be shorter, and know nothing."""
    row = {name: column[at] for name, column in columns.items() if column is not None and at < len(column)}
    return {name: value for name, value in row.items() if value is not None}


def _document(given: Any) -> JSON:
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], Real):  # noqa: PLR2004 - a pair
        return _document(given[0]) | {"score": given[1]}
    if isinstance(given, str):
        return {"id": _id_of(given), "text": given}
    metadata = _part(given, "metadata")
    document: JSON = {}
    for key, names in _NAMES.items():
        value = next((part for name in names if (part := _part(given, name)) is not None), None)
        if value is None and isinstance(metadata, Mapping) and key != "text":
            value = next((metadata[name] for name in names if metadata.get(name) is not None), None)
        if value is not None:
            document[key] = value
    if isinstance(metadata, Mapping) and metadata:
        document["metadata"] = dict(metadata)
    document.setdefault("id", _id_of(str(document.get("text", given))))
    return document


def _part(given: Any, name: str) -> Any:
    value = given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)
    return None if callable(value) else value


def _id_of(text: str) -> str:
    """An id for a document that has none: equal texts have equal ones."""
    return "doc-" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
