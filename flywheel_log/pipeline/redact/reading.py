"""A text as a person reads it: without JSON escapes (cut-off JSON does not parse) and invisible characters."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from .pattern import Span

ESCAPE = re.compile(r"(?<!\\)\\++(?:u([0-9A-Fa-f]{4})|([nrtbf])|(?=[\"'`/]))")
# Blanks without width, joiners, the soft hyphen: what is copied from pages and chats has them inside of words.
INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]+")
_BLANKS = {"n": "\n", "r": "\r", "t": "\t"}


class Reading:
    """*text* without what *hidden* finds, and where in *text* what is found in it stands.

    Args:
        text: any.
        hidden: escapes, however deep they are, or what is invisible.

    Attributes:
        plain: what is read.
    """

    def __init__(self, text: str, hidden: re.Pattern[str] = ESCAPE) -> None:
        self._here, self._there = [0], [0]
        pieces: list[str] = []
        done = length = 0
        for escape in hidden.finditer(text):
            char = _char(escape)
            length += escape.start() - done
            self._here += (length, length + len(char))
            self._there += escape.span()
            pieces += (text[done : escape.start()], char)
            done, length = escape.end(), length + len(char)
        self.plain = "".join([*pieces, text[done:]])

    def places(self, spans: Iterable[Span]) -> list[Span]:
        """Where in the text *spans*, which were found here, stand."""
        return [(self.start(begin), self.end(end), kind) for begin, end, kind in spans]

    def start(self, at: int) -> int:
        """Where in the text begins what begins here *at*."""
        return self._place(at, bisect_right(self._here, at) - 1)

    def end(self, at: int) -> int:
        """Where in the text ends what ends here *at*: in front of the escape that follows."""
        mark = bisect_left(self._here, at)
        exact = mark < len(self._here) and self._here[mark] == at
        return self._place(at, mark if exact else mark - 1)

    def _place(self, at: int, mark: int) -> int:
        return self._there[mark] + at - self._here[mark]


def _char(escape: re.Match[str]) -> str:
    """What *escape* stands for: a character, or nothing."""
    if escape.lastindex is None:
        return ""
    said = escape[escape.lastindex]
    return chr(int(said, 16)) if escape.lastindex == 1 else _BLANKS.get(said, " ")
