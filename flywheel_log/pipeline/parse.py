"""Give the user's processors plain dictionaries that they may change, instead of the bytes from the wire."""

from __future__ import annotations

from typing import Any, cast

from ..event import JSON, Event, Wire
from ..serialise import loads


def parse(_: Any, __: str, event: Event) -> Event:
    """Parse what is kept as bytes, so that *event* is plain JSON all through, and copy what calls share, as tags."""
    fields = cast(JSON, event)
    for key, value in fields.items():
        if isinstance(value, Wire):
            fields[key] = loads(value.raw)
        elif type(value) in (dict, list):
            fields[key] = value.copy()
    return event
