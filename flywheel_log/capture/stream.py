"""Streams the caller uses as before while what passes is kept: a tap on the SDK's own HTTP response."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Self

from ..health import guarded
from . import sse

COMPACT_AT = 1 << 20
KEEP_AT_MOST = 64 << 20
_NULL_USAGE = re.compile(rb',\s*"usage"\s*:\s*null')
_USAGE_ONLY = re.compile(rb'"choices"\s*:\s*\[\s*\]')

Ended = Callable[[BaseException | None], None]


class Tape:
    """What passed: the events so far, when the first text came, and how long the provider, not the consumer, took.

    Memory is bounded: every megabyte the events are squashed, and what comes after `KEEP_AT_MOST` is left out (`cut`).

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
        self._marker = marker
        self._first_text = first_text
        self._clock = clock
        self._since = 0.0
        self._pieces: list[bytes] = []
        self._size = 0
        self._squashed: list[bytes] = []
        self._kept = 0

    @guarded("clock")
    def __enter__(self) -> Self:
        """Inside the block we wait for the provider."""
        self._since = self._clock()
        return self

    @guarded("clock")
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.waited += self._clock() - self._since

    def keep(self, piece: bytes) -> None:
        """Keep *piece*, which is on its way to the caller."""
        if self.first is None and self._first_text.search(piece):
            self.first = self.waited
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > COMPACT_AT and piece.endswith((b"\n\n", b"\r\n\r\n")):
            self._compact()

    def payloads(self) -> list[bytes]:
        """Everything kept of an event stream, one payload an event, runs of text joined."""
        self._compact()
        return self._squashed

    def body(self) -> bytes:
        """Everything kept of a body that is no event stream."""
        return b"".join(self._pieces)

    def _compact(self) -> None:
        raw = sse.without_padding(b"".join(self._pieces))
        self._pieces, self._size = [], 0
        if self._kept > KEEP_AT_MOST:
            self.cut = True
            return
        fresh = sse.squash(sse.payloads(raw), self._marker)
        self._squashed += fresh
        self._kept += sum(map(len, fresh))


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
        source = self._read(*args, **kwargs)
        with self:
            while True:
                with self._tape:
                    chunk = next(source, None)
                if chunk is None:
                    break
                for piece in self._split(chunk):
                    if shown := self._pass(piece):
                        yield shown
            if self._pending and (shown := self._pass(self._pending)):
                yield shown

    async def aiter_bytes(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        """Read as the response does, event by event."""
        source = self._aread(*args, **kwargs)
        with self:
            while True:
                with self._tape:
                    chunk = await anext(source, None)
                if chunk is None:
                    break
                for piece in self._split(chunk):
                    if shown := self._pass(piece):
                        yield shown
            if self._pending and (shown := self._pass(self._pending)):
                yield shown

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

    @guarded("stream", default=lambda _, chunk: [chunk])
    def _split(self, chunk: bytes) -> list[bytes]:
        """Cut *chunk* at the ends of events; an unfinished one is held back only where events may have to be hidden."""
        if self._ended is None or not self.events:
            return [chunk]
        chunk = self._pending + chunk
        end = b"\r\n\r\n" if b"\r\n\r\n" in chunk else b"\n\n"
        *whole, rest = chunk.split(end)
        pieces = [event + end for event in whole]
        self._pending = rest if self._hide_usage else b""
        return [*pieces, rest] if rest and not self._hide_usage else pieces

    @guarded("stream", default=lambda _, piece: piece)
    def _pass(self, piece: bytes) -> bytes:
        """Keep *piece*, and return what of it the caller sees."""
        if self._ended is not None:
            self._tape.keep(piece)
        if not self._hide_usage:
            return piece
        if b'"usage"' in piece and _USAGE_ONLY.search(piece):
            return b""
        return _NULL_USAGE.sub(b"", piece)
