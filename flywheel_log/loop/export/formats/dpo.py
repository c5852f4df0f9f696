"""`dpo`: pairs of a better and a worse answer to one question, from corrections and ratings, in OpenAI's form."""

from __future__ import annotations

from flywheel_log.event import JSON

from . import Format
from ._lines import lines
from ._pairs import Pair, pairs


def _row(pair: Pair) -> JSON:
    tools = {"tools": pair.one.tools} if pair.one.tools else {}
    return {
        "input": {"messages": pair.one.messages, **tools},
        "preferred_output": [pair.better],
        "non_preferred_output": [pair.worse],
    }


FORMAT = Format(lines(lambda examples: map(_row, pairs(examples))), pairs=True, media=())
