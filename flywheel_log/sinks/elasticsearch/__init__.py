"""`elasticsearch:` the sink: every event becomes exactly one document, however often it has to be offered."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from flywheel_log.event import JSON
from flywheel_log.health import health
from flywheel_log.sinks import RetryLater

from . import dead_letters
from .cluster import Cluster, Unreachable
from .dead_letters import DeadLetter
from .document import Document, document, stub
from .ensure import ensure
from .target import Target, target
from .target import resolve as resolve
from .verdict import DUPLICATE, STORED, Fate, Verdict, verdicts

MOST_DOCUMENTS = 500
MOST_BYTES = 5_000_000
_FEWEST_BYTES = 50_000
_BULK = "/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason"
_OK, _TOO_LARGE = 200, 413

Lines = list[bytes]


class TooLarge(Exception):
    """The server takes no request of this size."""


class ElasticsearchSink:
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
        self._ready: set[str] = set()
        self._most_bytes = MOST_BYTES
        self._counts: Counter[str] = Counter()
        self._hindrance = ""

    def write(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Store *lines*; return those to offer again. Raises `RetryLater` if nothing became of any of them."""
        self._cluster.limit(self._target.timeout)
        batches = deque(_batches(lines, self._most_bytes))
        again: Lines = []
        while batches:
            try:
                again += self._send(batches[0])
                batches.popleft()
            except TooLarge:
                again += self._halve(batches)
            except RetryLater:
                again += chain.from_iterable(batches)
                if len(again) == len(lines):
                    raise
                return again
        if lines and len(again) == len(lines):
            raise RetryLater(self._hindrance)
        return again

    def prepare(self, line: bytes, event: JSON) -> Document:
        """Make the document of *line* while its *event* is at hand."""
        return document(line, self._target, event)

    def missing(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Return *lines*: those that are stored will say so themselves."""
        return lines

    def stats(self) -> dict[str, int]:
        """Count documents: stored (duplicates and stubs among them), duplicates, stubs, dead."""
        return dict(self._counts)

    def close(self) -> None:
        """Close the connections."""
        self._cluster.close()

    def _send(self, lines: Lines) -> Lines:
        """Send one batch, and in a second request the stubs of what was refused; return what to offer again."""
        judged = self._bulk([document(line, self._target) for line in lines])
        self._count(judged)
        if judged.count(STORED) == len(judged):
            return []
        later = [line for line, verdict in zip(lines, judged, strict=True) if verdict.fate is Fate.LATER]
        refused = [
            (line, stub(line, self._target, verdict.reason))
            for line, verdict in zip(lines, judged, strict=True)
            if verdict.fate is Fate.REFUSED
        ]
        return later + self._simplify(refused) if refused else later

    def _simplify(self, stubs: list[tuple[bytes, Document]]) -> Lines:
        """Store the stubs of refused lines; bury those that are refused too, and return what to offer again."""
        try:
            judged = self._bulk([one for _, one in stubs])
        except RetryLater as error:
            self._hindrance = error.reason
            return [line for line, _ in stubs]
        except TooLarge:
            middle = len(stubs) // 2
            halves = (stubs[:middle], stubs[middle:])
            return (
                [line for half in halves for line in self._simplify(half)] if middle else self._bury_large(stubs[0][0])
            )
        self._count(judged)
        self._counts["stubs"] += sum(verdict.fate is Fate.STORED for verdict in judged)
        health.warn("Elasticsearch refused documents; they are stored as text under response.flywheel_log.raw")
        dead = [(line, verdict) for (line, _), verdict in zip(stubs, judged, strict=True) if _hopeless(verdict)]
        stored = (Fate.STORED, Fate.DUPLICATE)
        later = [
            line
            for (line, _), verdict in zip(stubs, judged, strict=True)
            if verdict.fate not in stored and not _hopeless(verdict)
        ]
        return later + self._bury(dead)

    def _bulk(self, documents: list[Document]) -> list[Verdict]:
        """Raises `RetryLater`, `TooLarge`; returns one verdict a document, in order."""
        try:
            for index in {one.index_name for one in documents} - self._ready:
                ensure(self._cluster, index)
                self._ready.add(index)
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
        if "index_not_found_exception" in hindered:
            self._ready.clear()

    def _halve(self, batches: deque[Lines]) -> Lines:
        """Split the first of *batches*, which was too large, and send smaller ones from now on.

        A single document has to be buried; returned if it cannot be.
        """
        lines = batches.popleft()
        if len(lines) == 1:
            return self._bury_large(lines[0])
        self._most_bytes = max(_FEWEST_BYTES, sum(map(len, lines)) // 2)
        middle = len(lines) // 2
        batches.extendleft([lines[middle:], lines[:middle]])
        return []

    def _bury_large(self, line: bytes) -> Lines:
        return self._bury([(line, Verdict(Fate.REFUSED, "http 413", "larger than the server takes"))])

    def _bury(self, dead: list[tuple[bytes, Verdict]]) -> Lines:
        """Write the *dead* to the file of dead letters; return their lines if it cannot be written."""
        if not dead:
            return []
        now = dead_letters.now()
        letters = [DeadLetter(now, verdict.reason, verdict.detail, line) for line, verdict in dead]
        try:
            dead_letters.bury(self._target.dead_letters, letters)
        except OSError as error:
            health.warn("dead letters cannot be written", error)
            self._hindrance = "dead letters cannot be written"
            return [letter.line for letter in letters]
        self._counts["dead"] += len(letters)
        health.warn(
            "documents that Elasticsearch never takes went to the dead letters; see `flywheel-log dead-letters`"
        )
        return []


def _batches(lines: Sequence[bytes], most_bytes: int) -> Iterator[Lines]:
    batch: Lines = []
    size = 0
    for line in lines:
        if batch and (len(batch) == MOST_DOCUMENTS or size + len(line) > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


def _hopeless(verdict: Verdict) -> bool:
    """A stub holds nothing that could be an illegal argument: then the index is at fault, and can be mended."""
    return verdict.fate is Fate.REFUSED and verdict.reason != "illegal_argument_exception"


def open(url: str) -> ElasticsearchSink:
    """Open the sink `elasticsearch:`, or `elasticsearch://host:9200/index?…`; connects with the first document.

    Raises:
        ValueError: no server is named, or something in the URL or the environment is wrong.
    """
    return ElasticsearchSink(target(url))
