"""`trl-dpo`: prompts with a better and a worse answer, from corrections and ratings, as TRL's DPO reads them."""

from __future__ import annotations

from flywheel_log.event import JSON

from . import Format
from ._lines import lines
from ._pairs import Pair, pairs
from ._template import spelt_out
from ._trl import prompt


def _row(pair: Pair) -> JSON:
    return {**prompt(pair.one), "chosen": [spelt_out(pair.better)], "rejected": [spelt_out(pair.worse)]}


FORMAT = Format(lines(lambda examples: map(_row, pairs(examples))), pairs=True, media=())
