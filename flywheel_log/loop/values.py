"""The fields of an event by name: top-level ones, nested ones with dots, and the periods of its time."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flywheel_log.event import Event
from flywheel_log.wording import suggestion

PERIODS = {"day": len("2026-01-31"), "hour": len("2026-01-31T10"), "minute": len("2026-01-31T10:00")}
"""How much of a timestamp tells the period."""

_OURS = len("2026-01-31T10:00:00.000Z")


def getter(name: str) -> Callable[[Event], str]:
    """Return a function that reads the field *name* of an event as text, "" where it is missing.

    A field may lie deeper (`prompt.version`, `metadata.tenant`); `day`, `hour` and `minute` are those of the timestamp,
    in UTC. The items of a list are joined by commas.

    Raises:
        ValueError: there is no such field; the message names the one that was meant, or all.
    """
    if name in PERIODS:
        return lambda event: utc(event["timestamp"])[: PERIODS[name]]
    path = _path(name)
    return lambda event: as_text(_value(event, path))


def numbers(name: str) -> Callable[[Event], Any]:
    """Return a function that reads the field *name* of an event if it is a number, else None. Raises as `getter`."""
    path = _path(name)
    return lambda event: finite(_value(event, path))


def full(name: str) -> str:
    """Return the name of the field that is meant by *name*: `user` is `user_id`, as in options and tables."""
    first, dot, rest = name.partition(".")
    is_short = first not in Event.__annotations__ and f"{first}_id" in Event.__annotations__
    return f"{first}_id{dot}{rest}" if is_short else name


def as_text(value: Any) -> str:
    """Return a field's value as the text it is compared and grouped by."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def instant(timestamp: str) -> datetime | None:
    """Return the time of a timestamp, in UTC where it names no zone; None if it cannot be read."""
    try:
        time = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def utc(timestamp: str) -> str:
    """Return a timestamp as we write it, so that two can be compared as texts; one that cannot be read as it is."""
    if len(timestamp) == _OURS and timestamp[-1] == "Z":
        return timestamp
    time = instant(timestamp)
    try:
        moment = time.astimezone(UTC) if time else None
    except OverflowError:  # at either end of all years
        moment = None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else timestamp


def finite(value: object) -> Any:
    """Return *value* if it is a number that can be added up, else None."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if number else None


def _path(name: str) -> list[str]:
    path = name.split(".")
    known = sorted({*Event.__annotations__, *PERIODS})
    if path[0] not in known:
        raise ValueError(f"field {name!r} is unknown; {suggestion(path[0], known)}")
    return path


def _value(event: Event, path: list[str]) -> Any:
    value: Any = event
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
