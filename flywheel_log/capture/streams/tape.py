"""What is kept of an answer as it passes: its bytes, the time of its first text, and its duration."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...health import guarded, health
from .. import wire
from ..surfaces import Surface
from . import sse

COMPACT_ABOVE = 1 << 20
KEEP_AT_MOST = 64 << 20
END = b"\n\n"
ERROR, USAGE = wire.ERROR, b'"usage"'
NO_USAGE = b',"usage":null'  # As OpenAI writes it.
ALIKE_NONE = (b"\0", b"", b"", 0, 0, 0)
_FEW = 16
_LESSONS = 16  # A stream has a run or two of events that are alike; in one without runs none is looked for for ever.


class Tape:
    """What passed: the events so far, when the first text came, and how long the provider, not the consumer, took.

    Memory is bounded: the events are squashed now and then, and what comes after `KEEP_AT_MOST` is left out (`cut`).
    Whoever reads adds to `waited`, and each chunk to `run` or by `take` and `keep`; everything else waits.

    Args:
        surface: how to find the text of an event.
        waited: seconds from the start of the call to the response's headers.
        clock: seconds, monotonic.
        events: whether it is a stream of events; else it is one body, which is not squashed.
        hide_usage: whether the caller is not to see what a stream carries only because we asked for its token counts.

    Attributes:
        waited: seconds that the provider has taken so far.
        asked: the moment when the consumer began to wait for the provider; None while it does not.
        first: seconds that the provider took until its first text; None before.
        cut: whether something was left out.
        alike: how events begin, go on behind their text, and end behind their padding, that differ in these two only;
            where their text begins, how long what follows it is, and how long their end. Most of a stream is such a
            run. Without padding what follows the text is the end already, and the length between the two is 0.
        over: whether everything that came has been read; else its reader has left it, or reads still.
        run: the texts of the latest events, which are `alike`.
        whole: whether each piece kept so far is one event.
    """

    __slots__ = (
        *("_compact_above", "_kept", "_lessons", "_payloads", "_pieces", "_surface"),
        *("alike", "asked", "clock", "cut", "events", "first", "hide_usage", "over", "run", "waited"),
        "whole",
    )

    def __init__(
        self,
        surface: Surface,
        waited: float,
        clock: Callable[[], float] = time.perf_counter,
        *,
        events: bool = True,
        hide_usage: bool = False,
    ) -> None:
        self.waited = waited
        self.asked: float | None = None
        self.first: float | None = None
        self.cut = False
        self.over = False
        self.whole = True
        self.clock = clock
        self._surface = surface
        self.events = events
        self.hide_usage = hide_usage and events
        self._compact_above = COMPACT_ABOVE if events else KEEP_AT_MOST
        self._payloads: list[bytes] = []
        self._kept = 0
        self._pieces: list[bytes] = []
        self.run: list[bytes] = []
        self.alike = ALIKE_NONE
        self._lessons = _LESSONS

    @guarded("stream")
    def stop(self) -> None:
        """The provider will say no more: the time from now on is the consumer's."""
        if self.asked is not None:
            self.waited += self.clock() - self.asked
            self.asked = None

    def look(self, chunk: bytes) -> bool:
        """Note the moment if the first text of the answer is in *chunk*, which has just come; whether to look on."""
        if self.first is None and self._surface.FIRST_TEXT.search(chunk):
            self.first = self.waited
        return self.first is None

    def take(self, chunk: bytes) -> bytes | None:
        """Keep *chunk* if it is plainly one event and no error, and return what the caller sees of it; else None."""
        try:
            if not 0 <= chunk.find(END) == len(chunk) - 2 or ERROR in chunk:
                return None
            shown = chunk
            if self.hide_usage and USAGE in chunk:
                shown = chunk.replace(NO_USAGE, b"")
                if USAGE in shown or not chunk.startswith(b"data:"):  # It may be a body, and no event.
                    return None
            self.keep(chunk)
            if self._lessons:
                self._learn(chunk)
        except Exception as error:  # noqa: BLE001 - a guard of its own: it runs for every event of OpenAI's streams
            health.drop("stream", error)
            return None
        return shown

    def keep(self, piece: bytes) -> None:
        """Keep *piece*, whatever it is."""
        if self.run:
            self._fold()
        self._pieces.append(piece)

    def hear(self, several: bytes) -> None:
        """Keep *several* events that came in one piece, and are all there are."""
        self.whole, self.over = False, True
        self.keep(several)

    def reports(self, piece: bytes) -> bool:
        """Whether *piece* is an event that reports the stream's failure."""
        if not (self.events and wire.may_report(piece)):
            return False
        said = map(wire.event, sse.payloads(sse.events(piece), self._surface))
        return any(event is not None and wire.reports(event) for event in said)

    @guarded("stream")
    def _learn(self, event: bytes) -> None:
        """Let a run begin with *event*, the latest piece, if it has a text."""
        self._lessons -= 1
        texts, head, tail = sse.run(event, self._surface.TEXT)
        if texts:
            middle, end = sse.around_padding(tail)
            self.alike = head, middle or end, end, len(head), len(middle), len(end)
            self._pieces.pop()
            self.run += texts

    def _fold(self) -> None:
        """End the run, if there is one."""
        if self.run:
            events = self._folded()
            self.run.clear()  # First: whoever ends the recording meanwhile records less, but no text twice.
            self._pieces += events

    def _folded(self) -> list[bytes]:
        """Return the run as one event with all of its text, if that is all it says; else as it was."""
        alike, run = self.alike, self.run.copy()
        if not run or alike is not self.alike:  # Another one has just begun.
            return []
        head, seam, end, _, skip, _ = alike
        tail = seam[:skip] + end
        if len(run) > 1 and sse.adds_up(self._surface.assemble, head, tail):
            run = [b"".join(run)]
        return [b"".join((head, text, tail)) for text in run]

    def payloads(self, *, summed_up: bool = True) -> list[bytes]:
        """Everything kept of an event stream, one payload an event, runs of text joined; *summed_up* where one does.

        Changes nothing, for the reader may go on in another thread; what that moves on meanwhile, against the order of
        these lines, is left out.
        """
        kept, pieces = self._payloads.copy(), self._pieces.copy()
        pieces += self._folded()
        found = pieces if self.whole else sse.events(b"".join(pieces))
        # A few are read sooner than joined; halves of a character, which two escapes may be, are joined as they came.
        few = self.whole and len(found) <= _FEW and b"\\ud" not in b"".join(found).lower()
        return kept + sse.payloads(found, self._surface, summed_up=summed_up, join=not few)

    def left_at(self) -> bytes:
        """The data of the event at which its reader has left the stream; empty where that was not between events."""
        pieces = [*self._pieces, *self._folded()]
        return b"" if self.over else sse.last(b"".join(pieces[-1:] if self.whole else pieces))

    def body(self) -> bytes:
        """Everything kept of a body that is no event stream."""
        return b"".join(self._pieces)

    def compact(self) -> None:
        """Squash the events kept so far, if they have become many."""
        self._fold()
        if sum(map(len, self._pieces)) < self._compact_above:
            return
        whole, _, rest = b"".join(self._pieces).rpartition(END)
        fresh = sse.payloads(sse.events(whole), self._surface, summed_up=False)  # nobody knows yet if it can be read
        if not (fresh or self._payloads) and self._compact_above < KEEP_AT_MOST:
            self._compact_above = KEEP_AT_MOST  # It may be a body without events, of a server that does not stream.
            return
        self._pieces[:] = [rest]
        self._kept += sum(map(len, fresh))
        if self._kept + len(rest) > KEEP_AT_MOST:
            self.cut = True
            self._pieces.clear()
        else:
            self._payloads += fresh
            self._compact_above = max(self._compact_above, 2 * len(rest))
