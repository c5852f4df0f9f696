"""A field of the lines in SQL."""

from __future__ import annotations

from ..values import PERIODS

TEXTS = ("id", "timestamp", "kind", "status", "client_id", "workload_id", "model", "surface")
"""The columns that are read as texts; all others are the JSON that stands there."""


def first(name: str) -> str | None:
    """Return the column in which the field *name* lies; None of a period, which lies in the timestamp."""
    return None if name in PERIODS else name.split(".", maxsplit=1)[0]


def is_text(name: str) -> bool:
    """Tell whether `value` gives the field *name* as text, else it is JSON."""
    return name in PERIODS or name in TEXTS


def value(name: str) -> str:
    """Return the field *name*, as text or as JSON; null where it lacks."""
    if name in PERIODS:
        return f"substr(timestamp, 1, {PERIODS[name]})"
    column, *deeper = name.split(".")
    place = "$" + "".join(f".{quoted(step)}" for step in deeper)
    if column in TEXTS and deeper:
        return "NULL::JSON"
    return f"json_extract({quoted(column)}, '{place.replace(chr(39), chr(39) * 2)}')" if deeper else quoted(column)


def quoted(name: str) -> str:
    """Return *name* as the name of a column."""
    return '"' + name.replace('"', '""') + '"'
