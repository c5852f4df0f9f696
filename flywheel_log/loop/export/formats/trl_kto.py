"""`trl-kto`: answers that are wanted or not, each by itself and without a pair, as TRL's KTO reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from flywheel_log.event import JSON

from ..example import Example
from ..functions import calls_custom
from ._lines import JSON_LINES, write_lines
from ._template import spelt_out
from ._trl import prompt

PAIRS = True
MEDIA = ()
FILES = JSON_LINES


def write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write one answer a line."""
    return write_lines(path, (row for one in examples for row in _rows(one)))


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
