"""Whether two differ: the tests, held to SciPy's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from scipy import stats

from flywheel_log.loop.statistics.estimate import Mean, Share
from flywheel_log.loop.statistics.unpaired import differ, holm

from .test_estimate import CLOSE, mean, sampled


@pytest.mark.parametrize("table", [(0, 5, 5, 5), (3, 10, 0, 12), (1, 1000, 9, 1000), (9, 10, 1, 10), (0, 4, 0, 9)])
def test_few_hits_are_compared_by_fishers_test(table: tuple[int, int, int, int]):
    a, of_a, b, of_b = table
    expected = stats.fisher_exact([[a, of_a - a], [b, of_b - b]]).pvalue
    assert differ(Share(a, of_a), Share(b, of_b)) == pytest.approx(float(expected), **CLOSE)


@pytest.mark.parametrize("table", [(30, 100, 50, 100), (200, 1000, 210, 900), (20, 50, 30, 60)])
def test_many_hits_are_compared_by_the_pooled_test(table: tuple[int, int, int, int]):
    a, of_a, b, of_b = table
    expected = stats.chi2_contingency([[a, of_a - a], [b, of_b - b]], correction=False).pvalue
    assert differ(Share(a, of_a), Share(b, of_b)) == pytest.approx(float(expected), **CLOSE)


@pytest.mark.parametrize(("of_a", "of_b", "shift"), [(2, 2, 0.0), (5, 40, 1.0), (400, 300, 0.2), (1000, 1000, 3.0)])
def test_means_are_compared_by_welchs_test(of_a: int, of_b: int, shift: float):
    chance = random.Random(of_a)
    a, b = [chance.gauss(5, 1) for _ in range(of_a)], [chance.gauss(5 + shift, 3) for _ in range(of_b)]
    expected = float(stats.ttest_ind(a, b, equal_var=False).pvalue)
    assert differ(mean(a), mean(b)) == pytest.approx(expected, rel=1e-5, abs=1e-13)


def test_numbers_without_scatter_are_equal_or_as_likely_apart_as_there_are_few():
    assert (differ(mean([1, 1]), mean([1, 1, 1])), differ(mean([1] * 80), mean([2] * 80))) == (1.0, pytest.approx(0))
    test = stats.permutation_test(([1, 1, 1], [2, 2, 2]), lambda a, b: sum(a) - sum(b))
    assert differ(mean([1, 1, 1]), mean([2, 2, 2])) == pytest.approx(test.pvalue)


def test_a_share_is_not_compared_with_a_mean():
    with pytest.raises(TypeError, match="a Share and a Mean cannot be compared"):
        differ(Share(1, 2), mean([1, 2]))


def test_many_tests_are_corrected():
    assert holm([0.01, 0.04, 0.03, 0.9]) == pytest.approx([0.04, 0.09, 0.09, 0.9])
    assert holm([]) == []


def test_weighted_samples_of_the_same_calls_seldom_differ():
    dice = random.Random(5)
    found = [0, 0]
    for _ in range(400):
        for place, (a, b) in enumerate(zip(sampled(dice, 300, 0.1), sampled(dice, 600, 0.1), strict=True)):
            found[place] += (differ(a, b) or 0) < 0.05
    assert [8 <= count <= 32 for count in found] == [True, True]


def test_of_nothing_nothing_is_known():
    assert (differ(Share(), Share(1, 2)), differ(mean([1.0]), mean([1.0, 2.0]))) == (None, None)


def of_sessions(dice: random.Random, count: int, made: Any) -> Any:
    """Calls of *count* sessions, half of what makes them differ being the session."""
    for place in range(count):
        likely, pace = dice.betavariate(0.1, 0.9), dice.gauss(0, 1)
        for _ in range(1 + int(dice.expovariate(1 / 8))):
            if isinstance(made, Share):
                made.add(hit=dice.random() < likely, place=place)
            else:
                made.add(pace + dice.gauss(0, 1), place=place)
    return made


@pytest.mark.parametrize("kind", [Share, Mean])
@pytest.mark.parametrize("count", [5, 12])
def test_few_sessions_that_seem_strangers_are_told_by_many_that_are_not(kind: type, count: int):
    """One in a hundred is promised, with a window of few sessions beside a long time before."""
    dice, found = random.Random(11), 0
    for _ in range(300):
        found += (differ(of_sessions(dice, count, kind()), of_sessions(dice, 100, kind())) or 1) < 0.01
    assert found <= 8


def test_one_session_is_told_by_the_others():
    one, many = Share(), Share()
    for number in range(300):
        many.add(hit=number // 10 % 5 == 0, place=number // 10)
    for _ in range(10):
        one.add(hit=True, place=99)
    chances = [differ(side, many) or 0 for side in (one, Share(10, 10))]
    assert chances == [pytest.approx(0.23, abs=0.01), pytest.approx(0, abs=0.001)]  # strangers are what they are
