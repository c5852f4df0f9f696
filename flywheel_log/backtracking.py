"""Whether a regular expression may take for ever: one that can match the same text in many ways.

A matcher that backtracks, as Python's does, tries all ways before it says no. Inside a loop they multiply: `(a+)+`,
`(a|aa)+` and `(a?a)+` double the time with each character. An expression is safe from that where, at each character
inside a loop, only one of its parts can go on (Brueggemann-Klein, Wood: One-Unambiguous Regular Languages, 1998).

Parts that follow each other multiply, too, where they can share a text between them in many ways: `.*x.*y` takes the
cube of its length to say no. Two parts can where characters that both take lead from the one to the other (after Weber,
Seidl: On the Degree of Ambiguity of Finite Automata, 1991; here without regard to the order of the characters).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

LONGEST = 2048  # Characters of a text that an expression of somebody else is shown at once.
_MOST_COPIES = 32
_BESIDE = 4
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_LOOKS = (_constants.ASSERT, _constants.ASSERT_NOT)
_PLAIN = "09azAZ_ -.,:\n\t\u00e9\u4e2d\0"


class _Part(NamedTuple):
    """A part of an expression: the places it may begin and end at, and whether it may match nothing."""

    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    empty: bool = True


class _Choice(NamedTuple):
    """A part of an expression that may take more or less of a text: its places, and in how many ways."""

    places: frozenset[int]
    ways: int


def ambiguous(expression: str) -> bool:
    """Whether *expression* can match a text of `LONGEST` characters in many more ways than one repetition can.

    That has as many ways as the text has characters; four times as many are taken, for short parts beside it.

    Raises:
        re.error: it is not a regular expression.
    """
    whole = _Expression(_parser.parse(expression), {*expression, *_PLAIN})
    return whole.loops_are_ambiguous() or whole.ways() > _BESIDE * LONGEST


class _Expression:
    """The places of an expression, each of which takes a character, and which may follow which."""

    def __init__(self, parsed: Any, alphabet: Iterable[str]) -> None:
        self._state, self._alphabet = parsed.state, sorted(alphabet)
        self._takes: list[frozenset[str]] = []
        self._follow: list[set[int]] = []
        self._twice = False
        self._flags = 0
        self._choices: list[_Choice] = []
        self._asserted = -1  # The last place before something that takes nothing and can say no.
        self._ends = self._sequence(parsed).last

    def loops_are_ambiguous(self) -> bool:
        if self._twice:
            return True
        reached = [self._reachable(place) for place in range(len(self._takes))]
        return any(
            self._takes[one] & self._takes[other]
            for place, follow in enumerate(self._follow)
            for one, other in combinations((after for after in follow if place in reached[after]), 2)
        )

    def ways(self) -> int:
        """The most ways in which one text can be shared between the parts that follow each other."""
        most: list[int] = []
        for number, choice in enumerate(self._choices):
            before = (most[i] for i, one in enumerate(self._choices[:number]) if self._share(one, choice))
            most.append(choice.ways * max(before, default=1))
        return max(most, default=1)

    def _share(self, one: _Choice, other: _Choice) -> bool:
        """Whether characters that both take lead from *one* into *other*, which follows it and does not hold it."""
        if not one.places.isdisjoint(other.places) or self._may_end_in(other):
            return False
        both = self._letters(one.places) & self._letters(other.places)
        reached, todo = set(one.places), [*one.places]
        while todo:
            fresh = {place for place in self._follow[todo.pop()] - reached if self._takes[place] & both}
            reached |= fresh
            todo += fresh
        return not reached.isdisjoint(other.places)

    def _may_end_in(self, choice: _Choice) -> bool:
        return max(choice.places) > self._asserted and not choice.places.isdisjoint(self._ends)

    def _letters(self, places: Iterable[int]) -> frozenset[str]:
        return frozenset[str]().union(*(self._takes[place] for place in places))

    def _reachable(self, place: int) -> set[int]:
        reached, todo = set[int](), [place]
        while todo:
            fresh = self._follow[todo.pop()] - reached
            reached |= fresh
            todo += fresh
        return reached

    def _sequence(self, parts: Iterable[Any]) -> _Part:
        whole = _Part()
        for kind, value in parts:
            if kind in (*_LOOKS, _constants.AT):
                self._assertion(whole, value[1] if kind in _LOOKS else ())
            else:
                whole = self._then(whole, self._part(kind, value))
        return whole

    def _assertion(self, before: _Part, parts: Iterable[Any]) -> None:
        self._asserted = len(self._takes) - 1
        self._join(before, self._sequence(parts))

    def _chosen(self, before: int, ways: int) -> None:
        """Note that what has been read since *before* can be matched in so many *ways*."""
        places = frozenset(range(before, len(self._takes)))
        if places and ways > 1:
            self._choices.append(_Choice(places, min(ways, LONGEST)))

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
        return self._place(kind, value)

    def _group(self, flags: int, without: int, parts: Iterable[Any]) -> _Part:
        before, self._flags = self._flags, (self._flags | flags) & ~without
        whole = self._sequence(parts)
        self._flags = before
        return whole

    def _branch(self, ways: Iterable[Any]) -> _Part:
        before = len(self._takes)
        parts = [self._sequence(way) for way in ways]
        self._chosen(before, self._alike(parts))
        first = frozenset(place for part in parts for place in part.first)
        last = frozenset(place for part in parts for place in part.last)
        return _Part(first, last, any(part.empty for part in parts))

    def _alike(self, parts: Iterable[_Part]) -> int:
        """How many of *parts* one character can begin, with those that need none."""
        begins = [frozenset(self._alphabet) if part.empty else self._letters(part.first) for part in parts]
        return max(sum(letter in begin for begin in begins) for letter in self._alphabet)

    def _repeat(self, least: int, most: Any, body: Any) -> _Part:
        if least == most and least <= _MOST_COPIES:  # There is one way to match it so many times.
            return self._sequence(part for _ in range(least) for part in body)
        before = len(self._takes)
        part = self._sequence(body)
        self._chosen(before, int(most) - least + 1)
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
