"""Runs of the OpenAI Agents SDK on record: a tracing processor for `agents.add_trace_processor`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, cast

try:
    from agents.tracing import Span, SpanData, Trace, TracingProcessor
except ImportError:
    raise ImportError("The Agents SDK is not installed; `pip install 'flywheel-log[agents]'` does it") from None

from . import recorder, scope
from .capture import wire
from .capture.outcome import Outcome, of_error
from .capture.outer import Outer
from .capture.run import Run
from .capture.surfaces import surface_named
from .event import JSON
from .health import guarded
from .place import KEY, opened
from .projection import chat_response
from .serialise import dumps, loads
from .signals import spans

__all__ = ["FlywheelTracingProcessor"]

_TRACE = re.compile(r"[0-9a-f]{32}")
_ASKED = {"generation": "chat.completions", "response": "responses"}
_PLACE = (KEY, "trace_id", "parent_id")
# What OpenAI's Responses API repeats of the request in its answer.
_ECHOED = (
    *("model", "instructions", "temperature", "top_p", "max_output_tokens", "tools", "tool_choice", "text"),
    *("parallel_tool_calls", "previous_response_id", "reasoning", "truncation", "service_tier"),
)
_CHAT = ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty", "tool_choice")


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

    def __init__(self, workload_id: str | None = None, **fields: Any) -> None:
        self._own = scope.fields_of(workload_id=workload_id, **fields)
        self._nodes: dict[str, _Node] = {}

    @guarded("openai_agents")
    def on_trace_start(self, trace: Trace) -> None:
        """A run begins, here and now."""
        if scope.suppressed():
            return
        told = {"session_id": getattr(trace, "group_id", None), "metadata": getattr(trace, "metadata", None)}
        fields = scope.merge(
            scope.merge(scope.current(), self._own), {key: value for key, value in told.items() if value}
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
        if parent is not None:
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
        self._inside = Outer()
        self._inside.hold(self._span.fields)
        super().__init__(self._span.fields, parent)

    def end(self, span: Span[Any] | None) -> None:
        self._inside.end()
        error = None
        if span is not None:
            self._span.rename({"metadata": {**(self.fields.get("metadata") or {}), **_about(span.span_data)}})
            error = _error(span)
        self._span.end(error)


class _Call(_Node):
    """A call of a model: what it asked and what it got is told at its end only."""

    def __init__(self, surface: str, fields: Mapping[str, Any], parent: _Node) -> None:
        self._body: JSON = {}
        self._run = Run(surface_named(surface), "openai", self._body, opened(fields), recorder.record)
        super().__init__(fields, parent)

    def end(self, span: Span[Any] | None) -> None:
        if span is None:
            self._run.ended(None)
            return
        asked, answer = _chat(span.span_data) if span.span_data.type == "generation" else _responses(span.span_data)
        if any(_is_of_a_stream(one) for one in getattr(span.span_data, "output", None) or ()):
            self._run.heard(text=False)
        self._body.update(loads(dumps(asked)))
        error = _error(span)
        self._run.over(of_error(error) if error is not None else Outcome(answer, whole=answer is not None))


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


def _responses(data: Any) -> tuple[JSON, JSON | None]:
    """The request and the answer of the Responses API, which repeats most of the request in its answer."""
    if data.response is None:  # The SDK was told to leave out what is sensitive.
        return {}, {"id": data._response_id, "usage": data.usage} if data.usage else None  # noqa: SLF001 - its only name
    answer = cast(JSON, wire.plain(data.response))
    asked = {key: answer[key] for key in _ECHOED if answer.get(key) is not None}
    return {**asked, "input": data.input}, answer


def _chat(data: Any) -> tuple[JSON, JSON | None]:
    """The request and the answer of a chat completion, as far as the SDK tells them."""
    config = data.model_config or {}
    asked = {"model": data.model, "messages": data.input}
    asked |= {key: config[key] for key in _CHAT if config.get(key) is not None}
    said = [dict(one) for one in data.output or ()]
    usage = _usage(data.usage or {})
    if not said and not usage:
        return asked, None
    answer: JSON = {"object": "chat.completion", "model": data.model}
    answer["choices"] = [{"index": place, "message": _message(one)} for place, one in enumerate(said)]
    return asked, answer | ({"usage": usage} if usage else {})


def _message(said: JSON) -> JSON:
    """The assistant's message; of a stream the SDK makes a response of the Responses API, whatever it came from."""
    if _is_of_a_stream(said):
        made = chat_response({"surface": "responses", "response": said})
        said = made["choices"][0]["message"] if made is not None else {"role": "assistant", "content": None}
    return {key: value for key, value in said.items() if value is not None or key == "content"}


def _is_of_a_stream(said: Mapping[str, Any]) -> bool:
    return "output" in said


def _usage(usage: JSON) -> JSON:
    """The counts under a chat's names; none where all are zero, as the SDK has them for a stream that told none."""
    if not (usage.get("input_tokens") or usage.get("output_tokens")):
        return {}
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
    names |= {f"{chat}_details": f"{own}_details" for chat, own in names.items() if chat != own}
    return {chat: usage[own] for chat, own in names.items() if usage.get(own) is not None}
