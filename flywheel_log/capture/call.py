"""One call in flight, and the single event it becomes: when it returns, fails, or its stream ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast
from weakref import WeakSet

from ..clock import timestamp
from ..event import JSON, Event
from ..health import guarded
from . import outcome, wire
from .outcome import Outcome
from .outer import outer
from .stream import Tap, is_event_stream
from .surfaces import Surface
from .tape import Tape

Emit = Callable[[Event], object]

_active: ContextVar[Call | None] = ContextVar("flywheel_log.call", default=None)
_open: WeakSet[Call] = WeakSet()

_never_lost = guarded("capture", default=lambda call, *_: call.happened())


def active() -> Call | None:
    """The call whose request is under way in this task or thread."""
    call = _active.get()
    # A task started by a transport inherits the variable, and may outlive the request.
    return call if call is not None and call.under_way else None


def abandon_open() -> None:
    """End every stream still open, as the process is about to exit; each becomes one `incomplete` event."""
    for call in list(_open):
        call.ended(GeneratorExit())


@dataclass(slots=True)  # Not frozen: that doubles what it costs to make one, at every call.
class Asked:
    """What is known of a call before it is sent.

    Attributes:
        surface: how to read what comes back.
        provider: OpenTelemetry's name for the service, e.g. `openai`.
        body: the request as the SDK was given it, for when the bytes on the wire cannot be had.
        fields: who calls, and for what: further keys of the event.
        streamed: whether the caller asked for a stream.
        client: whose credentials must not reach the record.
    """

    surface: Surface
    provider: str
    body: JSON
    fields: Mapping[str, Any] = field(default_factory=dict)
    streamed: bool = False
    client: Any = None


class Call:
    """Inside the block (`with call:`) the request is under way; it ends when `answered`, `failed` or `ended`.

    Args:
        asked: what is known before.
        emit: takes the event, once.
        asked_usage: whether the token counts of the stream are our wish, to be hidden from the caller.
        counted: whether a decorated function around it leaves the recording to this call.
        clock: seconds, monotonic.
        now: seconds since 1970.
    """

    def __init__(
        self,
        asked: Asked,
        emit: Emit,
        *,
        asked_usage: bool = False,
        counted: bool = True,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.asked_usage = asked_usage
        self.under_way = False
        self._before: Call | None = None
        self._asked = asked
        self._surface = asked.surface
        self._emit: Emit | None = emit
        self._clock = clock
        self._timestamp = now()
        self._started = clock()
        self._waited: float | None = None
        self._http: Any = None
        self._retries: int | None = None
        self._tape: Tape | None = None
        self._tap: Tap | None = None
        told = outer() if counted else None
        if told is not None:
            told.tell()

    @guarded("capture", default=lambda self: self)
    def __enter__(self) -> Self:
        self._before = _active.get()
        _active.set(self)
        self.under_way = True
        return self

    @guarded("capture")
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.under_way = False
        # A coroutine may be closed in another context than it ran in; there is nothing to put back there.
        if _active.get() is self:
            _active.set(self._before)

    @guarded("capture")
    def arrived(self, http: Any, retries: int | None) -> None:
        """The SDK is about to read *http*: the one moment when every kind of call shows its HTTP response."""
        self._http, self._retries = http, retries
        self._waited = self._clock() - self._started

    @_never_lost
    def answered(self, result: Any, surface: Surface | None = None) -> None:
        """The SDK returned *result*, of *surface* where that is known better by now.

        The call is over, or it will be when the body that was left to the caller has been read.
        """
        self._surface = surface or self._surface
        http = self._http = self._http or wire.http_response(result)
        if self._waited is None:
            self._waited = self._clock() - self._started
        if http is None:
            self._finish(outcome.of_result(result))
        elif self._asked.streamed or not http.is_closed:
            self._listen(http)
        else:
            self._finish(outcome.of_body(http.content, http))

    @_never_lost
    def failed(self, error: BaseException) -> None:
        """The SDK raised *error* instead of a result."""
        self._http = wire.http_of(error) or self._http
        self._waited = self._clock() - self._started
        self._finish(outcome.of_error(error))

    @_never_lost
    def conclude(self, found: Outcome) -> None:
        """The call is over, and whoever drove it has read its *found* outcome."""
        if self._waited is None:
            self._waited = self._clock() - self._started
        self._finish(found)

    @_never_lost
    def ended(self, error: BaseException | None) -> None:
        """The body that was left to the caller to read is over; *error* is what ended it early."""
        _open.discard(self)
        tap, tape = self._tap, self._tape
        if tap is None or tape is None:
            return
        tape.stop()
        self._waited = tape.waited
        if tap.events:
            self._finish(outcome.of_stream(self._surface, tape, self._asked.body, self._http, error))
        else:
            self._finish(outcome.of_partial_body(tape, self._http, error))

    def _listen(self, http: Any) -> None:
        surface, events = self._surface, is_event_stream(http)
        self._tape = Tape(surface.TEXT, surface.FIRST_TEXT, self._waited or 0.0, self._clock, events=events)
        self._tap = Tap(http, self._tape, self.ended, hide_usage=self.asked_usage)
        _open.add(self)

    def _finish(self, found: Outcome) -> None:
        if self._emit is not None:
            event = self._event(found)
            emit, self._emit = self._emit, None
            emit(event)

    @guarded("capture")
    def happened(self) -> None:
        """Record that there was a call, though not what it said: reading it failed."""
        emit, self._emit = self._emit, None
        if emit is not None:
            surface = self._asked.surface
            event: JSON = {"timestamp": timestamp(self._timestamp), "kind": surface.KIND, "surface": surface.NAME}
            emit(cast(Event, event | {"status": "incomplete", "training_unsafe": ["capture_failed"]}))

    def _event(self, found: Outcome) -> Event:
        asked = self._asked
        event: JSON = {
            "timestamp": timestamp(self._timestamp),
            "kind": asked.surface.KIND,
            **asked.fields,
            "surface": self._surface.NAME,
            "provider": asked.provider,
            "status": found.status,
        }
        if isinstance(model := asked.body.get("model"), str):
            event["model"] = model
        if isinstance(user := asked.body.get("user"), str):
            event.setdefault("user_id", user)
        self._add_figures(event)
        if found.error is None:
            self._add_answer(event, found)
        else:
            self._add_error(event, found)
        return cast(Event, event)

    def _add_figures(self, event: JSON) -> None:
        streamed = self._asked.streamed or (self._tap is not None and self._tap.events)
        event["latency_ms"], event["streamed"] = round((self._waited or 0.0) * 1000, 2), streamed
        if streamed and self._tape is not None and self._tape.first is not None:
            event["time_to_first_token_ms"] = round(self._tape.first * 1000, 2)
        retries = wire.retries(self._http) if self._retries is None else self._retries
        if retries is not None:
            event["retries"] = retries

    def _add_answer(self, event: JSON, found: Outcome) -> None:
        """Add the answer, and marks that say why no dataset should take it by accident."""
        response = found.response
        marks = [] if found.whole else ["incomplete"]
        if response is not None:
            counts = outcome.counts(self._surface, response)
            event |= counts
            event["usage_source"] = self._usage_source(counts)
            marks += outcome.marks(self._surface, response)
        if marks:
            event["training_unsafe"] = marks
        event["request"] = wire.request_body(self._http) or self._asked.body
        if response is not None:
            event["response"] = response

    def _add_error(self, event: JSON, found: Outcome) -> None:
        """Add what went wrong; providers repeat credentials in such texts."""
        secrets = (*wire.secrets_of(self._asked.client), *wire.credentials(self._http))
        event["training_unsafe"] = ["error"]
        event["error"] = wire.scrubbed(found.error, secrets)
        event["request"] = wire.scrubbed(wire.request_body(self._http) or self._asked.body, secrets)
        if found.response is not None:
            event["response"] = wire.scrubbed(found.response, secrets)

    def _usage_source(self, counts: JSON) -> str:
        if not counts:
            return "missing"
        return "requested" if self.asked_usage else "api"
