"""Hand the user's own processors plain dictionaries instead of the bytes that went over the wire."""

from __future__ import annotations

import json
from typing import Any, cast

import orjson

from ..event import JSON, Event, Wire


def parse(_: Any, __: str, event: Event) -> Event:
    """Parse what is kept as bytes, so that *event* is plain JSON all through."""
    fields = cast(JSON, event)
    for key, value in fields.items():
        if isinstance(value, Wire):
            fields[key] = loads(value.raw)
    return event


def loads(raw: bytes) -> Any:
    """Parse JSON, also what only the standard library reads. Raises ValueError."""
    try:
        return orjson.loads(raw)
    except ValueError:  # NaN, or integers of more than 64 bits, which SDKs send and read
        return json.loads(raw)
