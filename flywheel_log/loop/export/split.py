"""Divide examples into sets so that no conversation is in two of them, and each keeps its set for good."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from hashlib import blake2b
from typing import TypeVar

from .example import Example
from .recipe import Recipe
from .shelf import Kept

One = TypeVar("One", bound=Example | Kept)
"""What is divided: examples, or those on the shelf."""


def split(examples: Sequence[One], recipe: Recipe) -> dict[str, list[One]]:
    """Divide *examples* into the sets of *recipe*, by its shares and its seed.

    Examples of one session, of one trace, that ask the same, or that go on where another one ended stay together. Each
    conversation is drawn by itself, by a hash of how it began: it is in the same set when the log has grown, when some
    of its answers are left out, and whatever else a dataset takes. So the shares hold as those of so many draws do; but
    of a tool with enough conversations for one in each set, each set has one. A set takes no conversation that is
    larger than its share; of a few examples, each is.
    The order of *examples* does not matter.
    """
    shares = {name: share for name, share in recipe.shares.items() if share > 0}
    largest = max(shares, key=lambda name: shares[name])
    most = {name: share * len(examples) for name, share in shares.items()}
    strata: dict[str, list[tuple[float, list[One]]]] = defaultdict(list)
    groups = _conversations(examples)
    shared = _shared(groups)
    for group in groups:
        strata[_stratum(group)].append((_drawn(group, shared, recipe.seed), group))
    sets: dict[str, list[One]] = {name: [] for name in shares}
    for drawn in strata.values():
        for name, group in _dealt(drawn, shares):
            sets[name if len(group) <= most[name] else largest] += group
    return {name: sorted(some, key=lambda one: (one.timestamp, one.id)) for name, some in sets.items()}


def _dealt(groups: list[tuple[float, list[One]]], shares: Mapping[str, float]) -> Iterator[tuple[str, list[One]]]:
    """Yield each group with its set: the one whose part of 0 to 1 its number lies in, or one that would be empty."""
    left = sorted(groups, key=lambda pair: pair[0])
    begin, count = 1.0, len(groups)
    for name in reversed([*shares]):  # Another share of one set leaves those before it as they are.
        begin -= shares[name]
        at = bisect_left(left, begin, key=lambda pair: pair[0])
        if at == len(left) and shares[name] * count >= 1:
            at -= 1
        yield from ((name, group) for _, group in left[at:])
        del left[at:]
    yield from ((name, group) for _, group in left)


def _conversations(examples: Sequence[One]) -> list[list[One]]:
    """Group the examples that have something in common, directly or through others."""
    parents: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while parents.setdefault(key, key) != key:
            parents[key] = key = parents[parents[key]]
        return key

    asked = {one.openings[-1] for one in examples}
    for one in examples:
        *before, last = one.openings
        for other in (*one.belongs_to, *filter(asked.__contains__, before)):
            parents[root(other)] = root(last)
    groups: dict[Hashable, list[One]] = defaultdict(list)
    for one in examples:
        groups[root(one.openings[-1])].append(one)
    return list(groups.values())


def _stratum(group: Sequence[One]) -> str:
    """The tool that the conversation calls most."""
    counts = Counter(one.tool for one in group if one.tool)
    return min(counts, key=lambda tool: (-counts[tool], tool), default="")


def _shared(groups: Sequence[Sequence[One]]) -> set[bytes]:
    """What more than one conversation begins with, such as examples of questions and answers."""
    found = Counter(opening for group in groups for opening in {each for one in group for each in one.openings})
    return {opening for opening, count in found.items() if count > 1}


def _drawn(group: Sequence[One], shared: AbstractSet[bytes], seed: int) -> float:
    """A number from 0 to 1 that depends on the seed, and on the first question that this group alone has asked."""
    openings = min(group, key=lambda one: (one.timestamp, one.id)).openings
    lot = next((opening for opening in openings if opening not in shared), openings[-1])
    salt = seed.to_bytes(8, "little", signed=True)
    return int.from_bytes(blake2b(lot, salt=salt, digest_size=6).digest()) / 2**48
