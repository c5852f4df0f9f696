"""What is kept of an answer while it passes: its bytes, the moment of its first text, and the time it took."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from . import sse

COMPACT_ABOVE = 1 << 20
KEEP_AT_MOST = 64 << 20
_END = b"\n\n"


class Tape:
    """What passed: the events so far, when the first text came, and how long the provider, not the consumer, took.

    Memory is bounded: the events are squashed now and then, and what comes after `KEEP_AT_MOST` is left out (`cut`).
    Whoever reads adds to `waited` and calls `keep` for every chunk of every stream; everything else waits.

    Args:
        marker: finds the JSON in front of the text of a delta, see `sse.squash`.
        first_text: finds the first text of an answer in the bytes of an event.
        waited: seconds from the start of the call to the response's headers.
        clock: seconds, monotonic.
        events: whether it is a stream of events; else it is one body, which is not squashed.

    Attributes:
        waited: seconds that the provider has taken so far.
        asked: the moment when the consumer began to wait for the provider; None while it does not.
        first: seconds that the provider took until its first text; None before.
        cut: whether something was left out.
        whole: whether each piece kept so far is one event.
    """

    __slots__ = (
        *("_compact_above", "_first_text", "_kept", "_marker", "_payloads", "_pieces"),
        *("asked", "clock", "cut", "first", "keep", "waited", "whole"),
    )

    def __init__(
        self,
        marker: re.Pattern[bytes],
        first_text: re.Pattern[bytes],
        waited: float,
        clock: Callable[[], float] = time.perf_counter,
        *,
        events: bool = True,
    ) -> None:
        self.waited = waited
        self.asked: float | None = None
        self.first: float | None = None
        self.cut = False
        self.whole = True
        self.clock = clock
        self._marker = marker
        self._first_text = first_text
        self._pieces: list[bytes] = []
        self.keep = self._pieces.append
        self._compact_above = COMPACT_ABOVE if events else KEEP_AT_MOST
        self._payloads: list[bytes] = []
        self._kept = 0

    def stop(self) -> None:
        """The provider will say no more: the time from now on is the consumer's."""
        if self.asked is not None:
            self.waited += self.clock() - self.asked
            self.asked = None

    def look(self, chunk: bytes) -> bool:
        """Note the moment if the first text of the answer is in *chunk*, which has just come; whether to look on."""
        if self.first is None and self._first_text.search(chunk):
            self.first = self.waited
        return self.first is None

    def payloads(self) -> list[bytes]:
        """Everything kept of an event stream, one payload an event, runs of text joined."""
        found = self._pieces if self.whole else sse.events(b"".join(self._pieces))
        return self._payloads + sse.payloads(found, self._marker)

    def body(self) -> bytes:
        """Everything kept of a body that is no event stream."""
        return b"".join(self._pieces)

    def compact(self) -> None:
        """Squash the events kept so far, if they have become many."""
        if sum(map(len, self._pieces)) < self._compact_above:
            return
        whole, _, rest = b"".join(self._pieces).rpartition(_END)
        self._pieces[:] = [rest]
        fresh = sse.payloads(sse.events(whole), self._marker)
        self._kept += sum(map(len, fresh))
        if self._kept + len(rest) > KEEP_AT_MOST:
            self.cut = True
            self._pieces.clear()
        else:
            self._payloads += fresh
            self._compact_above = max(self._compact_above, 2 * len(rest))
