"""One walk through an event: every string, every key, and the JSON inside strings, with what was found replaced."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from ..drop_tokens import drop_tokens
from .assignments import is_placeholder
from .loose import looks_random, may_name_secret
from .pattern import Finder, Span, any_of_or_unread
from .reading import ESCAPE, INVISIBLE, Reading
from .secret_names import counts, names_secret
from .substitute import Substitute

_may_hide = any_of_or_unread((INVISIBLE.pattern,))
_LONGEST_NUMBER = 19  # Of a card; longer and shorter numbers are quantities, times and ids.
_SHORTEST_NUMBER = 13


class Walk:
    """Replaces what *finders* find, and counts it by kind.

    Args:
        finders: the first one wins where two find the same.
        substitute: makes what stands in the place of a value.
        named: also replace whatever stands under a key such as `password`.
        shortest: texts of fewer characters are not looked at.
    """

    def __init__(self, finders: Sequence[Finder], substitute: Substitute, *, named: bool, shortest: int) -> None:
        self._finders = finders
        self._substitute = substitute
        self._named = named
        self._shortest = shortest
        self.found: Counter[str] = Counter()

    def value(self, value: Any) -> Any:
        """Return *value*, any JSON, without what was found."""
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return self._number(value) if type(value) is int else value

    def _object(self, fields: dict[str, Any]) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        for name, value in fields.items():
            key = unique = self.text(name)
            while unique in clean:
                unique = f"{key}#{len(clean)}"
            clean[unique] = self._under(name if name != "value" else _name_in(fields), value)
        return drop_tokens(clean, fields)

    def _under(self, name: str, value: Any) -> Any:
        if not self._named:
            return self.value(value)
        if not names_secret(name):
            return self._perhaps(name, value)
        if isinstance(value, str):
            found = self.text(value)  # What has a kind of its own is called by it.
            return found if found != value or not value or is_placeholder(value) else self._replaced("password", value)
        if isinstance(value, list):
            return [self._under(name, item) for item in value]
        number = type(value) is int and not counts(name)
        return self._replaced("password", str(value)) if number else self.value(value)

    def _perhaps(self, name: str, value: Any) -> Any:
        if isinstance(value, list) and counts(name) and may_name_secret(name):
            return [self._perhaps(name, item) for item in value]
        clean = self.value(value)
        secret = isinstance(value, str) and clean == value and may_name_secret(name)
        return self._replaced("token", value) if secret and looks_random(value, many=counts(name)) else clean

    def _number(self, number: int) -> Any:
        digits = str(number) if 10 ** (_SHORTEST_NUMBER - 1) <= number < 10**_LONGEST_NUMBER else ""
        clean = self.text(digits)
        return clean if clean != digits else number

    def _string(self, text: str) -> str:
        """Treat JSON inside a string (the arguments of a tool call) as JSON, so that it stays JSON."""
        if text[:1] not in ("{", "[", '"') or text[-1:] not in ("}", "]", '"'):
            return self.text(text)
        try:
            inner = orjson.loads(text)
        except ValueError:
            return self.text(text)
        clean = self.value(inner)
        if clean != inner:
            return _dumps(clean)
        return text if isinstance(inner, str) else self.text(text)

    def text(self, text: str) -> str:
        """Return *text* without what was found in it."""
        if len(text) < self._shortest:
            return text
        spans = self._spans(text)
        if not spans:
            return text
        pieces, done = [], 0
        for start, end, kind in _apart(spans):
            pieces += [text[done:start], self._replaced(kind, text[start:end])]
            done = end
        return "".join([*pieces, text[done:]])

    def _spans(self, text: str) -> list[Span]:
        """What is found in *text* as it is, without its escapes, and without what is invisible."""
        spans = self._found(text)
        if "\\" in text:
            reading = Reading(text, ESCAPE)
            spans += reading.places(self._visible(reading.plain))
        return spans + self._hidden(text)

    def _visible(self, text: str) -> list[Span]:
        return self._found(text) + self._hidden(text)

    def _hidden(self, text: str) -> list[Span]:
        if text.isascii() or not _may_hide(text):
            return []
        reading = Reading(text, INVISIBLE)
        return reading.places(self._found(reading.plain))

    def _found(self, text: str) -> list[Span]:
        return [span for finder in self._finders for span in finder.spans(text)]

    def _replaced(self, kind: str, value: str) -> str:
        self.found[kind] += 1
        return self._substitute(kind, value)


def _name_in(pair: dict[str, Any]) -> str:
    """What the value of *pair* is called, as headers and the variables of containers are: `{"name": …, "value": …}`."""
    return next((name for name in (pair.get("name"), pair.get("key")) if isinstance(name, str)), "value")


def _apart(spans: list[Span]) -> list[Span]:
    """The spans in their order, merged where they overlap; the first found names what they have in common."""
    merged: list[Span] = []
    for start, end, _, kind in sorted((start, end, rank, kind) for rank, (start, end, kind) in enumerate(spans)):
        if merged and start < merged[-1][1]:
            before = merged.pop()
            merged.append((before[0], max(end, before[1]), before[2]))
        else:
            merged.append((start, end, kind))
    return merged


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
