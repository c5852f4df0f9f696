"""Streams the caller uses as before while what passes is kept: a tap on the SDK's own HTTP response."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from ..health import guarded, health
from . import sse

COMPACT_ABOVE = 1 << 20
KEEP_AT_MOST = 64 << 20
_END, _CRLF_END = b"\n\n", b"\r\n\r\n"
_NULL_USAGE = re.compile(rb',\s*"usage"\s*:\s*null')
_NO_CHOICES = re.compile(rb'"choices"\s*:\s*\[\s*\]')

Ended = Callable[[BaseException | None], None]


class Tape:
    """What passed: the events so far, when the first text came, and how long the provider, not the consumer, took.

    Memory is bounded: the events are squashed now and then, and what comes after `KEEP_AT_MOST` is left out (`cut`).
    This runs for every chunk of every stream, so it only appends until the stream is over.

    Args:
        marker: the JSON in front of the text of a delta, see `sse.squash`.
        first_text: finds the first text of an answer in the bytes of an event.
        waited: seconds from the start of the call to the response's headers.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        marker: bytes,
        first_text: re.Pattern[bytes],
        waited: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.waited = waited
        self.first: float | None = None
        self.cut = False
        self.whole = True  # Each piece kept so far is one event.
        self._marker = marker
        self._first_text = first_text
        self._clock = clock
        self._since = clock()
        self._pieces: list[bytes] = []
        self.keep = self._pieces.append
        self._size = 0
        self._compact_above = COMPACT_ABOVE
        self._payloads: list[bytes] = []
        self._kept = 0

    def wait(self) -> None:
        """The consumer wants the next chunk: the time from now on is the provider's."""
        self._since = self._clock()

    def came(self, chunk: bytes) -> None:
        """The *chunk* came; what of it the consumer really takes is then told to `keep`."""
        self.waited += self._clock() - self._since
        self._size += len(chunk)
        if self.first is None and self._first_text.search(chunk):
            self.first = self.waited
        if self._size > self._compact_above:
            self._compact()

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


class Tap:
    """Sits on one HTTP response and keeps what is read from it; the SDK's stream objects stay its own.

    Chunks of the network are handed on event by event, so that what was kept is what the program took when it stops
    early. Every way to read (`for`, `next`, `iter_lines`, `read`, `parse`) comes down to `iter_bytes`.

    Args:
        response: the SDK's HTTP response, httpx or httpx2, its body not read yet.
        tape: where to keep what passes.
        ended: called once, with what ended the reading early: an error, GeneratorExit, or None.
        hide_usage: keep from the caller what a stream carries only because we asked for its token counts.
    """

    def __init__(self, response: Any, tape: Tape, ended: Ended, *, hide_usage: bool = False) -> None:
        self.events = str(response.headers.get("content-type", "")).startswith("text/event-stream")
        self._tape = tape
        self._ended: Ended | None = ended
        self._hide_usage = hide_usage and self.events
        self._pending = b""
        self._read, self._aread = response.iter_bytes, response.aiter_bytes
        self._close, self._aclose = response.close, response.aclose
        response.iter_bytes, response.aiter_bytes = self.iter_bytes, self.aiter_bytes
        response.close, response.aclose = self.close, self.aclose

    def iter_bytes(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """Read as the response does, event by event."""
        keep, pieces, wait = self._tape.keep, self._pieces, self._wait
        with self:
            wait()
            for chunk in self._read(*args, **kwargs):
                for piece in pieces(chunk):
                    keep(piece)
                    if shown := self._shown(piece) if self._hide_usage else piece:
                        yield shown
                wait()
            if self._pending:
                keep(self._pending)
                yield self._pending

    async def aiter_bytes(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        """Read as the response does, event by event."""
        keep, pieces, wait = self._tape.keep, self._pieces, self._wait
        with self:
            wait()
            async for chunk in self._aread(*args, **kwargs):
                for piece in pieces(chunk):
                    keep(piece)
                    if shown := self._shown(piece) if self._hide_usage else piece:
                        yield shown
                wait()
            if self._pending:
                keep(self._pending)
                yield self._pending

    def close(self) -> None:
        """Close the response; what was not read by then is left."""
        try:
            self._close()
        finally:
            self.end(None)

    async def aclose(self) -> None:
        """Close the response; what was not read by then is left."""
        try:
            await self._aclose()
        finally:
            self.end(None)

    def end(self, error: BaseException | None) -> None:
        """Tell once that the reading is over."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def __del__(self) -> None:
        self.end(GeneratorExit())

    def _wait(self) -> None:
        try:
            self._tape.wait()
        except Exception as error:  # noqa: BLE001 - the caller's stream goes on, whatever it is
            health.drop("stream", error)

    def _pieces(self, chunk: bytes) -> Sequence[bytes]:
        """Cut *chunk* at the ends of events; an unfinished one is held back only where events may have to be hidden."""
        try:
            self._tape.came(chunk)
            if not self.events or (chunk.find(_END) == len(chunk) - 2 and not self._pending and self._tape.whole):
                return (chunk,)
            return self._cut(self._pending + chunk)
        except Exception as error:  # noqa: BLE001 - the caller's stream goes on, whatever it is
            health.drop("stream", error)
            return (chunk,)

    def _cut(self, chunk: bytes) -> Sequence[bytes]:
        end = _CRLF_END if _CRLF_END in chunk else _END
        *whole, rest = chunk.split(end)
        pieces = [event + end for event in whole]
        self._tape.whole &= end == _END
        if not rest or self._hide_usage:
            self._pending = rest
            return pieces
        self._tape.whole = False
        return [*pieces, rest]

    @guarded("stream", default=lambda _, event: event)
    def _shown(self, event: bytes) -> bytes:
        """What the caller sees of *event*: not the usage it did not ask for."""
        if b'"usage"' in event and _NO_CHOICES.search(event):
            return b""
        return _NULL_USAGE.sub(b"", event)
