"""Regular expressions that take for ever, and such as only look like it."""

from __future__ import annotations

import re

import pytest

from flywheel_log import config
from flywheel_log.backtracking import ambiguous

SLOW = (
    *("(a+)+", "(a|aa)+$", "(a?a)+$", "(ab|abab)+$", "(.*a){12,}", r"(\w+\d+)+", "(a*)*", "(?:a+b?)+", "([a-z]+,?)+$"),
    *("(x+x+)+y", "(a|b|ab)*c", r"((?:[a-z]{2,})\d|[a-z]\d)*$", "(?i:(Ab|aB?)+)", "(?=(a+)+b)", "(?>a|aa)+"),
    *(r"(a)(?:\1|a)+", "(x)?(?(1)(a+)+|b)"),
)
QUICK = (
    *(r"C-\d+", "(?:foo|bar)+", "[(*+]+", r"(?P<id>\d{3,})-x", r"a\(b+\)+", r"((?:[a-z]{2,})\d)*$", r"\w+\d+"),
    *(r"(?:\d[ -]?){13,16}", r"(?:\d{4} ?){4}", r"(?:\d{1,3}\.){3}\d{1,3}", r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"),
    *(
        r"[\w.+-]+@(?:[\w-]+\.)+\w{2,}",
        r"(?<=id=)\d+(?!x)",
        r"(['\"])(.*?)\1",
        "(foo|foobar)+",
        "x{1000}",
        "(?:ab){200}",
    ),
)


@pytest.mark.parametrize("expression", SLOW)
def test_what_matches_in_many_ways_inside_a_repetition_is_ambiguous(expression: str) -> None:
    assert re.compile(expression)
    assert ambiguous(expression)


@pytest.mark.parametrize("expression", QUICK)
def test_what_can_go_on_in_one_way_only_is_taken(expression: str) -> None:
    assert config.load(redact_patterns={"a": expression}).redact_patterns == {"a": expression}
