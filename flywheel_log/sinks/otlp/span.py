"""An event as a span in OTLP's protobuf."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from flywheel_log.clock import taken_ms
from flywheel_log.event import JSON
from flywheel_log.health import guarded
from flywheel_log.meter import CALLS
from flywheel_log.serialise import loads

from .attributes import attributes, name_of
from .target import Target

_CLIENTS = (*CALLS, "retrieval")
_DEEPEST = 12  # protobuf's readers give up at a hundred levels, of which an object takes three.
_LARGEST = 1 << 63
_MS = 1_000_000
_LABELS = frozenset({"label", "method", "thumbs"})


def request(lines: Iterable[bytes], target: Target, content: str) -> bytes:
    """The body of one export of *lines*, each an event; *content* says how prompts and answers are told."""
    resources: dict[tuple[tuple[str, Any], ...], ResourceSpans] = {}
    for line in lines:
        event = _event(line)
        about = {**_resource(event), **target.resource}
        key = tuple(sorted(about.items()))
        if key not in resources:
            resources[key] = ResourceSpans(
                resource=Resource(attributes=_pairs(about)), scope_spans=[ScopeSpans(scope=_scope())]
            )
        resources[key].scope_spans[0].spans.append(span(event, content))
    return bytes(ExportTraceServiceRequest(resource_spans=resources.values()).SerializeToString())


def _remains(event: JSON, _: str) -> Span:
    """The span of an *event* that a processor has given a shape which nobody expects: that there was one."""
    identity = str(event.get("id") or "")
    return Span(
        trace_id=_identifier(None, identity, 16),
        span_id=_identifier(None, identity, 8),
        flags=1,
        name="event",
        attributes=_pairs({"flywheel_log.event.id": identity}),
    )


@guarded("otlp", default=_remains)
def span(event: JSON, content: str) -> Span:
    """The span of *event*. An event has the same span, however often it is made."""
    identity = str(event.get("id") or "")
    started = _nanoseconds(event.get("timestamp"))
    taken = taken_ms(event) or 0
    return Span(
        trace_id=_identifier(event.get("trace_id"), identity, 16),
        span_id=_identifier(event.get("span_id"), identity, 8),
        parent_span_id=_known(event.get("parent_id"), 8) or b"",
        flags=1,  # sampled
        name=name_of(event),
        kind=Span.SPAN_KIND_CLIENT if event.get("kind") in _CLIENTS else Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=started,
        end_time_unix_nano=started + int(taken * _MS),
        attributes=_pairs(attributes(event, content)),
        events=_evaluations(event, started, content),
        status=_status(event, content),
    )


def _event(line: bytes) -> JSON:
    event = loads(line)
    return event if isinstance(event, dict) else {}


@guarded("otlp", default=lambda _: {})
def _resource(event: JSON) -> JSON:
    """What made the event: the application, and the process it ran in, which may be another one by now."""
    machine = event.get("infrastructure") or {}
    names = {"host.name": "host", "process.pid": "pid"}
    about = {"service.name": event.get("client_id"), **{name: machine.get(key) for name, key in names.items()}}
    return {key: value for key, value in about.items() if isinstance(value, str | int)}


@cache
def _scope() -> InstrumentationScope:
    return InstrumentationScope(name="flywheel_log", version=version("flywheel-log"))


def _identifier(known: Any, identity: str, size: int) -> bytes:
    """*known* as bytes, or what the event's own *identity* amounts to: the same at every attempt."""
    made = blake2b(identity.encode(errors="replace"), digest_size=size, person=b"flywheel_log")
    return _known(known, size) or made.digest()


def _known(text: Any, size: int) -> bytes | None:
    """The *size* bytes that *text* is in hexadecimal digits; None where it is not, or where all are zero."""
    try:
        found = bytes.fromhex(text)
    except (ValueError, TypeError):
        return None
    return found if len(found) == size and any(found) else None


@guarded("otlp", default=lambda _: 0)
def _nanoseconds(timestamp: Any) -> int:
    return int(datetime.fromisoformat(str(timestamp)).timestamp() * 1000) * _MS


def _status(event: JSON, content: str) -> Status:
    if event.get("status") != "error":
        return Status()
    said = event.get("error") or {}
    told = "" if content == "off" else str(said.get("message") or "")  # Services quote in it what they were sent.
    return Status(code=Status.STATUS_CODE_ERROR, message=_sound(told))


@guarded("otlp", default=lambda *_: [])
def _evaluations(event: JSON, at: int, content: str) -> Sequence[Span.Event]:
    """What was thought of a call, as the conventions' events of evaluation, one a question."""
    if event.get("kind") != "feedback":
        return []
    said = dict(event.get("quality") or {})
    said = _scores(said) if content == "off" else said
    about = {"gen_ai.evaluation.explanation": said.pop("comment")} if "comment" in said else {}
    scores = [_score(name, value) | about for name, value in said.items()]
    name = "gen_ai.evaluation.result"
    return [Span.Event(time_unix_nano=at, name=name, attributes=_pairs(one)) for one in scores]


def _scores(said: JSON) -> JSON:
    """What *said* counts and names; all else, of people and of models that judge, may quote the answer."""
    scores = {key: _scores(value) if isinstance(value, dict) else value for key, value in said.items()}
    kept = {key: value for key, value in scores.items() if key in _LABELS or not isinstance(value, str | list)}
    return {key: value for key, value in kept.items() if value != {}}


def _score(name: str, value: Any) -> JSON:
    kind = "label" if isinstance(value, str) else "value"
    return {"gen_ai.evaluation.name": name, f"gen_ai.evaluation.score.{kind}": value}


def _pairs(values: JSON, depth: int = 0) -> list[KeyValue]:
    return [KeyValue(key=_sound(str(key)), value=_value(value, depth)) for key, value in values.items()]


def _value(value: Any, depth: int) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int() if -_LARGEST <= value < _LARGEST:
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list() | dict() if depth >= _DEEPEST:
            return AnyValue(string_value=_sound(json.dumps(value)))
        case list():
            return AnyValue(array_value=ArrayValue(values=[_value(one, depth + 1) for one in value]))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=_pairs(value, depth + 1)))
        case _:
            return AnyValue(string_value=_sound(str(value)))


def _sound(text: str) -> str:
    """*text* as protobuf takes it: half of a surrogate pair is no character."""
    return text.encode(errors="replace").decode() if any("\ud800" <= one <= "\udfff" for one in text) else text
