"""One call that a framework's callbacks report, from its start to the single event it becomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from ..clock import milliseconds
from ..event import JSON, Event
from ..health import guarded
from ..scope.place import stamped
from .call import Call, Emit
from .enclosing import Enclosing, MeetingPoint
from .open_streams import unended
from .outcome import Outcome
from .surfaces import Surface


class ReportedCall(Call):
    """A call under way that is only heard of: it records itself, unless a recorded client is called inside.

    From its making until its first token or its end, the calls made here carry *fields* and are told to it: that of the
    client, which knows what went over the wire, is the one record then, under the names of the callbacks' owner.

    Args:
        surface: the shape in which *body* is, and the answer will be.
        provider: OpenTelemetry's name for the service.
        body: the request as far as it is known.
        fields: in force for what is called inside, and stamped on the event.
        emit: takes the event, at most once.
        enclosing: learns of the calls made inside, and tells where inside is.
        at: where the calls inside are made, if not only in contexts that come from here.
        clock: seconds, monotonic.

    Attributes:
        retries: how often it was tried again, as far as the callbacks say.
    """

    def __init__(
        self,
        surface: Surface,
        provider: str,
        body: JSON,
        fields: Mapping[str, Any],
        emit: Emit,
        *,
        enclosing: Enclosing | None = None,
        at: MeetingPoint | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.retries: int | None = None
        self._asked = body
        self._carried: JSON = dict(fields)
        self._stamps: JSON = dict(stamped(fields))
        self._enclosing = enclosing or Enclosing()
        self._enclosing.hold(self._carried)
        if at is not None:
            at.take(self._enclosing, self._carried)
        self._began = clock()
        self._first: float | None = None
        self._heard = False
        super().__init__(
            surface, provider, body, self._stamps, self._with_figures(emit), tells_enclosing=False, clock=clock
        )
        # Whoever is around it may be over before anybody tells of this call's end, which comes from another thread.
        for around in (self._enclosing.around, at.around if at is not None else None):
            if around is not None:
                around.tell()
        unended.add(self)

    def rename(self, fields: Mapping[str, Any]) -> None:
        """Carry *fields*, too, over those there were."""
        self._carried.update(fields)
        self._stamps.update(fields)

    @guarded("capture")
    def heard(self, *, text: bool) -> None:
        """A piece of the answer has come; *text* tells whether it says anything.

        The consumer gets it next, in the same context, and what it calls in between is none of this call's.
        """
        self._enclosing.end()
        self._heard = True
        self._asked["stream"] = True
        if text and self._first is None:
            self._first = self._clock() - self._began

    def over(self, found: Outcome, http: Any = None) -> None:
        """The call has *found* its end; *http* is the exchange behind an error, where it is at hand."""
        if self._is_mine():
            self.came(http, self.retries)
            self.conclude(found)

    def unread(self) -> None:
        """The call is over, and reading what it said has failed."""
        if self._is_mine():
            self.happened()

    def unmade(self) -> None:
        """There was no call after all."""
        self._is_mine()

    def ended(self, error: BaseException | None) -> None:  # noqa: ARG002 - of `Call`; here nobody knows why
        """Nobody will tell of an end any more."""
        self.over(Outcome(None, whole=False))

    def _is_mine(self) -> bool:
        """Whether the event is this call's to make, now that it is over, and not that of a client inside."""
        self._enclosing.end()
        mine = not self._enclosing.called
        self._enclosing.tell()
        return mine

    def _with_figures(self, emit: Emit) -> Emit:
        def emitted(event: Event) -> object:
            figures: JSON = {"streamed": True} if self._heard else {}
            if self._first is not None:
                figures["time_to_first_token_ms"] = milliseconds(self._first)
            return emit(cast(Event, event | figures))

        return emitted
