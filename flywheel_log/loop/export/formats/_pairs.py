"""Pairs of a better and a worse answer to one question: from corrections, and from ratings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

from flywheel_log.event import JSON

from ..example import Example
from ..functions import calls_custom


class Pair(NamedTuple):
    """Two answers to what *one* asks, of which the first is *better*."""

    one: Example
    better: JSON
    worse: JSON


def pairs(examples: Sequence[Example]) -> Iterator[Pair]:
    """Yield each correction with what it corrects, and each bad answer with a good one to the same question."""
    rated: dict[bytes, dict[str, list[Example]]] = defaultdict(lambda: {"good": [], "bad": []})
    for one in examples:
        if one.feedback.correction is not None:
            yield from _pair(one, one.answer, one.given)
        elif one.feedback.verdict == "bad" or (one.feedback.verdict == "good" and not one.feedback.hallucination):
            rated[one.asked][one.feedback.verdict].append(one)
    for answers in rated.values():
        for better, worse in zip(cycle(answers["good"]), answers["bad"], strict=False):
            yield from _pair(worse, better.answer, worse.answer)


def _pair(one: Example, better: JSON | None, worse: JSON | None) -> Iterator[Pair]:
    if better is not None and worse is not None and better != worse and not calls_custom(worse):
        yield Pair(one, better, worse)
