"""One run of a callable, recorded as one call; its clock stands still while the consumer of a stream has its turn."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

from ..around import Around
from ..clock import milliseconds
from ..event import JSON
from ..health import guarded
from .call import Call, Emit
from .stopwatch import Stopwatch
from .surfaces import Surface


class RecordedRun(Around):
    """One run, and the `Call` it is recorded as, whose clock runs inside the block of `running`.

    Args:
        surface: how to read what comes back.
        provider: OpenTelemetry's name for the service.
        body: the request.
        fields: further keys of the event; the time to the first token joins them.
        emit: takes the event.
        streamed: whether a stream was asked for.
        client: whose credentials must not reach the record.
        tells_enclosing: whether a decorated function around it leaves the recording to this call.
    """

    def __init__(
        self,
        surface: Surface,
        provider: str,
        body: JSON,
        fields: JSON,
        emit: Emit,
        *,
        streamed: bool,
        client: Any = None,
        tells_enclosing: bool = True,
    ) -> None:
        self._surface = surface
        self._streamed = streamed
        self._body = body
        self._fields = fields
        self._watch = Stopwatch()
        about = {"streamed": streamed, "client": client, "tells_enclosing": tells_enclosing}
        self._call = Call(surface, provider, body, fields, emit, clock=self._watch, **about)

    @guarded("capture", default=lambda _: nullcontext())
    def running(self) -> AbstractContextManager[Any]:
        """The clock runs inside."""
        return self

    @guarded("capture", default=lambda self: self)
    def __enter__(self) -> Self:
        self._watch.start()
        return self

    @guarded("capture")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._watch.stop()

    def disown(self) -> None:
        """Leave the recording to the process that this one was forked from."""
        self._call.disown()

    def happened(self) -> None:
        """Record at least that there was a call."""
        self._call.happened()

    @property
    def _silent(self) -> bool:
        return "time_to_first_token_ms" not in self._fields

    def _look(self, piece: bytes) -> None:
        """Take the time where *piece*, the JSON of a piece of a stream, is the first that says something."""
        if self._silent and self._surface.FIRST_TEXT.search(piece):
            self._fields["time_to_first_token_ms"] = milliseconds(self._watch())
