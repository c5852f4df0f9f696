"""Trim what is too large for a log: base64 media by policy, and long texts until the event fits."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple, cast

from ..event import JSON, Event
from ..serialise import dumps
from .parse import parse
from .redact.pattern import any_of_or_unread

Media = Literal["trim", "reference", "keep"]

_LOOK_ABOVE = 64 * 1024
_MEDIA_ABOVE = 8 * 1024
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,100};base64,")
# No other text goes on for so long without a blank, in lines of 60 at least.
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{60,}+[\r\n]{0,2}+)+")
_may_be_base64 = any_of_or_unread([r"(?:[A-Za-z0-9+/_-]|\\/){60}"])  # In a line of JSON.
_SURELY = 1024
_OTHER = re.compile(r"[^A-Za-z0-9+/_=\r\n-]")
_VARIETY = ("[A-Z]", "[a-z]", "[0-9]")
_SHORTEST = 256
_NUMBERS = frozenset({int, float})
_NOTE = 100  # Characters, at most, of what stands in the place of what is missing.


class Limits(NamedTuple):
    """What to do with base64, and how many bytes an event may have."""

    media: Media
    max_bytes: int


def is_small(line: bytes, limits: Limits) -> bool:
    """Tell at a glance that `trim` has nothing to do in *line*: it has less than 64 KB, or fits and has no media."""
    if len(line) <= _LOOK_ABOVE:
        return True
    if len(line) > limits.max_bytes:
        return False
    return limits.media == "keep" or not _may_be_base64(line.decode(errors="replace"))


def trim(event: Event, limits: Limits) -> Event:
    """Return *event* with its large base64 strings treated, and its texts cut, as the *limits* say.

    What was done is told in `trimmed`: how many strings, and how many characters are missing. An event whose texts were
    cut is marked `trimmed` in `training_unsafe`. An event that `is_small` need not come here.
    """
    fields = dict(cast(JSON, parse(None, "", event)))
    cut = _Cut()
    fields = _strings(fields, partial(cut.media, policy=limits.media))
    size = _size(fields)
    # The longest text alone gives what is too much, where that leaves it more than a quarter of the event.
    longest = max(limits.max_bytes // 4, cut.widest - (size - limits.max_bytes) - 2 * _NOTE)
    while longest >= _SHORTEST and size > limits.max_bytes:
        if cut.widest > longest + _NOTE:  # Most of a large event may be numbers: to walk it again would cut nothing.
            cut.widest = 0
            fields = _strings(fields, partial(cut.text, longest=longest))
            size = _size(fields)
        longest //= 2
    if cut.strings:
        fields["trimmed"] = {"strings": cut.strings, "characters": cut.characters}
    if cut.texts:
        fields["training_unsafe"] = [*fields.get("training_unsafe", []), "trimmed"]
    return cast(Event, fields)


class _Cut:
    def __init__(self) -> None:
        self.strings = self.characters = self.texts = self.widest = 0

    def media(self, text: str, policy: Media) -> str:
        shown = text if policy == "keep" else self._without_media(text, policy)
        self.widest = max(self.widest, len(shown))
        return shown

    def _without_media(self, text: str, policy: Media) -> str:
        if len(text) < _MEDIA_ABOVE:
            return text
        url = _DATA_URL.match(text)
        start = url.end() if url else 0
        found = _BASE64.match(text, start, start + 2 * _SURELY)
        if not found or found.end() - start < _SURELY or not (url or _is_varied(text)):
            return text
        data = text[start:]
        self.strings += 1
        self.characters += len(data)
        note = f"[{len(data)} characters of base64 left out"
        if policy == "reference":
            note += f"; sha256 {hashlib.sha256(data.encode()).hexdigest()}"
        return (url.group() if url else "") + note + "]"

    def text(self, text: str, *, longest: int) -> str:
        if len(text) <= longest + _NOTE:
            self.widest = max(self.widest, len(text))
            return text
        self.widest = max(self.widest, longest + _NOTE)
        self.strings += 1
        self.texts += 1
        self.characters += len(text) - longest
        return f"{text[: longest // 2]}…[{len(text) - longest} characters left out]…{text[len(text) - longest // 2 :]}"


def _is_varied(text: str) -> bool:
    """Whether *text* has characters of all the kinds that encoded bytes have, and no others, or is all zeros.

    Sequences of genes and one word over and over lack some. Of megabytes, the beginning, the middle and the end are
    looked at: it is the program's own call.
    """
    places = (0, len(text) // 2, len(text) - _SURELY)
    seen = "".join(text[place : place + _SURELY] for place in places)
    varied = all(re.search(kind, seen) for kind in _VARIETY) or not seen.strip("A=\r\n")
    return varied and not _OTHER.search(seen)


def _strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _strings(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if _NUMBERS.issuperset(map(type, value)):  # As a vector is: looked at without a step for each of them.
            return value
        return [_strings(item, change) for item in value]
    return value


def _size(fields: JSON) -> int:
    return len(dumps(fields))
