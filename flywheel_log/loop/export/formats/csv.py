"""`csv`: a table for spreadsheets, one example a row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from ..example import Example
from ._table import COLUMNS, row

PAIRS = False
MEDIA = None
FILES = {"train": "train.csv", "validation": "validation.csv", "eval": "eval.csv"}

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  some take these for the others


def write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write a heading and one example a row; what a spreadsheet would take for a formula gets an apostrophe."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows({name: _harmless(value) for name, value in row(one).items()} for one in examples)
    return len(examples)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
