"""Amounts that options take: bytes as people write them, ages, and the conditions that protect records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from flywheel_log.loop.filter import Filter, conditions, when

from . import wrong

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>[kMGT]?)B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def size(text: str, option: str) -> int | None:
    """Return the bytes that *text* (`500kB`, `100MB`, `1.5GB`) means; None if it is empty.

    Raises:
        typer.BadParameter: it is no size; names the *option*.
    """
    if not text:
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        raise typer.BadParameter(
            f"size {text!r} is invalid; expected for example 500kB, 100MB, 1.5GB", param_hint=option
        )
    return int(float(found["number"]) * 1000 ** _POWERS[found["unit"].lower()])


def time(text: str, option: str) -> datetime | None:
    """Return the time that *text* means, as `--since` does; None if it is empty. Raises as `size`."""
    with wrong(option):
        return when(text, datetime.now(UTC)) if text else None


def protecting(conditions: Sequence[str], option: str) -> list[Filter]:
    """Return filters that match what one of *conditions* (`FIELD=VALUE`, `feedback=good`) says. Raises as `size`."""
    with wrong(option):
        return [_filter(condition) for condition in conditions]


def _filter(condition: str) -> Filter:
    where = conditions([condition], "workload_id=gold or feedback=good")
    (opinion,) = where.pop("feedback", (None,))
    return Filter(where=where, feedback=opinion)
