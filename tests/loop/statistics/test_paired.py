"""Tests of pairs, held to SciPy's."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from flywheel_log.loop.statistics.paired import mcnemar, wilcoxon


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 0), (0, 1), (9, 1), (12, 12), (3, 30), (480, 521), (600, 401), (5100, 4902)]
)
def test_mcnemar_is_the_exact_sign_test(only_a: int, only_b: int):
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-9 if only_a + only_b <= 10_000 else 1e-2)


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
    expected = stats.wilcoxon(differences, method="asymptotic", zero_method="wilcox").pvalue
    assert wilcoxon(differences) == pytest.approx(expected, rel=1e-9)


def test_no_pairs_say_nothing_and_equal_ones_no_difference():
    assert (wilcoxon([]), wilcoxon([0.0, 0.0])) == (None, 1.0)
