"""The sketch's promise: within one per cent, merged or not, in bounded memory."""

from __future__ import annotations

import math
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from flywheel_log.loop.statistics.sketch import ERROR, EXACT, Sketch

VALUES = st.lists(st.floats(min_value=0.001, max_value=1e8), min_size=1)
SHARES = st.floats(min_value=0, max_value=1)


MANY = st.lists(st.floats(min_value=0.001, max_value=1e8), min_size=1, max_size=20).map(lambda some: some * 50)


def sketch(values: list[float]) -> Sketch:
    made = Sketch()
    for value in values:
        made.add(value)
    return made


@given(VALUES, SHARES)
def test_a_quantile_of_few_values_is_exact(values: list[float], share: float):
    assert sketch(values).quantile(share) == sorted(values)[max(1, math.ceil(share * len(values))) - 1]


@given(MANY.filter(lambda values: len(values) > EXACT), SHARES)
def test_a_quantile_of_many_is_within_its_error(values: list[float], share: float):
    true = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    found = sketch(values).quantile(share)
    assert found is not None
    assert abs(found - true) <= ERROR * true * 1.000001


@given(VALUES | MANY, VALUES | MANY, SHARES)
def test_merging_is_the_same_as_adding(one: list[float], other: list[float], share: float):
    merged = sketch(one)
    merged.merge(sketch(other))
    assert merged.quantile(share) == sketch(one + other).quantile(share)


WEIGHTED = st.lists(st.tuples(st.floats(min_value=0.001, max_value=1e8), st.integers(1, 60)), min_size=1, max_size=40)


@given(WEIGHTED, SHARES)
def test_a_weight_is_as_many_values(pairs: list[tuple[float, int]], share: float):
    """Exact for few values, within the error of a bucket for many."""
    weighted = Sketch()
    for value, weight in pairs:
        weighted.add(value, weight)
    values = sorted(value for value, weight in pairs for _ in range(weight))
    assert weighted.quantile(share) == values[max(1, math.ceil(share * len(values))) - 1]


def test_nothing_has_no_quantile():
    assert Sketch().quantile(0.5) is None


def test_what_is_no_duration_is_ignored():
    assert sketch([math.nan, math.inf, -1.0]).count == 0


def test_a_day_in_milliseconds_needs_few_buckets():
    many = sketch([0.001 * 1.01**step for step in range(2500)])
    assert len(many._buckets) < 1400


def test_a_value_takes_sixteen_bytes_while_there_are_few():
    """A group of `stats` has two sketches, and there may be a group for each session."""
    tracemalloc.start()
    try:
        kept = [sketch([float(value) for value in range(EXACT)]) for _ in range(20)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < len(kept) * EXACT * 24
