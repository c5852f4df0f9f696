"""One call in flight, and the single event it becomes: when it returns, fails, or its stream ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from ..clock import milliseconds, timestamp
from ..event import JSON, Event
from ..health import guarded, health
from . import load, outcome, wire
from .enclosing import enclosing
from .open_streams import unended
from .outcome import Outcome
from .streams import amazon
from .streams.tap import Tap, is_event_stream
from .streams.tape import Tape
from .surfaces import Surface
from .under_way import Requesting, current

Emit = Callable[[Event], object]

_never_lost = guarded("capture", default=lambda call, *_: call.happened())


class Call:
    """Between `enter` and `leave` the request is under way.

    The call is over when it `answered`, `failed`, `concluded` or `ended`; the first two leave it, too. What runs here
    for a plain answer is written for the caller's thread: the SDK leaves nothing of ours in the processor's caches, so
    that every function and every object counts.

    Args:
        surface: how to read what comes back.
        provider: OpenTelemetry's name for the service, e.g. `openai`.
        body: the request as the SDK was given it, for when the bytes on the wire cannot be had.
        fields: who calls, and for what: further keys of the event.
        emit: takes the event, once.
        streamed: whether the caller asked for a stream.
        client: whose credentials must not reach the record.
        tells_enclosing: whether a decorated function around it leaves the recording to this call.
        clock: seconds, monotonic.
        now: seconds since 1970.
    """

    __slots__ = (
        *("__weakref__", "_before", "_body", "_client", "_clock", "_emit", "_fields", "_http", "_provider", "_retries"),
        *("_started", "_surface", "_tap", "_tape", "_timestamp", "_waited", "asked_usage", "streamed", "under_way"),
    )

    def __init__(
        self,
        surface: Surface,
        provider: str,
        body: Mapping[str, Any],
        fields: Mapping[str, Any],
        emit: Emit,
        *,
        streamed: bool = False,
        client: Any = None,
        tells_enclosing: bool = True,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.asked_usage = False  # Whether the token counts of the stream are our wish, to be hidden from the caller.
        self.under_way = False
        self._before: Requesting | None = None
        self._surface = surface
        self._provider = provider
        self._body = body
        self._fields = fields
        self._emit: Emit | None = emit
        self.streamed = streamed
        self._client = client
        self._clock = clock
        self._waited: float | None = None
        self._http: Any = None
        self._retries: int | None = None
        self._tape: Tape | None = None
        self._tap: Tap | None = None
        if tells_enclosing and (told := enclosing()) is not None:
            told.tell()
        self._timestamp = now()
        self._started = clock()

    def enter(self) -> None:
        """From now on what is called here belongs to this call's request."""
        self._before = current.get()
        current.set(self)
        self.under_way = True

    def leave(self) -> None:
        """The request is over, or goes on elsewhere."""
        self.under_way = False
        # A coroutine may be closed in another context than it ran in; there is nothing to put back there.
        if current.get() is self:
            current.set(self._before)

    def came(self, http: Any, retries: int | None) -> None:
        """*http* has come, if any, after so many *retries*."""
        self._waited = self._clock() - self._started
        self._http, self._retries = http, retries
        if not self._body:
            self._body = wire.written_object(http)

    def answered(self, result: Any, surface: Surface | None = None) -> None:
        """The SDK returned *result*, of *surface* where that is known better by now.

        The call is over, or it will be when the body that was left to the caller has been read.
        """
        try:
            self.leave()
            http = self._http
            if http is None:
                http = self._http = wire.http_response(result)
                self._surface = surface or self._surface
            if self._waited is None:
                self._waited = self._clock() - self._started
            if http is None:
                self._finish(outcome.of_result(result))
            elif self.streamed or not http.is_closed:
                self._listen(http)
            else:
                self._finish(self._read(http, parsed=hasattr(result, "model_dump")))
        except Exception as error:  # noqa: BLE001 - `_never_lost`, without what a decorator costs
            self.happened()
            health.drop("capture", error)

    @_never_lost
    def failed(self, error: BaseException) -> None:
        """The SDK raised *error* instead of a result."""
        self.leave()
        self._http = wire.http_of(error) or self._http
        self._body = self._body or wire.written_object(self._http)
        self._waited = self._clock() - self._started
        self._finish(outcome.of_error(error, self._http))

    @_never_lost
    def conclude(self, found: Outcome, surface: Surface | None = None) -> None:
        """The call is over, and its outcome *found*, of *surface* where that is known better by now."""
        self._surface = surface or self._surface
        if self._waited is None:
            self._waited = self._clock() - self._started
        self._finish(found)

    @_never_lost
    def ended(self, error: BaseException | None) -> None:
        """The body that was left to the caller to read is over; *error* is what ended it early."""
        unended.discard(self)
        tap, tape = self._tap, self._tape
        if tap is None or tape is None:
            return
        tape.stop()
        self._waited = tape.waited
        found = outcome.of_stream(self._surface, tape, dict(self._body), self._http, error)
        self._finish(found or outcome.of_partial_body(tape, self._http, error))

    def _read(self, http: Any, *, parsed: bool) -> Outcome:
        if self._body.get("stream") is not True or not is_event_stream(http):
            return outcome.of_body(http.content, http, parsed=parsed)
        # Asked for by a body that the SDK has not looked into; it has read the events as if they were one answer.
        self.streamed = True
        tape = Tape(self._surface, 0.0)
        tape.hear(http.content)
        return outcome.of_stream(self._surface, tape, dict(self._body), http, None) or Outcome(None)

    def _listen(self, http: Any) -> None:
        # Whoever asked for a stream reads events, whatever the server calls them; some say nothing, or `text/plain`.
        waited, hide = self._waited or 0.0, self.asked_usage
        events = is_event_stream(http) or (self.streamed and not amazon.is_stream(http))
        self._tape = Tape(self._surface, waited, self._clock, events=events, hide_usage=hide)
        self._tap = Tap(http, self._tape, self.ended)
        unended.add(self)

    def _finish(self, found: Outcome) -> None:
        if self._emit is not None:
            event = self._event(found)
            emit, self._emit = self._emit, None
            if emit is not None:  # Else another thread, which has ended it at the end of recording, was faster.
                emit(event)

    def disown(self) -> None:
        """Record nothing of this call here: a stream that is open while the process forks is the parent's to record."""
        self._emit = None

    @guarded("capture")
    def happened(self) -> None:
        """Record that there was a call, though not what it said: reading it failed."""
        emit, self._emit = self._emit, None
        if emit is not None:
            event: JSON = {"timestamp": timestamp(self._timestamp), "kind": self._surface.KIND, **self._fields}
            event |= {"surface": self._surface.NAME, "provider": self._provider, "streamed": self.streamed}
            if isinstance(model := self._body.get("model"), str):
                event["model"] = model
            emit(cast(Event, event | {"status": "incomplete", "training_unsafe": ["capture_failed"]}))

    def _event(self, found: Outcome) -> Event:
        surface, http = self._surface, self._http
        event: JSON = {
            "timestamp": timestamp(self._timestamp),
            "kind": surface.KIND,
            **self._fields,
            "surface": surface.NAME,
            "provider": self._provider,
            "status": found.status,
            "latency_ms": milliseconds(self._waited or 0.0),
            "streamed": self.streamed,
        }
        body = self._body
        if isinstance(model := body.get("model"), str):
            event["model"] = model
        if "user" in body and isinstance(user := body["user"], str):
            event.setdefault("user_id", user)
        if self._tap is not None:
            self._add_stream(event, found)
        if (retries := wire.retries(http) if self._retries is None else self._retries) is not None:
            event["retries"] = retries
        if http is not None and (told := load.load_of(http)):
            event |= told
        event["request"] = (wire.request_body(http) if body else wire.written_body(http)) or wire.given(body)
        if found.response is not None:
            event["response"] = found.response
        if found.error is not None:
            self._add_error(event, found)
        elif not found.whole:
            event["training_unsafe"] = ["incomplete"]
        return cast(Event, event)

    def _add_stream(self, event: JSON, found: Outcome) -> None:
        event["streamed"] = self.streamed or (self._tape is not None and self._tape.events)
        if event["streamed"] and self._tape is not None and (first := self._tape.first) is not None:
            event["time_to_first_token_ms"] = milliseconds(first)
        if self.asked_usage and found.error is None:
            event["usage_source"] = "requested"

    def _add_error(self, event: JSON, found: Outcome) -> None:
        """Add what went wrong; providers repeat credentials in such texts."""
        secrets = (*wire.secrets_of(self._client), *wire.credentials(self._http))
        event["training_unsafe"] = ["error"]
        event["error"] = found.error
        for key in ("error", "request", "response"):
            if key in event:
                event[key] = wire.scrubbed(event[key], secrets)
