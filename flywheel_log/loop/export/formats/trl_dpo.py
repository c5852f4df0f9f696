"""`trl-dpo`: prompts with a better and a worse answer, from corrections and ratings, as TRL's DPO reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flywheel_log.event import JSON

from ..example import Example
from ._lines import JSON_LINES, write_lines
from ._pairs import Pair, pairs
from ._template import spelt_out
from ._trl import prompt

PAIRS = True
MEDIA = ()
FILES = JSON_LINES


def write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write one pair a line."""
    return write_lines(path, map(_row, pairs(examples)))


def _row(pair: Pair) -> JSON:
    return {**prompt(pair.one), "chosen": [spelt_out(pair.better)], "rejected": [spelt_out(pair.worse)]}
