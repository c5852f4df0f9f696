"""LiteLLM's calls on record: a callback for `litellm.callbacks`."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import Any

try:
    from litellm.integrations.custom_logger import CustomLogger
except ImportError:
    raise ImportError("LiteLLM is not installed; `pip install 'flywheel-log[litellm]'` does it") from None

from .. import recorder, scope
from ..capture import wire
from ..capture.enclosing import Enclosing, MeetingPoint, enclosing, meeting_point
from ..capture.outcome import Outcome, of_error
from ..capture.reported import ReportedCall
from ..capture.surfaces import Surface
from ..event import JSON
from ..health import guarded
from ..scope.fields import fields_of
from ..scope.place import opened
from ..semconv import provider_of
from .answer import without_nulls
from .request import body_of, is_uncounted, metadata_of, named, surface_of

__all__ = ["FlywheelLogger"]

_KEY = "flywheel_log"
_CALL = "litellm_call_id"


class FlywheelLogger(CustomLogger):
    """Record every call that LiteLLM makes: `litellm.callbacks = [FlywheelLogger()]`.

    A call becomes one event in the shape of OpenAI's API, whoever the vendor is: sync and async, streams, tools and
    errors, with LiteLLM's price. Where LiteLLM makes it by an instrumented client, that client's record is the one: it
    has what went over the wire, and the fields given here. Of the `metadata` of a call, `workload_id`, `user_id`,
    `session_id` and `tags` are stamped, too.

    Args:
        workload_id: the task or node, stable over time (not a session): what datasets are made by.
        **fields: what `context` takes.

    Raises:
        TypeError: a field is none of an event's.
    """

    def __init__(self, workload_id: str | None = None, **fields: Any) -> None:
        super().__init__()
        self._own = fields_of(workload_id=workload_id, **fields)
        # An attribute, not a method: for a class that has the method, LiteLLM takes other ways to make a call.
        self.async_pre_call_deployment_hook = _about_to_call  # type: ignore[method-assign,assignment]

    @guarded("litellm")
    def log_pre_api_call(self, model: str, messages: Any, kwargs: JSON) -> None:
        """A call is about to be made, here and now."""
        surface = surface_of(kwargs)
        known = _ticket(kwargs)
        if surface is None or scope.suppressed() or (known is not None and not known.done):
            return
        _let_go()
        fields = scope.merge(scope.merge(scope.current(), self._own), named(kwargs))
        kwargs[_KEY] = _Ticket(surface, body_of(surface.NAME, model, messages, kwargs), opened(fields), kwargs)

    @guarded("litellm")
    def log_success_event(self, kwargs: JSON, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call has been answered, or its stream is over."""
        ticket = self._ticket(kwargs)
        if ticket is not None:
            ticket.timed(kwargs, start_time, end_time)
            ticket.answered(response_obj, kwargs)

    @guarded("litellm")
    def log_failure_event(self, kwargs: JSON, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call has failed."""
        ticket = self._ticket(kwargs)
        if ticket is not None:
            ticket.timed(kwargs, start_time, end_time)
            ticket.failed(kwargs.get("exception"), kwargs)

    async def async_log_success_event(self, kwargs: JSON, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call has been answered, or its stream is over."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(self, kwargs: JSON, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call has failed."""
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def _ticket(self, kwargs: JSON) -> _Ticket | None:
        """The call that *kwargs* is about; where LiteLLM said nothing at its beginning, it is taken to begin now."""
        if kwargs.get("cache_hit"):  # Nobody was called.
            return None
        if _ticket(kwargs) is None:
            self.log_pre_api_call(str(kwargs.get("model") or ""), kwargs.get("messages"), kwargs)
        return _ticket(kwargs)


class _Ticket:
    """What LiteLLM carries along with a call, from its beginning to its end, and drops with a stream that is left.

    Attributes:
        done: whether the end has been told.
    """

    def __init__(self, surface: Surface, body: JSON, fields: scope.Fields, kwargs: JSON) -> None:
        self.done = True  # Until there is something to be ended.
        self._clock = _Clock()
        self._cost: float | None = None
        self._estimated = is_uncounted(kwargs)
        self._streamed = kwargs.get("stream") is True
        provider = provider_of(str(kwargs.get("custom_llm_provider") or "unknown"))
        at = meeting_point(str(kwargs.get(_CALL)))
        self._call = ReportedCall(
            surface, provider, body, fields, self._emit, enclosing=_EnclosingCall(), at=at, clock=self._clock
        )
        self.done = False

    @guarded("litellm")
    def timed(self, kwargs: JSON, start: Any, end: Any) -> None:
        """LiteLLM has measured the call: its events come later, and from another thread."""
        self.done = True
        begun = kwargs.get("api_call_start_time") or start
        first = kwargs.get("completion_start_time")
        if kwargs.get("stream"):
            self._clock.stop_after(begun, first)
            self._call.heard(text=isinstance(first, datetime))
        self._clock.stop_after(begun, end)
        if tried := metadata_of(kwargs).get("previous_models"):
            self._call.retries = len(tried)

    @guarded("litellm", default=lambda ticket, *_: ticket.unread())
    def answered(self, response: Any, kwargs: JSON) -> None:
        """The call has come to its end with *response*."""
        cost = kwargs.get("response_cost")
        self._cost = cost if isinstance(cost, float) and cost > 0 else None
        self._call.over(Outcome(without_nulls(response)))

    @guarded("litellm", default=lambda ticket, *_: ticket.unread())
    def failed(self, error: Any, kwargs: JSON) -> None:
        """The call has failed, perhaps after a part of its answer had come."""
        found = of_error(error if isinstance(error, BaseException) else RuntimeError("LiteLLM tells of no exception"))
        key = (kwargs.get("litellm_params") or {}).get("api_key") or kwargs.get("api_key")
        secrets = (key,) if isinstance(key, str) and key else ()
        response, said = wire.scrubbed(found.response, secrets), wire.scrubbed(found.error, secrets)
        self._call.over(Outcome(response, said, whole=found.whole))

    def unread(self) -> None:
        """The call is over, and what LiteLLM says of it cannot be read."""
        self._call.unread()

    def _emit(self, event: Any) -> object:
        if self._estimated and "error" not in event:
            event["usage_source"] = "estimated"
        return recorder.record(event | ({"cost_usd": self._cost} if self._cost is not None else {}))

    def __copy__(self) -> _Ticket:
        return self

    def __deepcopy__(self, _: Any) -> _Ticket:
        return self

    def __del__(self) -> None:
        if not self.done:
            if self._streamed:
                self._call.heard(text=False)
            self._call.ended(None)


class _Clock:
    """Seconds that go by until somebody says when they have ended."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._stopped: float | None = None

    def __call__(self) -> float:
        return time.perf_counter() if self._stopped is None else self._stopped

    def stop_after(self, start: Any, end: Any) -> None:
        """Stand still at what has gone by between *start* and *end*."""
        if isinstance(start, datetime) and isinstance(end, datetime):
            self._stopped = self._began + (end - start).total_seconds()


class _EnclosingCall(Enclosing):
    """What LiteLLM itself calls is inside; what the consumer of a stream calls meanwhile is not."""

    def in_force(self) -> bool:
        return super().in_force() and _called_by_litellm()


async def _about_to_call(kwargs: Any, _: Any) -> None:
    """A coroutine of LiteLLM's is about to call, here; that it does is told in a thread, for some kinds of calls."""
    _here(kwargs)


@guarded("litellm")
def _here(kwargs: JSON) -> None:
    _let_go()
    if name := kwargs.get(_CALL):
        _MeetingPoint(str(name))


class _MeetingPoint(MeetingPoint):
    """Where a coroutine of LiteLLM calls."""


def _let_go() -> None:
    """End what earlier calls of LiteLLM hold here: whatever they had to call themselves, they have called by now."""
    while isinstance(held := enclosing(), (_EnclosingCall, _MeetingPoint)):
        held.end()


def _called_by_litellm() -> bool:
    frame: Any = sys._getframe(1)  # noqa: SLF001 - the one way to learn who calls
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "litellm":
            return True
        frame = frame.f_back
    return False


def _ticket(kwargs: JSON) -> _Ticket | None:
    ticket = kwargs.get(_KEY)
    return ticket if isinstance(ticket, _Ticket) else None
