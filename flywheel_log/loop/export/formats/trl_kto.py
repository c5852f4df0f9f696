"""`trl-kto`: answers that are wanted or not, each by itself and without a pair, as TRL's KTO reads them."""

from __future__ import annotations

from collections.abc import Iterator

from flywheel_log.event import JSON

from ..example import Example
from ..functions import calls_custom
from . import Format
from ._lines import lines
from ._template import spelt_out
from ._trl import prompt


def _rows(one: Example) -> Iterator[JSON]:
    for answer, wanted in _judged(one):
        if answer is not None and not calls_custom(answer):
            yield {**prompt(one), "completion": [spelt_out(answer)], "label": wanted}


def _judged(one: Example) -> Iterator[tuple[JSON | None, bool]]:
    """Each answer that somebody has judged, and whether it is wanted: a correction is, what it corrects is not."""
    if one.feedback.correction is not None:
        yield one.answer, True
        if one.given != one.answer:
            yield one.given, False
    elif one.feedback.hallucination or one.feedback.verdict == "bad":
        yield one.answer, False
    elif one.feedback.verdict == "good":
        yield one.answer, True


FORMAT = Format(lines(lambda examples: (row for one in examples for row in _rows(one))), pairs=True, media=())
