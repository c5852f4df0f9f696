"""A text as it reads without its escapes: JSON that was cut off or stands among words is no JSON to a parser."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

_ESCAPE = re.compile(r"(?<!\\)\\++(?:u([0-9A-Fa-f]{4})|([nrtbf])|(?=[\"'`/]))")
_BLANKS = {"n": "\n", "r": "\r", "t": "\t"}


class Reading:
    """*text* without its escapes, however deep they are, and where in *text* what is found in it stands.

    Attributes:
        plain: what is read.
    """

    def __init__(self, text: str) -> None:
        self._here, self._there = [0], [0]
        pieces: list[str] = []
        done = length = 0
        for escape in _ESCAPE.finditer(text):
            code, letter = escape.groups()
            char = chr(int(code, 16)) if code else _BLANKS.get(letter, " ") if letter else ""
            length += escape.start() - done
            self._here += (length, length + len(char))
            self._there += escape.span()
            pieces += (text[done : escape.start()], char)
            done, length = escape.end(), length + len(char)
        self.plain = "".join([*pieces, text[done:]])

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
