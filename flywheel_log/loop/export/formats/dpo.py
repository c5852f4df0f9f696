"""`dpo`: pairs of a better and a worse answer to one question, from corrections and ratings, in OpenAI's form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

from flywheel_log.event import JSON

from ..example import Example
from ._lines import write_lines

PAIRS = True
FILES = {"train": "train.jsonl", "validation": "validation.jsonl", "eval": "eval.jsonl"}


def write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write one pair a line."""
    return write_lines(path, pairs(examples))


def pairs(examples: Sequence[Example]) -> Iterator[JSON]:
    """Yield each correction with what it corrects, and each answer rated bad with one rated good to the question."""
    rated: dict[bytes, dict[str, list[Example]]] = defaultdict(lambda: {"good": [], "bad": []})
    for one in examples:
        if one.feedback.correction is not None:
            if one.given is not None and one.answer != one.given:
                yield _pair(one, one.answer, one.given)
        elif one.feedback.verdict == "bad" or (one.feedback.verdict == "good" and not one.feedback.hallucination):
            rated[one.asked][one.feedback.verdict].append(one)
    for answers in rated.values():
        for better, worse in zip(cycle(answers["good"]), answers["bad"], strict=False):
            if better.answer != worse.answer:
                yield _pair(worse, better.answer, worse.answer)


def _pair(one: Example, better: JSON | None, worse: JSON | None) -> JSON:
    tools = {"tools": one.tools} if one.tools else {}
    return {
        "input": {"messages": one.messages, **tools},
        "preferred_output": [better],
        "non_preferred_output": [worse],
    }
