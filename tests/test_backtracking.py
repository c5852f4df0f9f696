"""Regular expressions that take for ever, and such as only look like it."""

from __future__ import annotations

import re

import pytest

from flywheel_log import config
from flywheel_log.backtracking import LONGEST, ambiguous
from flywheel_log.pipeline.redact.custom import Custom

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
SHARED = (
    *("(.*)x(.*)y", r"\d+\d+x", r"\w+\d+$", r"\w+\d+\b", r".*id.*\d{6}", "a*b?a*x", ".*(?=.*x)y", r"(\s*\w*\s*)="),
    *(r"\w+\s*\w+!", r"[\s\S]*?a[\s\S]*?b", "(a*)(?:b|a)*c", r"\d{40,}\d{40,}x", r"(\d+)-?(\d+)!", "(x?)(x*)(x*)y"),
    *("(?:a?){32}b", "(?:a?){22}a{22}", "(?:a|aa){30}b", ".{0,500}x.{0,500}y", "(?:(?=.*x)a)(?:a|ab)*.*y"),
)
APART = (
    *(r"\w+\d+", r"https?://\S+", r"\d{1,3}[ -]?\d{1,3}[ -]?\d{4}", r"BEGIN[\s\S]*?END", "[^x]*x[^y]*y", "(a+)b(a+)"),
    *(r"(?:Mr|Mrs|Ms)\.? [A-Z]\w+ [A-Z]\w+", r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)*\b", r"(?:token)\s*[:=]\s*(\S+)"),
    *(r"Name: [^\n]*\nStreet: [^\n]*\n!", r"\+?\d{1,3}[-. ]?\(?\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}", r"(\w+)\s*=\s*(\w+)"),
    *(r"\b[\w.%+-]+@[\w.-]+\.[A-Za-z]{2,}", r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?"),
    ".{0,40}x.{0,40}y",
)


@pytest.mark.parametrize("expression", SHARED)
def test_what_shares_a_text_between_its_parts_in_many_ways_is_ambiguous(expression: str) -> None:
    assert re.compile(expression)
    with pytest.raises(ValueError, match="many ways"):
        config.load(redact_patterns={"a": expression})


@pytest.mark.parametrize("expression", [*QUICK, *APART])
def test_what_is_taken_comes_to_the_end_of_a_hostile_text(expression: str) -> None:
    assert not ambiguous(expression)
    for letter in {*re.sub(r"\W", "", expression), "1", " "}:
        assert all(end <= LONGEST for _, end, _ in Custom("a", expression).spans(letter * LONGEST))


@pytest.mark.parametrize("expression", SLOW)
def test_what_matches_in_many_ways_inside_a_repetition_is_ambiguous(expression: str) -> None:
    assert re.compile(expression)
    assert ambiguous(expression)


@pytest.mark.parametrize("expression", QUICK)
def test_what_can_go_on_in_one_way_only_is_taken(expression: str) -> None:
    assert config.load(redact_patterns={"a": expression}).redact_patterns == {"a": expression}
