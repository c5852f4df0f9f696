"""Tests of pairs, held to SciPy's."""

from __future__ import annotations

import itertools
import operator
import random

import pytest
from scipy import stats

from flywheel_log.loop.statistics.paired import Differences, wilcoxon


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 1), (9, 1), (12, 12), (3, 30), (22, 38), (30, 31), (480, 521), (5100, 4902)]
)
def test_of_pairs_that_rise_or_fall_by_one_it_is_the_exact_sign_test(only_a: int, only_b: int):
    """Or so near to it that nobody's decision depends on it."""
    found, of = Differences(), only_a + only_b
    for number in [-1] * only_a + [1] * only_b + [0] * 7:
        found.add(number, None)
    expected = stats.binomtest(only_a, of).pvalue
    assert found.chance() == pytest.approx(expected, rel=1e-9 if of <= 50 else 3e-2)


@pytest.mark.parametrize("count", [1, 2, 7, 20, 50])
def test_wilcoxon_is_exact_for_few(count: int):
    dice = random.Random(count)
    differences = [dice.gauss(0.4, 1) for _ in range(count)]
    assert wilcoxon(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue, rel=1e-9)


def test_wilcoxon_counts_all_signs_where_there_are_ties():
    differences = [1, 1, 1, -1, 2, 2, -2, 3, 0, 0]
    nonzero = [one for one in differences if one]
    expected = stats.wilcoxon(nonzero, method=stats.PermutationMethod(n_resamples=2**9)).pvalue
    assert wilcoxon(differences) == pytest.approx(expected, rel=1e-9)


def test_wilcoxon_of_many_is_that_of_the_normal_distribution():
    dice = random.Random(3)
    differences = [round(dice.gauss(0.1, 1), 1) for _ in range(400)]
    expected = stats.wilcoxon(differences, method="asymptotic", zero_method="wilcox", correction=True).pvalue
    assert wilcoxon(differences) == pytest.approx(expected, rel=1e-3)


def test_pairs_that_belong_together_turn_together():
    dice = random.Random(4)
    differences = [dice.gauss(middle, 1) for middle in (dice.gauss(0.8, 1) for _ in range(9)) for _ in range(4)]
    groups = [number // 4 for number in range(36)]
    ranks = stats.rankdata([abs(one) for one in differences])
    sums = [0.0] * 9
    for rank, one, group in zip(ranks, differences, groups, strict=True):
        sums[group] += rank if one > 0 else -rank
    turned = [abs(sum(map(operator.mul, signs, sums))) for signs in itertools.product((1, -1), repeat=9)]
    expected = sum(one >= abs(sum(sums)) - 1e-9 for one in turned) / len(turned)
    assert wilcoxon(differences, groups) == pytest.approx(expected)
    assert expected > 10 * (wilcoxon(differences) or 1)
    assert wilcoxon(differences, [7] * 36) == wilcoxon(differences)


@pytest.mark.parametrize("count", [40, 200])
def test_groups_of_a_thousand_pairs_that_are_of_one_mind_tell_as_much_as_a_pair_each(count: int):
    dice = random.Random(count)
    each = [dice.choice((1.0, 1.0, -1.0)) for _ in range(count)]
    many = [one for one in each for _ in range(1000)]
    groups = [number // 1000 for number in range(1000 * count)]
    assert wilcoxon(many, groups) == pytest.approx(wilcoxon(each), rel=1e-6)


def test_no_pairs_say_nothing_and_equal_ones_no_difference():
    assert (wilcoxon([]), wilcoxon([0.0, 0.0])) == (None, 1.0)
