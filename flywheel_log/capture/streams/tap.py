"""Streams that the caller uses as before while we keep what passes: a tap on the SDK's own HTTP response."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Sequence
from itertools import pairwise
from typing import Any, Self

from ...health import guarded
from .sized import asized, sized
from .sse import is_text
from .tape import ALIKE_NONE, NO_USAGE, USAGE, Tape

_ENDS = re.compile(rb"(?>\r\n|\n|\r){2}")  # Every way that the standard has to end an event.
CHUNKS_AT_ONCE = 256
_GAP = rb"(?:\s|(?<=[\r\n])data:)*"  # The data of an event may go on in a line of its own.
_NULL = rb'"usage"' + _GAP + b":" + _GAP + b"null"
_NULL_USAGE = re.compile(b"," + _GAP + _NULL + b"|" + _NULL + _GAP + b",")
_NO_CHOICES = re.compile(rb'"choices"' + _GAP + b":" + _GAP + rb"\[" + _GAP + rb"\]")
_DATA = re.compile(rb"(?:\A|[\r\n])data:")
_QUOTE = b'"'
_READERS = ("iter_bytes", "aiter_bytes", "close", "aclose")

Ended = Callable[[BaseException | None], None]


class Tap:
    """Sits on one HTTP response and keeps what is read from it; the SDK's stream objects stay its own.

    Chunks of the network are handed on event by event, so that what was kept is what the program took when it stops
    early. Every way to read (`for`, `next`, `iter_lines`, `read`, `parse`) comes down to `iter_bytes`.

    Args:
        response: the SDK's HTTP response, httpx or httpx2, its body not read yet.
        tape: where to keep what passes.
        ended: called once, with what ended the reading early: an error, GeneratorExit, or None.
    """

    def __init__(self, response: Any, tape: Tape, ended: Ended) -> None:
        self._response = response
        self._tape = tape
        self._ended: Ended | None = ended
        self._hide_usage = tape.hide_usage
        self._pending = b""
        self._sized = self._single = False
        self._read, self._aread, self._close, self._aclose = (getattr(response, name) for name in _READERS)
        for name in _READERS:
            setattr(response, name, getattr(self, name))

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Read as the response does, event by event unless in chunks of a given size."""
        if chunk_size is None or not self._hide_usage:
            return self._passed(chunk_size)
        return sized(self._passed(None), chunk_size)

    def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Read as the response does, event by event unless in chunks of a given size."""
        if chunk_size is None or not self._hide_usage:
            return self._apassed(chunk_size)
        return asized(self._apassed(None), chunk_size)

    # The two readers differ by `async`. They run for every chunk of every stream, among hundreds of calls of the SDK's
    # that leave nothing of ours in the processor's caches, so that the common case calls one function of ours.

    def _passed(self, chunk_size: int | None) -> Generator[bytes, None, None]:
        tape, clock, looking, room = self._tape, self._begin(chunk_size), True, CHUNKS_AT_ONCE
        run, hide, (head, seam, end, start, skip, size) = tape.run, self._hide_usage, ALIKE_NONE
        with self:
            asked = tape.asked = clock()
            for chunk in self._read(chunk_size):
                tape.waited += clock() - asked
                tape.asked = None
                if looking:
                    looking = self._look(chunk)
                stop = chunk.find(seam, start) if chunk.startswith(head) and chunk.endswith(end) else -1
                alike = stop >= 0 and chunk.find(_QUOTE, stop + skip) == len(chunk) - size
                if alike and (_QUOTE not in (text := chunk[start:stop]) or is_text(text)):
                    run.append(text)
                    yield chunk.replace(NO_USAGE, b"") if hide else chunk
                elif self._single and (shown := tape.take(chunk)) is not None:
                    head, seam, end, start, skip, size = tape.alike
                    yield shown
                else:
                    head, seam, end, start, skip, size = ALIKE_NONE
                    for piece in self._pieces(chunk):
                        if shown := self._taken(piece):
                            yield shown
                room = room - 1 or self._compacted()
                asked = tape.asked = clock()
            tape.stop()
            if shown := self._rest():
                yield shown

    async def _apassed(self, chunk_size: int | None) -> AsyncGenerator[bytes, None]:
        tape, clock, looking, room = self._tape, self._begin(chunk_size), True, CHUNKS_AT_ONCE
        run, hide, (head, seam, end, start, skip, size) = tape.run, self._hide_usage, ALIKE_NONE
        with self:
            asked = tape.asked = clock()
            async for chunk in self._aread(chunk_size):
                tape.waited += clock() - asked
                tape.asked = None
                if looking:
                    looking = self._look(chunk)
                stop = chunk.find(seam, start) if chunk.startswith(head) and chunk.endswith(end) else -1
                alike = stop >= 0 and chunk.find(_QUOTE, stop + skip) == len(chunk) - size
                if alike and (_QUOTE not in (text := chunk[start:stop]) or is_text(text)):
                    run.append(text)
                    yield chunk.replace(NO_USAGE, b"") if hide else chunk
                elif self._single and (shown := tape.take(chunk)) is not None:
                    head, seam, end, start, skip, size = tape.alike
                    yield shown
                else:
                    head, seam, end, start, skip, size = ALIKE_NONE
                    for piece in self._pieces(chunk):
                        if shown := self._taken(piece):
                            yield shown
                room = room - 1 or self._compacted()
                asked = tape.asked = clock()
            tape.stop()
            if shown := self._rest():
                yield shown

    def close(self) -> None:
        """Close the response; what was not read by then is left."""
        try:
            self._close()
        finally:
            self._closed()

    async def aclose(self) -> None:
        """Close the response; what was not read by then is left."""
        try:
            await self._aclose()
        finally:
            self._closed()

    @guarded("stream")
    def _closed(self) -> None:
        # A response closes itself before it gives out the last that its decoder holds: then the reading goes on.
        if self._tape.asked is None:
            self.end(None)

    @guarded("stream")
    def end(self, error: BaseException | None) -> None:
        """Tell once that the reading is over, and leave the response as it was."""
        ended, self._ended = self._ended, None
        if ended is not None:
            for name in _READERS:
                vars(self._response).pop(name, None)
            ended(error)

    def __enter__(self) -> Self:
        return self

    @guarded("stream")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.end(error)

    def __del__(self) -> None:
        self.end(GeneratorExit())

    @guarded("stream", default=lambda *_: float)
    def _begin(self, chunk_size: int | None) -> Callable[[], float]:
        """Get ready to read, and return a clock that works."""
        self._sized = chunk_size is not None
        self._single = self._tape.events and not self._sized
        self._tape.whole &= not self._sized
        self._tape.clock()  # One that does not work raises here.
        return self._tape.clock

    @guarded("stream")
    def _look(self, chunk: bytes) -> bool:
        return self._tape.look(chunk)

    @guarded("stream", default=lambda _: CHUNKS_AT_ONCE)
    def _compacted(self) -> int:
        self._tape.compact()
        return CHUNKS_AT_ONCE

    @guarded("stream", default=lambda _, chunk: (chunk,))
    def _pieces(self, chunk: bytes) -> Sequence[bytes]:
        """Cut *chunk* at the ends of events; an unfinished one is held back only where events may have to be hidden."""
        if not self._tape.events or self._sized:
            return (chunk,)
        chunk = self._pending + chunk
        ends = [end.end() for end in _ENDS.finditer(chunk)]
        pieces = [chunk[start:end] for start, end in pairwise([0, *ends])]
        rest = chunk[ends[-1] :] if ends else chunk
        self._tape.whole &= b"\r" not in chunk
        if self._hide_usage:
            self._pending, self._single = rest, not rest
        elif rest:
            self._tape.whole = self._single = False
            pieces.append(rest)
        return pieces

    @guarded("stream", default=lambda _, piece: piece)
    def _taken(self, piece: bytes) -> bytes:
        """Keep *piece*, which the caller takes now; return what it sees of it."""
        self._tape.keep(piece)
        if self._tape.reports(piece):
            self.end(None)  # The SDK will raise what it reports, and may leave the response open while that is held.
        return self._shown(piece)

    @guarded("stream", default=lambda _, event: event)
    def _shown(self, event: bytes) -> bytes:
        """What the caller sees of *event*: not the usage it did not ask for. What has no data is a body instead."""
        if not self._hide_usage or USAGE not in event or not _DATA.search(event):
            return event
        if USAGE not in (shown := event.replace(NO_USAGE, b"")):
            return shown
        event = _NULL_USAGE.sub(b"", event)
        return b"" if USAGE in event and _NO_CHOICES.search(event) else event

    @guarded("stream", default=lambda tap: tap._pending)  # noqa: SLF001 - what was held back is the caller's
    def _rest(self) -> bytes:
        """What was held back of a last event that has no end, now that everything has come."""
        self._tape.over = True
        if self._pending:
            self._tape.keep(self._pending)
        return self._shown(self._pending)


def is_event_stream(response: Any) -> bool:
    """Whether *response* says that it is a stream of server-sent events."""
    return str(response.headers.get("content-type", "")).startswith("text/event-stream")
