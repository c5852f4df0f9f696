"""What every family of patterns has: a kind, an expression, and a check that tells a value from a lookalike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic_core import SchemaValidator, core_schema

Span = tuple[int, int, str]

LONGEST = 2048
"""Characters of a key: Google's access tokens. What goes on for longer is data, such as encrypted reasoning."""
_HEAD = 64
_BLOCK = LONGEST // 2  # One that begins at its multiple is inside of any longer run.
_WHOLE_BLOCK = re.compile(rf"[A-Za-z0-9+/_-]{{{_BLOCK}}}")
_ENCODED = re.compile(rf"(?<![\w+/-])([A-Za-z0-9+/_-]{{{_HEAD}}})([A-Za-z0-9+/_-]{{{LONGEST - _HEAD + 1},}})", re.ASCII)

ESCAPES = "nrtbfu"
BLANKS = r"(?:\s|\\+[nrtf]|\\+u[0-9A-Fa-f]{4})*"
"""Blanks between two things as a line of JSON has them, however deep in strings, for the engine of `anchors`."""

_VALUE = rf'"value\\*"{BLANKS}:{BLANKS}[\\"\[0-9-]'  # What is an object has names of its own: a tool's parameters.
VALUE_FOLLOWS, VALUE_STANDS_BEFORE = rf'\\*"(?s:.)*{_VALUE}', rf"{_VALUE}(?s:.)*"
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


def any_of(expressions: Iterable[str]) -> Callable[[str | bytes], bool]:
    """Return what tells, by the engine of `anchors`, whether one of *expressions* is anywhere in a text, in UTF-8."""
    found: Callable[[str | bytes], bool] = SchemaValidator(
        core_schema.str_schema(pattern="|".join(expressions))
    ).isinstance_python
    return found


def any_of_or_unread(*passes: Iterable[str]) -> Callable[[str], bool]:
    """As `any_of`, pass by pass: a text with half of a surrogate pair, which the engine does not read, may have one."""
    found = [any_of(expressions) for expressions in passes]

    def has_one(text: str) -> bool:
        for one in found:
            if one(text):
                return True
        return not _reads(text)

    return has_one


_reads = SchemaValidator(core_schema.str_schema()).isinstance_python


def plain(text: str) -> str:
    """Return *text* with an A in the place of each character of base64 that goes on for longer than a key does.

    No pattern means what it finds in there by chance. How such a run begins is left, for it may have a name in front.
    """
    if not any(_WHOLE_BLOCK.match(text, at) for at in range(0, len(text) - _BLOCK, _BLOCK)):
        return text
    return _ENCODED.sub(_without_data, text)


def _without_data(run: re.Match[str]) -> str:
    data, end, rest = run[2].partition("-----END")  # Of a private key in one line.
    return f"{run[1]}{'A' * len(data)}{end}{rest}"


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
    """Many finders that are asked only about a text which has one of the anchors: few *passes* instead of one for each.

    Attributes:
        finders: what they are.
    """

    def __init__(self, finders: Sequence[Finder], *passes: Iterable[str]) -> None:
        self.finders = finders
        self._may_hold_one = any_of_or_unread(*passes)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values begin and end, and of which kind they are."""
        if not self._may_hold_one(text):
            return
        left = plain(text)
        if left is text or self._may_hold_one(left):
            for finder in self.finders:
                yield from finder.spans(left)
