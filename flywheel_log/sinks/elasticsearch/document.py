"""A line of the journal as a document: its id, its index, its bytes; and the stub that stands in for a refused one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson

from flywheel_log.event import JSON, from_document, into_document

from .target import Target

MOST_DOCUMENTS = 500
"""Of one request, at most."""

_LONGEST_ID = 512
_LONGEST_NAME = 256
_UNPROJECTABLE = (ValueError, TypeError, AttributeError, RecursionError)
_LEADING_ID = re.compile(rb'\{"id":"([\w.-]+)"', re.ASCII)  # the journal writes it first
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


class Document(NamedTuple):
    """A document: where it goes, what it says, and the line of the journal that it was made of."""

    index_name: str
    id: str
    source: bytes
    line: bytes

    def create(self) -> bytes:
        """Return the line of a bulk request that goes before the source: store it unless its id is there already."""
        return b"%b%b}}" % (_create_in(self.index_name), orjson.dumps(self.id))


@cache
def _create_in(index_name: str) -> bytes:
    return b'{"create":{"_index":"%b","_id":' % index_name.encode()


def documents(lines: Sequence[bytes], target: Target, events: Sequence[JSON]) -> list[Document]:
    """Project *lines*, whose *events* are at hand and used up; the *target* names the index."""
    try:
        return _projected(lines, target, events)
    except _UNPROJECTABLE:  # One of them.
        return [document(line, target) for line in lines]


def document(line: bytes, target: Target) -> Document:
    """Project *line* to its document; a line that cannot be projected becomes its own stub."""
    try:
        return _projected([line], target, [orjson.loads(line)])[0]
    except _UNPROJECTABLE:
        return stub(line, target, "unprojectable")


def _projected(lines: Sequence[bytes], target: Target, events: Sequence[JSON]) -> list[Document]:
    made = [into_document(event) for event in events]
    sources = list(map(orjson.dumps, made))
    return [
        Document(target.index_of(event), _id(event, line), source, line)
        for line, event, source in zip(lines, events, sources, strict=True)
    ]


def stub(line: bytes, target: Target, reason: str) -> Document:
    """Make a document with the id and names of *line* and the whole of it as a string, which any mapping accepts.

    Args:
        line: the event.
        target: names the index.
        reason: why the document was refused: Elasticsearch's error type.
    """
    event = _loosely_parsed(line)
    names = {key: _sayable(event[key]) for key in ("client_id", "workload_id") if isinstance(event.get(key), str)}
    if _TIMESTAMP.fullmatch(str(event.get("timestamp"))):
        names["timestamp"] = event["timestamp"]
    raw = {"id": _id(event, line), "refused": reason, "raw": line.decode("utf-8", "backslashreplace")}
    source = {**names, "request": {}, "response": {"flywheel_log": raw}}
    return Document(target.index_of(event), raw["id"], orjson.dumps(source), line)


def batched(documents: Sequence[Document], most_bytes: int) -> Iterator[list[Document]]:
    """Yield *documents* in batches that one request can hold; a document of more than *most_bytes* comes alone."""
    batch: list[Document] = []
    size = 0
    for one in documents:
        more = len(one.line)
        if batch and (len(batch) == MOST_DOCUMENTS or size + more > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += more
    if batch:
        yield batch


def event_of(source: JSON) -> JSON:
    """Turn a stored document back into its event, also one that had to be stored as a stub.

    Raises:
        ValueError: the stub's line is not JSON.
    """
    nested = (source.get("response") or {}).get("flywheel_log") or {}
    if "refused" in nested and isinstance(nested.get("raw"), str):
        return dict(json.loads(nested["raw"]))
    return dict(from_document(source))


def _loosely_parsed(line: bytes) -> JSON:
    try:
        event: Any = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        found = _LEADING_ID.match(line)
        return {"id": found[1].decode()} if found else {}
    return event if isinstance(event, dict) else {}


def _sayable(name: str) -> str:
    """*name* as JSON can carry it: not too long, and without halves of a surrogate pair."""
    return name[:_LONGEST_NAME].encode("utf-8", "replace").decode()


def _id(event: JSON, line: bytes) -> str:
    """The event's own id, or for records of other loggers one that is the same whenever the same line comes again."""
    own = event.get("id")
    if isinstance(own, str) and own.isprintable():
        size = len(own) if own.isascii() else len(own.encode("utf-8", "surrogatepass"))
        if 0 < size <= _LONGEST_ID:
            return own
    return hashlib.blake2b(line, digest_size=16).hexdigest()
