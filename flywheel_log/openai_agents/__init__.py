"""Runs of the OpenAI Agents SDK on record: a tracing processor for `agents.add_trace_processor`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, ClassVar

try:
    from agents.tracing import Span, SpanData, Trace, TracingProcessor
except ImportError:
    raise ImportError("The Agents SDK is not installed; `pip install 'flywheel-log[agents]'` does it") from None

from .. import recorder, scope
from ..capture.enclosing import Enclosing
from ..capture.outcome import Outcome, of_error
from ..capture.reported import ReportedCall
from ..capture.surfaces import surface_named
from ..event import JSON
from ..health import guarded
from ..scope.fields import fields_of
from ..scope.place import KEY, opened
from ..serialise import dumps, loads
from ..signals import spans
from . import exchange

__all__ = ["FlywheelTracingProcessor"]

_TRACE = re.compile(r"[0-9a-f]{32}")
_ASKED = {"generation": "chat.completions", "response": "responses"}
_PLACE = (KEY, "trace_id", "parent_id")


class AgentsError(Exception):
    """What the Agents SDK says has gone wrong in a span: it tells the words, not the exception."""


class FlywheelTracingProcessor(TracingProcessor):
    """Record what agents do: `agents.add_trace_processor(FlywheelTracingProcessor())`.

    A trace of the SDK becomes a trace here, under the same id: agents, tools, handoffs and guardrails are its steps,
    and the calls of models stand in them. Where an instrumented client makes a call, that client's record is the one;
    else it is made from what the span tells. The SDK's `group_id` is the session.

    Args:
        workload_id: the task or node, stable over time (not a session): what datasets are made by.
        **fields: what `context` takes.

    Raises:
        TypeError: a field is none of an event's.
    """

    # Of all processors: where there are two, as when a notebook's cell was run again, the first records.
    _nodes: ClassVar[dict[str, _Node]] = {}

    def __init__(self, workload_id: str | None = None, **fields: Any) -> None:
        self._own = fields_of(workload_id=workload_id, **fields)

    @guarded("openai_agents")
    def on_trace_start(self, trace: Trace) -> None:
        """A run begins, here and now."""
        if scope.suppressed() or trace.trace_id in self._nodes:
            return
        about = {"session_id": getattr(trace, "group_id", None), "metadata": getattr(trace, "metadata", None)}
        fields = scope.merge(
            scope.merge(scope.current(), self._own), {key: value for key, value in about.items() if value}
        )
        self._nodes[trace.trace_id] = _Step(trace.name, {"trace_id": _trace_id(trace.trace_id), **fields})

    @guarded("openai_agents")
    def on_trace_end(self, trace: Trace) -> None:
        """A run is over, and so is whatever the SDK has told no end of."""
        root = self._nodes.pop(trace.trace_id, None)
        for key in [key for key, node in self._nodes.items() if root is not None and node.root is root]:
            self._nodes.pop(key).end(None)
        if root is not None:
            root.end(None)

    @guarded("openai_agents")
    def on_span_start(self, span: Span[Any]) -> None:
        """An agent, a tool, a call of a model … begins, here and now."""
        parent = self._nodes.get(span.parent_id or span.trace_id) or self._nodes.get(span.trace_id)
        if parent is not None and span.span_id not in self._nodes:
            self._nodes[span.span_id] = _begun(span.span_data, parent)

    @guarded("openai_agents")
    def on_span_end(self, span: Span[Any]) -> None:
        """What has begun is over."""
        node = self._nodes.pop(span.span_id, None)
        if node is not None:
            node.end(span)

    def shutdown(self) -> None:
        """Deliver: the program is about to end."""
        recorder.flush(recorder.EXIT_SECONDS)

    def force_flush(self) -> None:
        """Wait until everything is delivered, ten seconds at most."""
        recorder.flush()


class _Node:
    """Something under way; *fields* are in force for what is called inside."""

    def __init__(self, fields: Mapping[str, Any], parent: _Node | None = None) -> None:
        self.fields = fields
        self.root: _Node = parent.root if parent is not None else self

    def end(self, span: Span[Any] | None) -> None:
        """It is over; *span* tells how, None that nobody knows."""


class _Step(_Node):
    """A trace, an agent, a tool, a handoff or a guardrail: a step."""

    def __init__(self, name: str, fields: Mapping[str, Any], parent: _Node | None = None) -> None:
        self._span = spans.Span(name, fields, None)
        self._enclosing = Enclosing()
        self._enclosing.hold(self._span.fields)
        super().__init__(self._span.fields, parent)

    def end(self, span: Span[Any] | None) -> None:
        self._enclosing.end()
        error = None
        if span is not None:
            self._span.rename({"metadata": {**(self.fields.get("metadata") or {}), **_about(span.span_data)}})
            error = _error(span)
        self._span.end(error)


class _Call(_Node):
    """A call of a model: what it asked and what it got is told at its end only."""

    def __init__(self, surface: str, fields: Mapping[str, Any], parent: _Node) -> None:
        self._body: JSON = {}
        self._call = ReportedCall(surface_named(surface), "openai", self._body, opened(fields), recorder.record)
        super().__init__(fields, parent)

    @guarded("openai_agents", default=lambda node, _: node.unread())
    def end(self, span: Span[Any] | None) -> None:
        if span is None:
            self._call.ended(None)
            return
        data = span.span_data
        asked, answer = exchange.chat(data) if data.type == "generation" else exchange.responses(data)
        if exchange.is_stream(data):
            self._call.heard(text=False)
        self._body.update(loads(dumps(asked)))
        error = _error(span)
        self._call.over(of_error(error) if error is not None else Outcome(answer, whole=answer is not None))

    def unread(self) -> None:
        """It is over, and the span cannot be read: a release of the SDK tells it in other words."""
        self._call.unread()


def _begun(data: SpanData, parent: _Node) -> _Node:
    """What begins with *data* inside *parent*, which knows better where that is than the context does."""
    place = {key: parent.fields[key] for key in _PLACE if key in parent.fields}
    fields = {**scope.merge(parent.fields, scope.current()), **place}
    if data.type in _ASKED:
        return _Call(_ASKED[data.type], fields, parent)
    return _Node(parent.fields, parent) if data.type in ("task", "turn") else _Step(_name(data), fields, parent)


def _name(data: Any) -> str:
    """The step's name, in OpenTelemetry's words where it has any."""
    match data.type:
        case "agent":
            return f"invoke_agent {data.name}"
        case "function":
            return f"execute_tool {data.name}"
        case "handoff":
            return "handoff"
        case "guardrail":
            return f"guardrail {data.name}"
        case kind:
            return str(getattr(data, "name", None) or kind)


def _about(data: Any) -> JSON:
    """What is known of a step besides its name, once it is over."""
    match data.type:
        case "agent":
            return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": data.name}
        case "function":
            return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": data.name}
        case "handoff":
            return {"handoff.from": data.from_agent, "handoff.to": data.to_agent}
        case "guardrail":
            return {"guardrail.triggered": data.triggered}
        case _:
            return {}


def _trace_id(given: str) -> str:
    """The SDK's id as the W3C writes it: without the prefix, and made of it where it is another's."""
    found = _TRACE.fullmatch(given.removeprefix("trace_"))
    return found[0] if found else blake2b(given.encode(errors="replace"), digest_size=16).hexdigest()


def _error(span: Span[Any]) -> AgentsError | None:
    if span.error is None:
        return None
    said = (span.error.get("data") or {}).get("error")
    return AgentsError(f"{span.error['message']}: {said}" if said else span.error["message"])
