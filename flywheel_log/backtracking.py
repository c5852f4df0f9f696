"""Whether a regular expression may take for ever: one that can match the same text in many ways inside a repetition.

A matcher that backtracks, as Python's does, tries all ways before it says no. Inside a loop they multiply: `(a+)+`,
`(a|aa)+` and `(a?a)+` double the time with each character. An expression is safe from that where, at each character
inside a loop, only one of its parts can go on (Brueggemann-Klein, Wood: One-Unambiguous Regular Languages, 1998).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

_MOST_COPIES = 32
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_LOOKS = (_constants.ASSERT, _constants.ASSERT_NOT)
_PLAIN = "09azAZ_ -.,:\n\t\u00e9\u4e2d\0"


class _Part(NamedTuple):
    """A part of an expression: the places it may begin and end at, and whether it may match nothing."""

    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    empty: bool = True


def ambiguous(expression: str) -> bool:
    """Whether *expression* can match a text in many ways inside a repetition. Raises re.error where it is none."""
    parsed = _parser.parse(expression)
    return _Expression(parsed, {*expression, *_PLAIN}).loops_are_ambiguous()


class _Expression:
    """The places of an expression, each of which takes a character, and which may follow which."""

    def __init__(self, parsed: Any, alphabet: Iterable[str]) -> None:
        self._state, self._alphabet = parsed.state, sorted(alphabet)
        self._takes: list[frozenset[str]] = []
        self._follow: list[set[int]] = []
        self._twice = False
        self._flags = 0
        self._sequence(parsed)

    def loops_are_ambiguous(self) -> bool:
        if self._twice:
            return True
        reached = [self._reachable(place) for place in range(len(self._takes))]
        return any(
            self._takes[one] & self._takes[other]
            for place, follow in enumerate(self._follow)
            for one, other in combinations((after for after in follow if place in reached[after]), 2)
        )

    def _reachable(self, place: int) -> set[int]:
        reached, todo = set[int](), [place]
        while todo:
            fresh = self._follow[todo.pop()] - reached
            reached |= fresh
            todo += fresh
        return reached

    def _sequence(self, parts: Iterable[Any]) -> _Part:
        whole = _Part()
        for part in parts:
            whole = self._then(whole, self._part(*part))
        return whole

    def _then(self, one: _Part, other: _Part) -> _Part:
        self._join(one, other)
        first = one.first | other.first if one.empty else one.first
        last = one.last | other.last if other.empty else other.last
        return _Part(first, last, one.empty and other.empty)

    def _join(self, one: _Part, other: _Part) -> None:
        for place in one.last:
            self._twice = self._twice or not self._follow[place].isdisjoint(other.first)
            self._follow[place] |= other.first

    def _part(self, kind: Any, value: Any) -> _Part:
        if kind is _constants.BRANCH:
            return self._branch(value[1])
        if kind is _constants.SUBPATTERN:
            return self._group(*value[1:])
        if kind is _constants.ATOMIC_GROUP:
            return self._sequence(value)
        if kind is _constants.GROUPREF_EXISTS:
            return self._branch([one or () for one in value[1:]])
        if kind in _REPEATS:
            return self._repeat(*value)
        if kind in _LOOKS:
            self._sequence(value[1])
        return _Part() if kind in (*_LOOKS, _constants.AT) else self._place(kind, value)

    def _group(self, flags: int, without: int, parts: Iterable[Any]) -> _Part:
        before, self._flags = self._flags, (self._flags | flags) & ~without
        whole = self._sequence(parts)
        self._flags = before
        return whole

    def _branch(self, ways: Iterable[Any]) -> _Part:
        parts = [self._sequence(way) for way in ways]
        first = frozenset(place for part in parts for place in part.first)
        last = frozenset(place for part in parts for place in part.last)
        return _Part(first, last, any(part.empty for part in parts))

    def _repeat(self, least: int, most: Any, body: Any) -> _Part:
        if least == most and least <= _MOST_COPIES:  # There is one way to match it so many times.
            return self._sequence(part for _ in range(least) for part in body)
        part = self._sequence(body)
        if most > 1:
            self._join(part, part)
        return part._replace(empty=part.empty or least == 0)

    def _place(self, kind: Any, value: Any) -> _Part:
        if kind is _constants.GROUPREF:
            takes = frozenset(self._alphabet)
        else:
            one = _compiler.compile(_parser.SubPattern(self._state, [(kind, value)]), self._flags)
            takes = frozenset(filter(one.fullmatch, self._alphabet))
        self._takes.append(takes)
        self._follow.append(set())
        place = frozenset((len(self._takes) - 1,))
        return _Part(place, place, empty=False)
