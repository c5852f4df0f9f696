"""Statistics, held to scipy's."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from scipy import stats

from flywheel_log.loop.statistics.estimate import Mean, Share, differ, holm
from flywheel_log.loop.statistics.student import student, student_quantile

CLOSE = {"rel": 1e-6, "abs": 1e-12}


def mean(numbers: list[float]) -> Mean:
    made = Mean()
    for number in numbers:
        made.add(number)
    return made


@pytest.mark.parametrize("freedom", [1, 2.5, 10, 100, 1e4, 1e6])
@pytest.mark.parametrize("t", [-40.0, -3.0, -0.2, 0.0, 0.7, 2.0, 9.0])
def test_students_distribution_is_scipys(t: float, freedom: float):
    assert student(t, freedom) == pytest.approx(float(stats.t.cdf(t, freedom)), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 3, 30, 3000])
def test_its_quantile_is_its_inverse(freedom: int):
    assert student_quantile(0.975, freedom) == pytest.approx(float(stats.t.ppf(0.975, freedom)), **CLOSE)


@pytest.mark.parametrize(("hits", "of"), [(0, 1), (0, 30), (1, 1), (3, 10), (500, 1000)])
def test_the_interval_of_a_share_is_wilsons(hits: int, of: int):
    expected = stats.binomtest(hits, of).proportion_ci(method="wilson")
    assert Share(hits, of).interval == pytest.approx((float(expected.low), float(expected.high)), **CLOSE)


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


def test_a_mean_of_parts_is_that_of_all():
    numbers = [random.Random(1).lognormvariate(6, 1) for _ in range(500)]
    whole, merged = mean(numbers), Mean()
    for part in (numbers[:3], [], numbers[3:200], numbers[200:]):
        merged.merge(mean(part))
    assert (merged.of, merged.mean, merged.error) == pytest.approx((500, whole.mean, whole.error))
    assert merged.error == pytest.approx(statistics.variance(numbers) / 500)
    reach = float(stats.t.ppf(0.975, 499)) * math.sqrt(merged.error)
    assert merged.interval == pytest.approx((merged.mean - reach, merged.mean + reach), **CLOSE)


def test_of_nothing_nothing_is_known():
    assert (Share().value, Share().interval, Mean().value, mean([1.0]).interval) == (None,) * 4
    assert (differ(Share(), Share(1, 2)), differ(mean([1.0]), mean([1.0, 2.0]))) == (None, None)


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


def sampled(dice: random.Random, count: int, failing: float) -> tuple[Share, Mean]:
    """Of *count* calls all that failed were kept, and of the others a fifth; failures take twice as long."""
    share, latency = Share(), Mean()
    for _ in range(count):
        failed = dice.random() < failing
        if failed or dice.random() < 0.2:
            weight = 1 if failed else 5
            share.add(hit=failed, weight=weight)
            latency.add(dice.gauss(200 if failed else 100, 20), weight)
    return share, latency


def test_the_interval_of_a_weighted_sample_holds_the_truth_nineteen_times_in_twenty():
    dice = random.Random(4)
    held = [0, 0]
    for _ in range(400):
        for place, (one, truth) in enumerate(zip(sampled(dice, 800, 0.1), (0.1, 110.0), strict=True)):
            low, high = one.interval or (0, 0)
            held[place] += low <= truth <= high
    assert [370 <= count <= 392 for count in held] == [True, True]


def test_weighted_samples_of_the_same_calls_seldom_differ():
    dice = random.Random(5)
    found = [0, 0]
    for _ in range(400):
        for place, (a, b) in enumerate(zip(sampled(dice, 300, 0.1), sampled(dice, 600, 0.1), strict=True)):
            found[place] += (differ(a, b) or 0) < 0.05
    assert [8 <= count <= 32 for count in found] == [True, True]


def test_weights_of_one_change_nothing_and_those_of_two_add_no_certainty():
    numbers = [1.0, 4.0, 4.0, 7.0, 9.5]
    once, twice = Mean(), Mean()
    for number in numbers:
        once.add(number)
        twice.add(number, 2)
    assert (once.effective, twice.effective, twice.of) == (5, 5, 10)
    assert once.interval == pytest.approx(twice.interval)
    assert Share(3, 5).interval == pytest.approx(Share(6, 10, 12, 20).interval)


def test_weighted_parts_are_the_whole():
    dice = random.Random(6)
    drawn = [(dice.gauss(1e6, 1), dice.choice([1, 2, 10])) for _ in range(300)]
    whole, left, right = Mean(), Mean(), Mean()
    for place, (number, weight) in enumerate(drawn):
        whole.add(number, weight)
        (left if place < 100 else right).add(number, weight)
    left.merge(right)
    assert (left.of, left.mean, left.error) == pytest.approx((whole.of, whole.mean, whole.error))
    mean = sum(number * weight for number, weight in drawn) / whole.of
    squares = sum((weight * (number - mean)) ** 2 for number, weight in drawn)
    assert whole.error == pytest.approx(squares / whole.of**2 * whole.effective / (whole.effective - 1))
