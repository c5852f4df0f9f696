"""Read the answers of stores and frameworks as retrieved documents, one object each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from numbers import Integral, Real
from typing import Any
from uuid import UUID

from ..event import JSON
from ..health import Misuse

# What stores and frameworks call the parts of a document, the usual names first.
_NAMES = {
    "id": ("id", "_id", "doc_id", "document_id", "node_id", "uuid", "file_id"),
    "text": ("text", "page_content", "content", "document"),
    "score": ("score", "_score", "similarity", "relevance_score", "certainty", "@search.score"),
    "distance": ("distance", "_distance"),
    "source": ("source", "url", "uri", "file_name", "filename", "title"),
    "embedding": ("embedding", "vector", "values"),
}
# What holds parts of a document, or what else is known about it.
_WITHIN = (
    *("node", "document", "entity", "payload", "properties", "_source"),
    *("metadata", "meta", "attributes", "content"),
)
_DEPTH = 2
# What holds the documents in the whole answer of a store; Elasticsearch's `hits` are in `hits`.
_LISTS = ("matches", "points", "objects", "hits", "source_nodes", "nodes", "results", "retrievalResults", "data")
_PAIR = 2

Unread = Callable[[Misuse], None]


def documents_of(given: Any, beside: Mapping[str, Any], unread: Unread) -> list[JSON]:
    """Return the documents in *given*: `id`, and what is known of the other parts.

    Args:
        given: one document, several, or the whole answer of a store.
        beside: by its key, what is said beside the documents: a list with one value for each, or one text for all.
        unread: is told of what cannot be read; all the rest is returned.

    Raises:
        Misuse: *given* is none of these.
    """
    if not isinstance(given, Iterable) and not _is_document(given) and _listed(given) is None:
        raise Misuse(f"documents are a list, or what a store returns; got {type(given).__name__}")
    rows = [*_rows(given)]
    columns = {key: _column(key, values, len(rows), unread) for key, values in beside.items()}
    documents = []
    for at, row in enumerate(rows):
        said = {key: value for key, column in columns.items() for value in column[at : at + 1] if value is not None}
        try:
            documents.append(_document(row) | said)
        except Misuse as misuse:
            unread(misuse)
    return documents


def _rows(given: Any) -> Iterator[Any]:
    """The documents in *given*, one after the other, also where there is a list of them for each query."""
    if isinstance(given, str) or _is_document(given):
        yield given
    elif table := _table(given):
        for at in range(max(map(len, table.values()))):
            yield {name: values[at] for name, values in table.items() if at < len(values)}
    elif (inside := _listed(given)) is not None:
        yield from _rows(inside)
    elif isinstance(given, Mapping):
        yield given
    else:
        for one in given:
            yield from _rows(one) if _is_list(one) and _may_hold(one) else (one,)


def _is_document(given: Any) -> bool:
    return any(isinstance(_part(given, name), str) for name in _NAMES["text"])


def _may_hold(given: Any) -> bool:
    """Whether the list *given* holds documents, and is none itself: a row of a database, or one with its score."""
    return not _is_pair(given) and not (len(given) and isinstance(given[0], Real) and isinstance(given, tuple))


def _table(given: Any) -> dict[str, list[Any]]:
    """The columns of *given* by the name of a document's part, as Chroma's `ids`, `documents` and `metadatas` are."""
    columns = {}
    for key, names in (*_NAMES.items(), ("metadata", ("metadata",))):
        found = (_part(given, form) for name in names for form in (f"{name}s", name))
        if (values := next(filter(_is_list, found), None)) is not None:
            columns[key] = [*_flat(key, values)]
    return columns if {"id", "text"} & columns.keys() else {}


def _listed(given: Any) -> Any:
    """The documents within the answer *given*, or None."""
    for name in _LISTS:
        inside = _part(given, name)
        if _is_list(inside) or (isinstance(inside, Mapping) and _listed(inside) is not None):
            return inside
    return None


def _column(key: str, values: Any, count: int, unread: Unread) -> list[Any]:
    """What is said of each of *count* documents; a shorter list knows nothing of the last, a longer one is wrong."""
    if values is None or isinstance(values, str):
        return [values] * count
    column = [*_flat(key, values)] if isinstance(values, Iterable) else None
    if column is not None and len(column) <= count:
        return column
    got = type(values).__name__ if column is None else f"{len(column)} for {count}"
    unread(Misuse(f"{key}s has at most one for each document; got {got}"))
    return []


def _flat(key: str, values: Iterable[Any]) -> Iterator[Any]:
    """*values*, or those of each query where there is a list for each; an embedding is a list itself."""
    for one in values:
        many = _is_list(one) and not (key == "embedding" and len(one) and isinstance(one[0], Real))
        yield from one if many else (one,)


def _document(given: Any) -> JSON:
    if _is_pair(given):
        return _document(given[0]) | {"score": given[1]}
    if isinstance(given, str):
        return {"id": _id_of(given), "text": given}
    if isinstance(given, Integral | UUID):
        return {"id": given}
    if given is None or _is_list(given):
        raise Misuse(f"a document is a text, or has names for its parts; got {type(given).__name__}")
    holders = [*_holders(given, _DEPTH)]
    document = {key: value for key in _NAMES if (value := _said(key, holders)) is not None}
    about = next((one for one in holders[1:] if isinstance(one, Mapping)), None if document else given)
    if isinstance(about, Mapping) and (rest := _without(document.get("text"), about)):
        document["metadata"] = rest
    document.setdefault("id", _id_of(str(document.get("text", given))))
    return document


def _holders(given: Any, depth: int) -> Iterator[Any]:
    """*given*, and what in it holds parts of the document, too."""
    yield given
    for inside in (_part(given, name) for name in _WITHIN if depth):
        if inside is not None and not isinstance(inside, str) and not _is_list(inside):
            yield from _holders(inside, depth - 1)


def _said(key: str, holders: list[Any]) -> Any:
    found = (_part(holder, name) for holder in holders for name in _NAMES[key])
    there = (one for one in found if not ((_is_list(one) or isinstance(one, Mapping)) and len(one) == 0))
    return next((value for one in there if (value := _text(one) if key == "text" else one) is not None), None)


def _without(text: str | None, about: Mapping[str, Any]) -> JSON:
    return {name: value for name, value in about.items() if not (isinstance(value, str) and value == text)}


def _text(said: Any) -> str | None:
    """The text that *said* is, or the texts of its parts, as OpenAI's stores have them."""
    if _is_list(said):
        return "\n".join(text for part in said if isinstance(text := _part(part, "text"), str)) or None
    return said if isinstance(said, str) else None


def _part(given: Any, name: str) -> Any:
    if hasattr(given, "keys") and hasattr(given, "__getitem__"):  # Also the rows of databases, which are no mappings.
        value = given[name] if name in given.keys() else None  # noqa: SIM118 - `in` a row looks at its values
    else:
        value = getattr(given, name, None)
    return None if callable(value) else value


def _is_list(given: Any) -> bool:
    """Whether *given* is a list, a tuple without names, or an array."""
    if isinstance(given, list | tuple):
        return not hasattr(given, "_fields")
    return bool(getattr(given, "shape", ()))  # NumPy's numbers have a shape, too, that of nothing


def _is_pair(given: Any) -> bool:
    if not isinstance(given, list | tuple) or hasattr(given, "_fields") or len(given) != _PAIR:
        return False
    return isinstance(given[1], Real) and not (isinstance(given[0], Real) and isinstance(given[1], Integral))


def _id_of(text: str) -> str:
    """An id for a document that has none: equal texts have equal ones."""
    return "doc-" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
