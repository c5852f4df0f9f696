"""Whether a line of JSON may hold a secret at all: told by an engine that is linear, sound and cheap.

The engine is the one that pydantic checks strings with (Rust's `regex`): it looks for many things at once at a tenth of
what `re` takes, and is installed wherever the SDKs are. It knows no lookbehind, so each family of secrets says in
`ANCHORS` what it cannot do without, which may be more than its finders take.
"""

from __future__ import annotations

import re

from . import assignments, commands, loose, tokens
from .pattern import any_of, plain
from .reading import INVISIBLE

_INVISIBLE = re.compile(rf"{INVISIBLE.pattern}|\\+u(?i:00ad|200[b-d]|2060|feff)")
_SPELLED_OUT = r"\\u00[2-7]"  # A printable character as an escape: any secret may hide behind it.
_ANCHORS = (*tokens.ANCHORS, *assignments.ANCHORS, *commands.ANCHORS, *loose.ANCHORS, _SPELLED_OUT)
# The engine is fast where it comes back to states that it has been in, of which it keeps 2 MB. Random text, as ids and
# base64, leads to ever new ones if two expressions count, or wait, from anywhere: none may, where every line passes.
_has_one = any_of(_ANCHORS)
_has_option = any_of((assignments.OPTION,))
_hides = any_of((_INVISIBLE.pattern,))

_MEDIA = re.compile(rb"(;base64,[A-Za-z0-9+/]{64})[A-Za-z0-9+/]{200,}")


def suspicious(line: bytes) -> bool:
    """Tell whether some pattern for secrets may match somewhere in *line*; False is certain.

    Not looked at is the inside of base64 that goes on for longer than a key, and of what is in data URLs.
    """
    try:
        text = (_MEDIA.sub(rb"\1", line) if b";base64," in line else line).decode()
    except UnicodeDecodeError:
        return True
    return _matches(text) or (_hides(text) and _matches(_INVISIBLE.sub("", text)))


def _matches(text: str) -> bool:
    return _has_any(text) and ((left := plain(text)) is text or _has_any(left))


def _has_any(text: str) -> bool:
    return _has_one(text) or _has_option(text)
