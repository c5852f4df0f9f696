"""`dpo`: pairs of a better and a worse answer to one question, from corrections and ratings, in OpenAI's form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flywheel_log.event import JSON

from ..example import Example
from ._lines import JSON_LINES, write_lines
from ._pairs import Pair, pairs

PAIRS = True
MEDIA = ()
FILES = JSON_LINES


def write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write one pair a line."""
    return write_lines(path, map(_row, pairs(examples)))


def _row(pair: Pair) -> JSON:
    tools = {"tools": pair.one.tools} if pair.one.tools else {}
    return {
        "input": {"messages": pair.one.messages, **tools},
        "preferred_output": [pair.better],
        "non_preferred_output": [pair.worse],
    }
