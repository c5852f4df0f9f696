"""`trl`: prompts with their completions, to fine-tune open models with TRL and what is built on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..example import Example
from ._lines import JSON_LINES, write_lines
from ._template import spelt_out
from ._trl import prompt

PAIRS = False
MEDIA = ()
FILES = JSON_LINES


def write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write one example a line; the completion is all that is learnt of it."""
    return write_lines(path, ({**prompt(one), "completion": [spelt_out(one.answer or {})]} for one in examples))
