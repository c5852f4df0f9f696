"""Whether a line of JSON may hold a secret at all: told by an engine that is linear, sound and cheap.

The engine is the one that pydantic checks strings with (Rust's `regex`): it looks for many things at once at a tenth of
what `re` takes, and is installed wherever the SDKs are. It knows no lookbehind, so each family of secrets says in
`ANCHORS` what it cannot do without, which may be more than its finders take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import assignments, commands, loose, tokens
from .pattern import any_of, plain
from .reading import INVISIBLE

_ESCAPED_INVISIBLE = r"u(?i:00ad|200[b-d]|2060|feff)"
_INVISIBLE = re.compile(rf"{INVISIBLE.pattern}|\\+{_ESCAPED_INVISIBLE}")
_SPELLED_OUT = r"\\u00[2-7]"  # A printable character as an escape: any secret may hide behind it.
_MEDIA = re.compile(r"(;base64,[A-Za-z0-9+/]{64})[A-Za-z0-9+/]{200,}")

# For expressions the engine builds states as it reads, of which it keeps 2 MB, and what people write leads to ever new
# ones: 30 to 100 ns a character. For plain words, and for what begins with rare ones, it needs none: 1 to 3 ns. So
# expressions are asked behind their words alone. Two that count, or wait, from anywhere must not be in one pass: each
# state of the one is met in each of the other.
_has_head = any_of((*tokens.HEADS, *assignments.USERINFO, *loose.MANY))
_has_dots = any_of(tokens.DOTS)
_has_invisible = any_of((INVISIBLE.pattern, rf"\\{_ESCAPED_INVISIBLE}"))
_has_media = any_of((";base64,",))


class _Behind:
    """Tells whether one of some expressions is in a text, which it looks through only if it has one of *words*."""

    def __init__(self, words: Iterable[str], *passes: Iterable[str]) -> None:
        self._has_word = any_of(map(re.escape, words))
        self._has_one = [any_of(expressions) for expressions in passes]

    def __call__(self, text: str, lowered: bytes) -> bool:
        return self._has_word(lowered) and any(has_one(text) for has_one in self._has_one)


_has_secret = _Behind(
    (*tokens.WORDS, *assignments.WORDS, *(rf"\u00{digit}" for digit in "234567")),
    tokens.ANCHORS,
    assignments.ANCHORS,
    assignments.OPTION,
    (*commands.WITH_PASSWORD, _SPELLED_OUT),
)
_has_statement = _Behind((*commands.WORDS, *loose.WORDS), commands.ANCHORS, loose.ANCHORS)


def suspicious(line: bytes) -> bool:
    """Tell whether some pattern for secrets may match somewhere in *line*; False is certain.

    Not looked at is the inside of base64 that goes on for longer than a key, and of what is in data URLs.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return True
    if _has_media(text):
        text = _MEDIA.sub(r"\1", text)
    return _matches(text) or (_has_invisible(text) and _matches(_INVISIBLE.sub("", text)))


def _matches(text: str) -> bool:
    return _has_any(text) and ((left := plain(text)) is text or _has_any(left))


def _has_any(text: str) -> bool:
    if _has_head(text) or _has_dots(text):
        return True
    lowered = text.encode().lower()
    return _has_secret(text, lowered) or _has_statement(text, lowered)
