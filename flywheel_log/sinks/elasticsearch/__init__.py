"""`elasticsearch:` the sink: every event becomes exactly one document, however often it has to be offered."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from flywheel_log.event import JSON
from flywheel_log.health import health
from flywheel_log.sinks import BATCH_BYTES, PutOff, RetryLater, Sink

from . import dead_letters
from .check import check as check
from .cluster import Cluster, Unreachable
from .dead_letters import DeadLetter
from .document import Document, batched, document, documents, stub
from .indices import Indices
from .target import Target, target
from .target import resolve as resolve
from .verdict import DUPLICATE, STORED, Fate, Verdict, hopeless, verdicts, waits_for

_FEWEST_BYTES = 50_000
_BULK = "/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason"
_OK, _TOO_LARGE = 200, 413
_GONE = "index_not_found_exception"

Documents = list[Document]


class TooLarge(Exception):
    """The server takes no request of this size."""


class ElasticsearchSink(Sink):
    """Stores events in Elasticsearch by bulk requests that may be repeated at will.

    The event's id is the document's, and documents are only ever created: what was stored already answers 409 and
    counts as stored. A document that Elasticsearch will never take is stored as a stub with its JSON as a string; if
    not even that is taken, it goes to the dead-letter file. Everything else is offered again.

    Attributes:
        linger_s: seconds for a batch to grow, because a request for one document costs the server as much as for many.
    """

    def __init__(self, where: Target, clock: Callable[[], float] = time.monotonic) -> None:
        self._target = where
        self.linger_s = where.linger
        self._cluster = Cluster(where, clock)
        self._indices = Indices(self._cluster, clock)
        self._most_bytes = BATCH_BYTES
        self._counts = Counter({"stored": 0, "duplicates": 0, "stubs": 0, "dead": 0})
        self._hindrance = ""
        self._apart: dict[int, tuple[str, RetryLater]] = {}  # By the line: what it waits for alone, and why.

    def write(self, lines: Sequence[bytes | Document]) -> Sequence[bytes]:
        """Store *lines*, or the documents that were prepared of them; return those to offer again.

        Raises `PutOff` if an index is unfit or closed to us, or somebody's pipeline refuses a document, and all others
        are stored; and `RetryLater` if nothing became of any of them.
        """
        self._cluster.limit(self._target.timeout)
        self._apart = {}
        made = [one if isinstance(one, Document) else document(one, self._target) for one in lines]
        unfit = self._indices.unfit({one.index_name for one in made})
        again = self._write([one for one in made if one.index_name not in unfit] if unfit else made)
        if not again and not unfit:
            return []
        shut = [one for one in made if one.index_name in unfit]
        self._apart |= {id(one.line): (one.index_name, unfit[one.index_name]) for one in shut}
        given: dict[int, Any] = {id(one.line): line for one, line in zip(made, lines, strict=True)}
        left = [id(one.line) for one in shut + again]
        if any(one not in self._apart for one in left):
            return [given[one] for one in left]
        waiting: dict[str, list[Any]] = {}
        for one in left:
            waiting.setdefault(self._apart[one][0], []).append(given[one])
        worst = self._apart[left[0]][1]
        raise PutOff(worst.reason, worst.after, waiting)

    def _write(self, documents: Documents) -> Documents:
        batches = deque(batched(documents, self._most_bytes))
        again: Documents = []
        while batches:
            try:
                again += self._send(batches[0])
                batches.popleft()
            except TooLarge:
                again += self._halve(batches)
            except RetryLater:
                again += chain.from_iterable(batches)
                if len(again) == len(documents):
                    raise
                return again
        if documents and len(again) == len(documents) and not self._apart:
            raise RetryLater(self._hindrance)
        return again

    def prepare(self, lines: Sequence[bytes], events: Sequence[JSON]) -> Documents:
        """Make the documents of *lines* while their *events* are at hand."""
        return documents(lines, self._target, events)

    def stats(self) -> dict[str, int]:
        """Count documents: stored (duplicates and stubs among them), duplicates, stubs, dead."""
        return dict(self._counts)

    def close(self) -> None:
        """Close the connections."""
        self._cluster.close()

    def _send(self, documents: Documents) -> Documents:
        """Send one batch, and in a second request the stubs of what was refused; return what to offer again."""
        judged = self._bulk(documents)
        self._count(judged)
        if judged.count(STORED) == len(judged):
            return []
        later = self._later((one, told) for one, told in zip(documents, judged, strict=True) if told.fate is Fate.LATER)
        for one, verdict in zip(documents, judged, strict=True):
            if verdict.fate is Fate.REFUSED or verdict.reason == _GONE:
                self._indices.doubt(one.index_name)
        refused = [
            stub(one.line, self._target, verdict.reason)
            for one, verdict in zip(documents, judged, strict=True)
            if verdict.fate is Fate.REFUSED
        ]
        return later + self._simplify(refused) if refused else later

    def _simplify(self, stubs: Documents) -> Documents:
        """Store the stubs of refused lines; bury those that are refused too, and return what to offer again."""
        try:
            judged = self._bulk(stubs)
        except RetryLater as error:
            self._hindrance = error.reason
            return stubs
        except TooLarge:
            middle = len(stubs) // 2
            halves = (stubs[:middle], stubs[middle:])
            return [one for half in halves for one in self._simplify(half)] if middle else self._bury_large(stubs[0])
        self._count(judged)
        self._counts["stubs"] += sum(verdict.fate is Fate.STORED for verdict in judged)
        health.warn("Elasticsearch refused documents; they are stored as text under response.flywheel_log.raw")
        dead = [(one, verdict) for one, verdict in zip(stubs, judged, strict=True) if hopeless(verdict)]
        later = self._later(
            (one, verdict)
            for one, verdict in zip(stubs, judged, strict=True)
            if verdict.fate in (Fate.REFUSED, Fate.LATER) and not hopeless(verdict)
        )
        return later + self._bury(dead)

    def _later(self, judged: Iterable[tuple[Document, Verdict]]) -> Documents:
        """Return the documents to offer again, and note which of them wait for something that the others do not."""
        documents: Documents = []
        for one, verdict in judged:
            documents.append(one)
            if lane := waits_for(verdict, one.index_name):
                self._apart[id(one.line)] = lane, RetryLater(verdict.reason)
        return documents

    def _bulk(self, documents: Documents) -> list[Verdict]:
        """Raises `RetryLater`, `TooLarge`; returns one verdict a document, in order."""
        try:
            for error in self._indices.unfit({one.index_name for one in documents}).values():
                raise error
            parts = [part for one in documents for part in (one.create(), one.source)]
            answer = self._cluster.request("POST", _BULK, b"\n".join([*parts, b""]))
        except Unreachable as error:
            raise RetryLater(str(error)) from error
        if answer.status == _TOO_LARGE:
            raise TooLarge
        if answer.status != _OK:
            raise RetryLater(f"http {answer.status}", answer.after)
        judged = verdicts(answer, len(documents))
        if judged is None:
            raise RetryLater("ambiguous answer")
        return judged

    def _count(self, judged: list[Verdict]) -> None:
        stored, duplicates = judged.count(STORED), judged.count(DUPLICATE)
        self._counts["stored"] += stored + duplicates
        self._counts["duplicates"] += duplicates
        if hindered := [verdict.reason for verdict in judged if verdict.reason]:
            self._hindrance = hindered[-1]

    def _halve(self, batches: deque[Documents]) -> Documents:
        """Split the first of *batches*, which was too large, and send smaller ones from now on.

        A single document has to be buried; returned if it cannot be.
        """
        large = batches.popleft()
        if len(large) == 1:
            return self._bury_large(large[0])
        self._most_bytes = max(_FEWEST_BYTES, sum(len(one.line) for one in large) // 2)
        middle = len(large) // 2
        batches.extendleft([large[middle:], large[:middle]])
        return []

    def _bury_large(self, one: Document) -> Documents:
        return self._bury([(one, Verdict(Fate.REFUSED, "http 413", "larger than the server takes"))])

    def _bury(self, dead: list[tuple[Document, Verdict]]) -> Documents:
        """Write the *dead* to the file of dead letters; return them if it cannot be written."""
        if not dead:
            return []
        now = dead_letters.now()
        letters = [DeadLetter(now, verdict.reason, verdict.detail, one.line) for one, verdict in dead]
        try:
            dead_letters.bury(self._target.dead_letters, letters)
        except OSError as error:
            health.warn("dead letters cannot be written", error)
            self._hindrance = "dead letters cannot be written"
            return [one for one, _ in dead]
        self._counts["dead"] += len(letters)
        health.warn(
            "documents that Elasticsearch never takes went to the dead letters; see `flywheel-log dead-letters`"
        )
        return []


def open(url: str) -> ElasticsearchSink:
    """Open the sink `elasticsearch:`, or `elasticsearch://host:9200/index?…`; connects with the first document.

    Raises:
        ValueError: no server is named, or something in the URL or the environment is wrong.
    """
    return ElasticsearchSink(target(url))
