"""Which fields of an event a program may set with `context` and its like, in the types that readers expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from numbers import Real
from typing import Any

from ..event import JSON, Event
from ..health import Misuse
from ..shape import NUMBER, TYPES
from ..wording import suggestion

_OF_ONE_EVENT = {"id", "timestamp", "kind", "name", "target", "request", "response", "duration_ms"}
_FIELDS = frozenset(Event.__annotations__) - _OF_ONE_EVENT - {"tags", "metadata"}

_TYPES = {
    **TYPES,
    # What readers take as it comes.
    **dict.fromkeys(("user_id", "session_id", "provider"), str),
    **dict.fromkeys(("infrastructure", "rate_limits"), dict),
    **dict.fromkeys(("reasoning_tokens", "sample_rate", "server_ms", "queue_ms", "retries"), NUMBER),
}
_KINDS = {dict: (Mapping, "a mapping"), list: (list, "a list"), NUMBER: (Real, "a number")}


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
        raise Misuse(f"{unknown[0]} is not a field of an event; {suggestion(unknown[0], known)}")
    fields = {key: _fitting(key, value) for key, value in others.items() if value is not None}
    if tags:
        fields["tags"] = [_text(tag) for tag in tags]
    if metadata is not None and _fitting("metadata", metadata):
        fields["metadata"] = dict(metadata)
    return fields


def _fitting(key: str, value: Any) -> Any:
    wanted = _TYPES.get(key)
    if wanted is str:
        return _text(value)
    kind, words = _KINDS.get(wanted, (object, ""))
    if not isinstance(value, kind):
        raise Misuse(f"{key} is {words}; got {type(value).__name__}")
    return value


def _text(value: Any) -> str:
    plain = value.value if isinstance(value, Enum) else value
    return plain if isinstance(plain, str) else str(plain)
