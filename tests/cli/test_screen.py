"""Numbers, times and texts in few characters, and nothing that a terminal would obey."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flywheel_log.cli._screen import duration, fit, many_lines, moment, money, number, one_line


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (0, "0"), (999, "999"), (1234, "1.2k"), (34_000, "34k"), (5_600_000, "5.6M"), (2e9, "2.0G")],
)
def test_a_count_is_short(value: float | None, shown: str):
    assert number(value) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(None, "-"), (0, "0.0ms"), (7.46, "7.5ms"), (812.4, "812ms"), (1234, "1.2s"), (45_000, "45s"), (125_000, "2m05s")],
)
def test_a_duration_is_short(milliseconds: float | None, shown: str):
    assert duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [(None, "-"), (0, "$0.00"), (3.86e-5, "$0.000039"), (0.00123, "$0.0012"), (3.4, "$3.40"), (12_345.6, "$12,346")],
)
def test_an_amount_has_the_digits_that_count(dollars: float | None, shown: str):
    assert money(dollars) == shown


def test_a_text_fits_its_cells():
    assert [fit("abc", 5), fit("abcdef", 4), fit("日本語", 4), fit("abc", 0)] == ["abc  ", "abc…", "日… ", ""]


def test_no_control_reaches_the_terminal():
    wild = "a\x1b[31m\x07\r\nb\u202e\x9bc\ttab"
    assert (one_line(wild), many_lines(wild)) == ("a␛[31m␇ b··c tab", "a␛[31m␇\nb··c\ttab")


def test_a_timestamp_is_a_moment_unless_it_is_foreign():
    assert moment("2026-01-31T10:00:00.000Z", UTC) == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert moment("yesterday") is None
