"""`trace` and `step`: what happened in one request, from end to end, as a tree of timed steps with the calls in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

from .. import scope, w3c
from ..around import Around
from ..capture.outcome import of_error
from ..clock import milliseconds, timestamp
from ..event import JSON, Event
from ..health import guarded, health
from ..recorder import record
from ..scope import frames
from ..scope.fields import fields_of
from ..scope.place import KEY, Place, place_of, stamped


class step(scope.Block):  # noqa: N801 - reads as a statement: `with step("retrieve")`
    """Time a step of a trace: `with step("retrieve")`, `async with`, or a decorator of any callable.

    When the step ends, it becomes an event of the kind `step` with `name`, `duration_ms`, `status`, `error`, and its
    place in the trace. The calls and steps inside carry the same `trace_id`, and its `span_id` as their `parent_id`.
    Outside a trace, a step begins one, in OpenTelemetry's current span if there is one. The step of a decorated
    generator lasts until it is exhausted or closed; that of a context manager that a decorated function returns, until
    it is left.

    Args:
        name: the same for every run of the step, so that durations can be compared.
        **fields: what `context` takes; stamped on the step and on everything inside.

    Raises:
        TypeError: a field does not exist, or a function was passed instead of the name.
    """

    def __init__(self, name: str, **fields: Any) -> None:
        kind = type(self).__name__
        if callable(name):
            raise TypeError(f"{kind} needs a name before it decorates; write @{kind}({_named(name)!r})")
        self._name = str(name)
        self._own = fields_of(**fields)

    @guarded("context")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        span = place_of(frames.leave(self))
        if isinstance(span, Span):
            span.end(error)

    @guarded("context", default=lambda *_: Around())
    def _run(self, *_: Any) -> Around:
        return _Run(self._begin())

    def _inside(self) -> scope.Fields:
        return self._begin().fields

    def _begin(self) -> Span:
        return Span(self._name, scope.merge(scope.current(), self._own), self._parent())

    def _parent(self) -> w3c.Parent | None:
        return None


class trace(step):  # noqa: N801
    """Begin a trace, or a step of the current one: `with trace("answer")`, `async with`, or a decorator.

    Args:
        name: the same for every run of the trace.
        traceparent: the W3C header of the incoming request, from which the trace continues. An invalid header is
            ignored, as the standard requires.
        **fields: what `context` takes; stamped on everything inside.
    """

    def __init__(self, name: str, *, traceparent: str | None = None, **fields: Any) -> None:
        super().__init__(name, **fields)
        self._remote_parent = w3c.parsed(traceparent) if traceparent else None
        if traceparent and self._remote_parent is None:
            health.warn("a traceparent header is invalid, and ignored")

    def _parent(self) -> w3c.Parent | None:
        return self._remote_parent

    @staticmethod
    def current_traceparent() -> str | None:
        """Return the header `traceparent` for a request made here, so that its receiver can go on; None in no trace.

        None, too, in a trace that `context(trace_id=…)` has given an id of another form.
        """
        stamps = scope.at_call()
        return w3c.traceparent(stamps.get("trace_id"), stamps.get("parent_id"))


def run_of(block: step) -> Around:
    """Begin *block* around what is no `with` and no function: the caller says when it goes on and when it ends."""
    return block._run()  # noqa: SLF001 - it returns what a decorator's runs are


class Span(Place):
    """One run of a step, from its beginning to its event; it is the place of what is called inside.

    Attributes:
        fields: what is in force inside.
    """

    def __init__(self, name: str, around: Mapping[str, Any], parent: w3c.Parent | None) -> None:
        outer = place_of(around)
        in_trace = outer is not None and "trace_id" in around and parent is None
        super().__init__(w3c.current_span(), outer.documents if outer is not None and in_trace else [])
        self._name = name
        self._stamps = _stamps(around, parent)
        self.fields: JSON = {
            **around,
            KEY: self,
            "trace_id": self._stamps["trace_id"],
            "parent_id": self._stamps["span_id"],
        }
        self._ended = False
        self._timestamp = timestamp(time.time())
        self._started = time.perf_counter()

    def rename(self, fields: Mapping[str, Any]) -> None:
        """Carry *fields*, too, over those there were, on the step and on what is called inside from now on."""
        self._stamps.update(fields)
        self.fields.update(fields)

    @guarded("step")
    def end(self, error: BaseException | None) -> None:
        """Record the step, once."""
        if self._ended or scope.suppressed():
            return
        self._ended = True
        event: JSON = {"timestamp": self._timestamp, "kind": "step", **self._stamps, "name": self._name}
        event["duration_ms"] = milliseconds(time.perf_counter() - self._started)
        event["status"] = "ok"
        if error is not None:
            found = of_error(error)
            event["status"] = found.status
            if found.error is not None:
                event["error"] = found.error
        record(cast(Event, event))


def _named(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _stamps(around: Mapping[str, Any], parent: w3c.Parent | None) -> JSON:
    """What a step that begins with the fields *around* carries: what a call would, but for the documents."""
    stamps = dict(stamped(around))
    stamps.pop("retrieval_docs", None)
    if parent is not None:
        stamps["trace_id"], stamps["parent_id"] = parent
    stamps.setdefault("trace_id", w3c.new_trace_id())
    stamps.setdefault("span_id", w3c.new_span_id())
    return stamps


class _Run(scope.Inside):
    """One run of a decorated function; the span is over when it is."""

    def __init__(self, span: Span) -> None:
        super().__init__(frames.FieldsSet(span.fields))
        self._span = span

    def returned(self, value: Any) -> Any:
        self._span.end(None)
        return value

    def raised(self, error: BaseException) -> None:
        self._span.end(error)
