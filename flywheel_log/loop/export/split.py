"""Dividing examples into sets, so that no conversation is in two of them and each tool is in all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from hashlib import blake2b
from typing import Protocol, TypeVar

from .recipe import Recipe


class Divided(Protocol):
    """What is divided: an `Example`, or one on the shelf."""

    @property
    def id(self) -> str:
        """The call's id."""

    @property
    def timestamp(self) -> str:
        """When the call began."""

    @property
    def content(self) -> bytes:
        """A digest of what was asked and of the answer."""

    @property
    def keys(self) -> tuple[Hashable, ...]:
        """What examples have in common that stay together; never empty."""

    @property
    def tool(self) -> str:
        """The tool that the answer calls; empty if it calls none."""


One = TypeVar("One", bound=Divided)


def split(examples: Sequence[One], recipe: Recipe) -> dict[str, list[One]]:
    """Divide *examples* into the sets of *recipe*, by its shares and its seed.

    Examples of one session, of one trace, with the same first question, or rating the same question differently stay
    together. Conversations are dealt out tool by tool, so that the shares hold for each tool as nearly as they can.
    The order of *examples* does not matter.
    """
    groups = _conversations(examples)
    dealt = sorted(groups, key=lambda group: (_stratum(group), _drawn(group, recipe.seed)))
    shares = {name: share for name, share in recipe.shares.items() if share > 0}
    sets: dict[str, list[One]] = {name: [] for name in shares}
    seen = 0
    for group in dealt:
        seen += len(group)
        wanting = max(shares, key=lambda name: shares[name] * seen - len(sets[name]))
        sets[wanting] += group
    return {name: sorted(some, key=lambda one: (one.timestamp, one.id)) for name, some in sets.items()}


def _conversations(examples: Sequence[One]) -> list[list[One]]:
    """Group the examples that have a key in common, directly or through others."""
    parents: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while parents.setdefault(key, key) != key:
            parents[key] = key = parents[parents[key]]
        return key

    for one in examples:
        first, *others = one.keys
        for other in others:
            parents[root(other)] = root(first)
    groups: dict[Hashable, list[One]] = defaultdict(list)
    for one in examples:
        groups[root(one.keys[0])].append(one)
    return list(groups.values())


def _stratum(group: Sequence[One]) -> str:
    """The tool that the conversation calls most."""
    counts = Counter(one.tool for one in group if one.tool)
    return min(counts, key=lambda tool: (-counts[tool], tool), default="")


def _drawn(group: Sequence[One], seed: int) -> bytes:
    lot = min(one.content for one in group)
    return blake2b(lot, salt=seed.to_bytes(8, "little", signed=True), digest_size=8).digest()
