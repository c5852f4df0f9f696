"""Rows as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from flywheel_log.event import JSON

JSON_LINES = {part: f"{part}.jsonl" for part in ("train", "validation", "eval")}
"""The file of each set of a dataset."""


def write_lines(path: Path, rows: Iterable[JSON]) -> int:
    """Write *rows* to *path*, one a line, and return how many they are."""
    with path.open("wb") as file:
        return sum(1 for row in rows if file.write(line(row)))


def line(row: JSON | list[Any]) -> bytes:
    """Return *row* as a line of JSON; what JSON lacks becomes null or an escape."""
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # lone surrogates, huge numbers
        return json.dumps(row).encode() + b"\n"
