"""Fields by their names."""

from __future__ import annotations

import math
import re

import pytest

from flywheel_log.loop.values import finite, full, getter, utc

EVENT = {
    "timestamp": "2026-01-31T10:07:59.123Z",
    "kind": "llm",
    "tags": ["a", "b"],
    "prompt": {"version": 2, "variables": None},
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kind", "llm"),
        ("tags", "a,b"),
        ("model", ""),
        ("prompt.version", "2"),
        ("prompt.variables", ""),
        ("prompt.version.major", ""),
        ("day", "2026-01-31"),
        ("hour", "2026-01-31T10"),
        ("minute", "2026-01-31T10:07"),
    ],
)
def test_a_field_is_read_as_text(name: str, expected: str):
    assert getter(name)(EVENT) == expected


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("colour", "expected one of cached_tokens, client_id, cost_usd, "),
        ("modle", "did you mean model?"),
        ("workload", "did you mean workload_id?"),
        ("promt.version", "did you mean prompt?"),
    ],
)
def test_for_an_unknown_field_the_one_that_was_meant_is_named_or_all(name: str, instead: str):
    with pytest.raises(ValueError, match=re.escape(f"field {name!r} is unknown; {instead}")):
        getter(name)


def test_an_id_is_named_without_saying_so():
    names = ("workload", "user", "trace", "workload_id", "model", "metadata.user", "day", "colour")
    meant = ("workload_id", "user_id", "trace_id", "workload_id", "model", "metadata.user", "day", "colour")
    assert tuple(map(full, names)) == meant


def test_a_number_is_what_can_be_added_up():
    assert [finite(value) for value in (1, 2.5, True, "3", None, math.nan, math.inf)] == [1, 2.5] + [None] * 5


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-01-31T10:07:59.123Z", "2026-01-31T10:07:59.123Z"),
        ("2026-01-01T00:30:00+02:00", "2025-12-31T22:30:00.000Z"),
        ("2026-01-31 10:07:59.123456", "2026-01-31T10:07:59.123Z"),
        ("0001-01-01T00:00:00+02:00", "0001-01-01T00:00:00+02:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_other_loggers_times_are_those_of_utc(timestamp: str, expected: str):
    assert (utc(timestamp), getter("day")({"timestamp": timestamp, "kind": "llm"})) == (expected, expected[:10])
