"""Which fields of an event a program may stamp by `context` and its like, in the types that readers expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from numbers import Real
from typing import Any

from ..event import JSON, Event
from ..health import Misuse
from ..wording import suggestion

_OF_ONE_EVENT = {"id", "timestamp", "kind", "name", "target", "request", "response", "duration_ms"}
_FIELDS = frozenset(Event.__annotations__) - _OF_ONE_EVENT - {"tags", "metadata"}

_NAMES = {"client_id", "workload_id", "user_id", "session_id", "model", "surface", "provider", "status"}
_TEXTS = _NAMES | {"trace_id", "span_id", "parent_id"}
_MAPPINGS = ("metadata", "prompt", "error", "safety", "quality", "infrastructure", "redactions", "rate_limits")
_LISTS = ("retrieval_docs", "training_unsafe")
_NUMBERS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost_usd", "sample_rate")
_TIMES = ("latency_ms", "time_to_first_token_ms", "server_ms", "queue_ms", "retries")
_SHAPES: dict[str, tuple[type, str]] = {
    **dict.fromkeys(_MAPPINGS, (Mapping, "a mapping")),
    **dict.fromkeys(_LISTS, (list, "a list")),
    **dict.fromkeys((*_NUMBERS, *_TIMES), (Real, "a number")),
}


def fields_of(*, tags: Sequence[str] = (), metadata: Mapping[str, Any] | None = None, **others: Any) -> JSON:
    """What `context` takes, as fields of the event; a name or an id that is no string (a number, a UUID) as its text.

    Raises:
        TypeError: there is no such field, or readers would skip an event with a value of that type.
    """
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        got = f"the string {tags!r}" if isinstance(tags, str) else type(tags).__name__
        raise TypeError(f"tags is a list of strings; got {got}")
    unknown = sorted(others.keys() - _FIELDS)
    if unknown:
        known = [*sorted(_FIELDS), "tags", "metadata"]
        raise Misuse(f"{unknown[0]} is no field of an event; {suggestion(unknown[0], known)}")
    fields = {key: _fitting(key, value) for key, value in others.items() if value is not None}
    if tags:
        fields["tags"] = [_text(tag) for tag in tags]
    if metadata is not None and _fitting("metadata", metadata):
        fields["metadata"] = dict(metadata)
    return fields


def _fitting(key: str, value: Any) -> Any:
    if key in _TEXTS:
        return _text(value)
    if key in _SHAPES and not isinstance(value, _SHAPES[key][0]):
        raise Misuse(f"{key} is {_SHAPES[key][1]}; got {type(value).__name__}")
    return value


def _text(value: Any) -> str:
    plain = value.value if isinstance(value, Enum) else value
    return plain if isinstance(plain, str) else str(plain)
