"""`log_retrieval`: which documents were found, how well they match, and that the following calls had them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from .. import scope
from ..clock import timestamp
from ..event import JSON, Event
from ..health import guarded, health
from ..process.locks import Lock
from ..recorder import record
from ..scope.fields import fields_of
from ..scope.place import place_of
from .documents import documents_of

REMEMBERED = 200
"""How many documents of one trace (or block) are stamped on its calls; the latest count."""

_REFERENCE = ("id", "score", "distance", "source")
_lock = Lock()


@guarded("retrieval")
def log_retrieval(
    documents: Any,
    *,
    query: str | None = None,
    scores: Iterable[Any] | None = None,
    sources: Iterable[str | None] | None = None,
    embeddings: Iterable[Any] | None = None,
    query_embedding: Any = None,
    latency_ms: float | None = None,
    **fields: Any,
) -> str | None:
    """Record what was retrieved, as an event of the kind `retrieval`, and name it on the calls that follow.

    The calls in the same trace (without a trace, in the same `context` block or `@logged_llm` function) carry the id,
    score and source of each document as `retrieval_docs`; only this event has the texts.

    Args:
        documents: strings, dictionaries, objects of a framework (`page_content`, `text`, `metadata`, `score` …), or
            pairs of one of these and its score; or the whole answer of a store: Chroma's columns, Pinecone's matches,
            Qdrant's points, Weaviate's objects, Elasticsearch's hits, OpenAI's page …
        query: what was searched for.
        scores: how well each document matches, if the documents do not say so themselves; a list longer than the
            documents is left out and counted, because it is unclear which documents the scores belong to.
        sources: where each document comes from, with the same rule, or one source for all.
        embeddings: the vector of each document; kept as the setting `embeddings` says.
        query_embedding: the vector that was searched with.
        latency_ms: how long the search took, in milliseconds.
        **fields: what `context` takes.

    Returns:
        The id of the event, or None if nothing was recorded. Never raises: what cannot be read is counted.
    """
    if scope.suppressed():
        return None
    beside = {"score": scores, "source": sources, "embedding": embeddings}
    found = documents_of(documents, beside, partial(health.drop, "retrieval"))
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
