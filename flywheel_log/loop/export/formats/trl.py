"""`trl`: prompts with their completions, to fine-tune open models with TRL and what is built on it."""

from __future__ import annotations

from functools import partial

from flywheel_log.event import JSON

from ..example import Example
from . import Format
from ._lines import lines
from ._template import spelt_out
from ._trl import prompt


def _row(one: Example) -> JSON:
    """The completion is all that is learnt of it."""
    return {**prompt(one), "completion": [spelt_out(one.answer or {})]}


FORMAT = Format(lines(partial(map, _row)), media=())
