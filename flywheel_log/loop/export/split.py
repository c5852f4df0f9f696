"""Dividing examples into sets, so that no conversation is in two of them and each tool is in all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from hashlib import blake2b

from ..candidate import digest
from .example import Example
from .recipe import Recipe


def split(examples: Sequence[Example], recipe: Recipe) -> dict[str, list[Example]]:
    """Divide *examples* into the sets of *recipe*, by its shares and its seed.

    Examples of one session, of one trace, with the same first question, or rating the same question differently stay
    together. Conversations are dealt out tool by tool, so that the shares hold for each tool as nearly as they can.
    The order of *examples* does not matter.
    """
    groups = _conversations(examples)
    dealt = sorted(groups, key=lambda group: (_stratum(group), _drawn(group, recipe.seed)))
    shares = {name: share for name, share in recipe.shares.items() if share > 0}
    sets: dict[str, list[Example]] = {name: [] for name in shares}
    seen = 0
    for group in dealt:
        seen += len(group)
        wanting = max(shares, key=lambda name: shares[name] * seen - len(sets[name]))
        sets[wanting] += group
    return {name: sorted(some, key=lambda one: (one.event["timestamp"], one.id)) for name, some in sets.items()}


def _conversations(examples: Sequence[Example]) -> list[list[Example]]:
    """Group the examples that have a key in common, directly or through others."""
    parents: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while parents.setdefault(key, key) != key:
            parents[key] = key = parents[parents[key]]
        return key

    for one in examples:
        first, *others = _keys(one)
        for other in others:
            parents[root(other)] = root(first)
    groups: dict[Hashable, list[Example]] = defaultdict(list)
    for one in examples:
        groups[root(next(_keys(one)))].append(one)
    return list(groups.values())


def _keys(one: Example) -> Iterator[Hashable]:
    yield digest(next((message for message in one.messages if message.get("role") == "user"), one.messages))
    for name in ("session_id", "trace_id"):
        value = one.event.get(name)
        if isinstance(value, str) and value:
            yield name, value


def _stratum(group: Sequence[Example]) -> str:
    """The tool that the conversation calls most."""
    counts = Counter(one.tool for one in group if one.tool)
    return min(counts, key=lambda tool: (-counts[tool], tool), default="")


def _drawn(group: Sequence[Example], seed: int) -> bytes:
    lot = min(one.content for one in group)
    return blake2b(lot, salt=seed.to_bytes(8, "little", signed=True), digest_size=8).digest()
