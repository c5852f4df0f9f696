"""A look at a line's bytes that tells, of most lines without a word, that they need not be parsed to be searched.

It says no only where the parsed conversation cannot match. So it looks for words that JSON writes as they are, in chat
completions, whose texts are read as they came; of other APIs some are put together of pieces, and these are parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Glance = Callable[[bytes], bool]

_PLAIN = r"[\w @'!=%#;&<>~-]"
_TOKEN = re.compile(
    rf"(?P<word>{_PLAIN}+)(?![*+?{{])|(?:{_PLAIN}|\.|\\[bBdDsSwW.,:()/-]|\[\^?\]?[^\]\\\[]*\])(?:[*+]\??|\?{{0,2}})",
    re.ASCII,
)
_NUMBER = re.compile(r"[\de+-]*")
_MADE = ("infinity", "nan", "not flagged", " vectors")
"""What a conversation may say, besides numbers, that is not so in its line."""

_READ_AS_IT_CAME = b'"surface":"chat.completions"'
_ESCAPE = b"\\u"
_ALIKE = (b"\xc5\xbf", b"\xe2\x84\xaa", b"\xc4\xb0", b"\xc4\xb1")
"""What equals s, k and i where case is ignored: the long s, the sign of Kelvin, and the Turkish letters i."""


def glance(pattern: str) -> Glance | None:
    """Return what tells of a line whether its conversation may match *pattern*, whatever the case; None if nothing can.

    It is true of what looks torn, so that whoever parses it finds out.
    """
    words = [_word(alternative) for alternative in pattern.split("|")]
    if not all(words):
        return None
    wanted = [word.encode() for word in words]

    def may_match(line: bytes) -> bool:
        if _READ_AS_IT_CAME not in line or _ESCAPE in line or not line.rstrip().endswith(b"}"):
            return True
        folded = line.lower()
        if any(word in folded for word in wanted):
            return True
        return not line.isascii() and any(sign in line for sign in _ALIKE)

    return may_match


def _word(pattern: str) -> str:
    """Return the longest word, in small letters, that is in all that *pattern* matches; empty if none is known."""
    place, longest = 0, ""
    while place < len(pattern):
        if (token := _TOKEN.match(pattern, place)) is None:
            return ""
        longest = max(longest, token["word"] or "", key=len)
        place = token.end()
    word = longest.lower()
    bare = word.lstrip("0123456789")
    return "" if _NUMBER.fullmatch(word) or any(bare in made for made in _MADE) else word
