"""The user's own patterns: checked when configured, and kept from long texts when they run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...backtracking import LONGEST as PIECE
from .pattern import Span

OVERLAP = 256


class Custom:
    """Finds what the user's own expression matches: its first group that matched, or all of it.

    Nobody knows how an expression of somebody else behaves on a long text, so it is shown pieces of `PIECE` characters
    that overlap by `OVERLAP`; that is also the longest match that is found wherever it stands.
    """

    def __init__(self, kind: str, expression: str) -> None:
        self._kind = kind
        self._expression = re.compile(expression)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values begin and end, and of which kind they are."""
        for begin in range(0, max(len(text) - OVERLAP, 1), PIECE - OVERLAP):
            for match in self._expression.finditer(text, begin, begin + PIECE):
                start, end = match.span(match.lastindex or 0)
                if start < end:
                    yield start, end, self._kind
