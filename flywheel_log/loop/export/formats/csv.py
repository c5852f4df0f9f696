"""`csv`: a table for spreadsheets, one example a row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from ..example import Example
from . import Format, named
from ._table import COLUMNS, row

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  some take these for the others


def _write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write a heading and one example a row; what a spreadsheet would take for a formula gets an apostrophe."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows({name: _harmless(value) for name, value in row(one).items()} for one in examples)
    return len(examples)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


FORMAT = Format(_write, named("csv"))
