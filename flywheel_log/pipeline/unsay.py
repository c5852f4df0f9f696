"""Unsay in tokens what a text does not say any more: log probabilities spell out the answer they stand beside."""

from __future__ import annotations

from ..event import JSON

_TOKENS = frozenset({"logprobs", "logprobsResult", "logprobs_result"})


def unsay(clean: JSON, before: JSON) -> JSON:
    """Return *clean*, made of *before*, without log probabilities if anything beside them was changed."""
    if _TOKENS.isdisjoint(before):
        return clean
    told = [key for key in _TOKENS & before.keys() if before[key]]
    changed = told and {**clean, **dict.fromkeys(_TOKENS)} != {**before, **dict.fromkeys(_TOKENS)}
    return {**clean, **dict.fromkeys(told)} if changed else clean
