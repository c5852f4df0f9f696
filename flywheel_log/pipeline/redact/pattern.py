"""What every family of patterns is made of: a kind, an expression, and a check that tells a value from a lookalike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic_core import SchemaValidator, core_schema

Span = tuple[int, int, str]

ESCAPES = "nrtbfu"
BLANKS = r"(?:\s|\\+[nrtf]|\\+u[0-9A-Fa-f]{4})*"
"""Blanks between two things as a line of JSON has them, however deep in strings, for the engine of `anchors`."""

VALUE_FOLLOWS, VALUE_STANDS_BEFORE = r'\\*"(?s:.)*"value\\*"', r'"value\\*"(?s:.)*'
"""The other half of a pair such as `{"name": …, "value": …}`, behind the name and in front of it, likewise."""


def behind(head: str) -> str:
    """Match *head* where a value may begin; write it first, for what begins with a lookbehind is slow to search for.

    No letter or digit stands before it, except the letter of an escape in JSON inside a string; and *head* itself does
    not begin with the letter of an escape.
    """
    alone = [rf"(?<![A-Za-z0-9\\]{head})", rf"(?<=\\[nrtbf]{head})"]
    if head[0] not in ESCAPES:
        alone.append(rf"(?<=\\{head})")
    return f"{head}(?:{'|'.join(alone)})"


def any_of(expressions: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells, by the engine of `anchors`, whether one of *expressions* is anywhere in a decoded text."""
    found: Callable[[str], bool] = SchemaValidator(
        core_schema.str_schema(pattern="|".join(expressions))
    ).isinstance_python
    return found


def any_of_or_unread(expressions: Iterable[str]) -> Callable[[str], bool]:
    """As `any_of`, of any text: one with half of a surrogate pair, which the engine does not read, may have one."""
    found = any_of(expressions)
    return lambda text: found(text) or not _reads(text)


_reads = SchemaValidator(core_schema.str_schema()).isinstance_python


class Finder(Protocol):
    """Finds the values of some kinds in a text."""

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values begin and end, and of which kind they are."""


def whole(candidate: str) -> int:
    """Take every candidate as it is."""
    return len(candidate)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of value that an expression finds.

    Attributes:
        kind: what stands in the place of the value, and under what it is counted.
        expression: linear in the length of any text; the value is its last matching group, or all of it.
        guards: one of these is in every match, so that most texts are passed over without the expression.
        measure: how many characters of a candidate belong to the value; 0 for a lookalike.
    """

    kind: str
    expression: re.Pattern[str]
    guards: tuple[str, ...]
    measure: Callable[[str], int] = whole

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values begin and end, and of which kind they are."""
        for guard in self.guards:
            if guard in text:
                break
        else:
            return
        for match in self.expression.finditer(text):
            start, end = match.span(match.lastindex or 0)
            if length := self.measure(text[start:end]):
                yield start, start + length, self.kind


class Family:
    """Many finders that are asked only about a text which has one of *anchors*: one pass instead of one for each.

    Attributes:
        finders: what they are.
    """

    def __init__(self, finders: Sequence[Finder], anchors: Iterable[str]) -> None:
        self.finders = finders
        self._may_hold_one = any_of_or_unread(anchors)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values begin and end, and of which kind they are."""
        if self._may_hold_one(text):
            for finder in self.finders:
                yield from finder.spans(text)
