"""Rows as JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from flywheel_log.event import JSON
from flywheel_log.serialise import dumps_loaded

from ..example import Example


def lines(rows: Callable[[Sequence[Example]], Iterable[JSON]]) -> Callable[[Path, str, Sequence[Example]], int]:
    """Return what writes the *rows* of examples, one a line: the `write` of a format whose sets look alike."""
    return lambda path, _, examples: write_lines(path, rows(examples))


def write_lines(path: Path, rows: Iterable[JSON]) -> int:
    """Write *rows* to *path*, one a line, and return how many they are."""
    with path.open("wb") as file:
        return sum(1 for row in rows if file.write(line(row)))


def line(row: JSON | list[Any]) -> bytes:
    """Return *row* as a line of JSON; what JSON lacks becomes null or an escape."""
    return dumps_loaded(row) + b"\n"
