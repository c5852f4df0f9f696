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
    This runs for every chunk of every stream, so it only appends until the stream is over.

    Args:
        marker: finds the JSON in front of the text of a delta, see `sse.squash`.
        first_text: finds the first text of an answer in the bytes of an event.
        waited: seconds from the start of the call to the response's headers.
        clock: seconds, monotonic.
        events: whether it is a stream of events; else it is one body, which is not squashed.
    """

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
        self.first: float | None = None
        self.cut = False
        self.whole = True  # Each piece kept so far is one event.
        self._marker = marker
        self._first_text = first_text
        self._clock = clock
        self._since: float | None = None
        self._pieces: list[bytes] = []
        self.keep = self._pieces.append
        self._size = 0
        self._compact_above = COMPACT_ABOVE if events else KEEP_AT_MOST
        self._payloads: list[bytes] = []
        self._kept = 0

    def wait(self) -> None:
        """The consumer wants the next chunk: the time from now on is the provider's."""
        self._since = self._clock()

    def came(self, chunk: bytes) -> None:
        """The *chunk* came; what of it the consumer really takes is then told to `keep`."""
        self.stop()
        self._size += len(chunk)
        if self.first is None and self._first_text.search(chunk):
            self.first = self.waited
        if self._size > self._compact_above:
            self._compact()

    @property
    def waiting(self) -> bool:
        """Whether the consumer is waiting for the provider."""
        return self._since is not None

    def stop(self) -> None:
        """The provider has said something, or will say no more: the time from now on is the consumer's."""
        if self._since is not None:
            self.waited += self._clock() - self._since
            self._since = None

    def payloads(self) -> list[bytes]:
        """Everything kept of an event stream, one payload an event, runs of text joined."""
        found = self._pieces if self.whole else sse.events(b"".join(self._pieces))
        return self._payloads + sse.payloads(found, self._marker)

    def body(self) -> bytes:
        """Everything kept of a body that is no event stream."""
        return b"".join(self._pieces)

    def _compact(self) -> None:
        whole, _, rest = b"".join(self._pieces).rpartition(_END)
        self._pieces[:] = [rest]
        self._size = len(rest)
        self._compact_above = max(COMPACT_ABOVE, 2 * len(rest))
        fresh = sse.payloads(sse.events(whole), self._marker)
        self._kept += sum(map(len, fresh))
        if self._kept + len(rest) > KEEP_AT_MOST:
            self.cut = True
            self._pieces.clear()
        else:
            self._payloads += fresh
