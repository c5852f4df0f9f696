"""Secrets in tables, known by the head of their column: Markdown's, those of database clients, CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .assignments import assigned
from .pattern import Span, any_of_or_unread
from .secret_names import NAMED, names_secret

_DRESS = " \t\r*_`\"'"
_HEADING = re.compile(r"(?!\W*(?:from [\w.]+ )?import )[\w .()/#-]{0,40}")  # `import user,password` is code.
_MAY_HOLD_ONE = any_of_or_unread([rf"{NAMED}[\s*_`\"']*[|,;\n]"])
_BETWEEN = ("|", "\t", ";", ",")
_RULER = re.compile(r"[\s|:+=-]*")
_SHORTEST = 6


class Tables:
    """Finds the cells below a heading such as `password`, where they have a digit or a sign, and no blank."""

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values begin and end; their kind is `password`."""
        if "\n" not in text or not _MAY_HOLD_ONE(text):
            return
        at, table = 0, None
        for line in text.split("\n"):
            ruler = _RULER.fullmatch(line) is not None and line != ""
            cells = [*_cells(line, table.between)] if table and not ruler else []
            if table and len(cells) == table.width:
                for begin, cell in map(cells.__getitem__, table.secret):
                    if len(cell) >= _SHORTEST and " " not in cell and (length := assigned(cell, bare=True)):
                        yield at + begin, at + begin + length, "password"
            elif not ruler:
                table = _table(line)
            at += len(line) + 1


class _Table(NamedTuple):
    """What is between the cells of a table, how many a row has, and in which columns secrets stand."""

    between: str
    width: int
    secret: tuple[int, ...]


def _table(line: str) -> _Table | None:
    """The table that *line* is the headings of, if some are names of secrets."""
    between = next((one for one in _BETWEEN if one in line), None)
    if between is None:
        return None
    headings = [cell for _, cell in _cells(line, between)]
    secret = tuple(column for column, heading in enumerate(headings) if names_secret(heading))
    if not secret or not all(map(_HEADING.fullmatch, headings)):
        return None
    if between != "|" and not (all(headings) and f"{between} " not in line):  # A list in a sentence, or in code.
        return None
    return _Table(between, len(headings), secret)


def _cells(line: str, between: str) -> Iterator[tuple[int, str]]:
    """Where each cell of *line* begins, and what is in it, without what it is dressed in."""
    at = 0
    for cell in line.split(between):
        yield at + len(cell) - len(cell.lstrip(_DRESS)), cell.strip(_DRESS)
        at += len(cell) + 1
