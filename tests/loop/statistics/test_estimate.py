"""Statistics, held to scipy's."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from scipy import stats

from flywheel_log.loop.statistics.estimate import Mean, Share
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
