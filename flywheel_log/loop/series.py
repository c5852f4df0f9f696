"""Calls over time: one row a period, in periods that become longer as the log does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from flywheel_log.event import Event

from .stats import CALLS, Row

PERIODS = {
    "minute": timedelta(minutes=1),
    "5 minutes": timedelta(minutes=5),
    "15 minutes": timedelta(minutes=15),
    "hour": timedelta(hours=1),
    "6 hours": timedelta(hours=6),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "4 weeks": timedelta(weeks=4),
}
_EARLIEST = 1970
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


def over_time(events: Iterable[Event], most: int = 48) -> tuple[str, list[Row]]:
    """Count the calls among *events* by the shortest of `PERIODS` that needs at most *most* rows.

    Returns the period and its rows, oldest first, those without calls included; the key of a row is the beginning of
    its period in UTC. Calls whose time cannot be read are left out. After 4 weeks periods double.
    """
    lengths = list(PERIODS.values())
    rows: dict[int, Row] = {}
    for event in events:
        if event.get("kind") not in CALLS or (place := _place(event["timestamp"], lengths[0])) is None:
            continue
        while place not in rows and rows and max(place, *rows) - min(place, *rows) >= most:
            rows, place = _coarser(rows, place, lengths)
        rows.setdefault(place, Row(())).add(event)
    return _named(lengths[0]), _filled(rows, lengths[0])


def _coarser(rows: dict[int, Row], place: int, lengths: list[timedelta]) -> tuple[dict[int, Row], int]:
    """Merge *rows* into those of the next longer period."""
    shorter = lengths.pop(0)
    if not lengths:
        lengths.append(shorter * 2)
    share = lengths[0] // shorter
    merged: dict[int, Row] = {}
    for old, row in sorted(rows.items()):
        merged.setdefault(old // share, Row(())).merge(row)
    return merged, place // share


def _place(timestamp: str, length: timedelta) -> int | None:
    try:
        time = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    if time.year < _EARLIEST:
        return None
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _MONDAY) // length


def _filled(rows: dict[int, Row], length: timedelta) -> list[Row]:
    filled = []
    for place in range(min(rows), max(rows) + 1) if rows else ():
        row = rows.get(place, Row(()))
        row.key = ((_MONDAY + place * length).isoformat().replace("+00:00", "Z"),)
        filled.append(row)
    return filled


def _named(length: timedelta) -> str:
    return next((name for name, known in PERIODS.items() if known == length), f"{length.days // 7} weeks")
