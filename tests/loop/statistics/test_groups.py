"""What numbers tell that belong together."""

from __future__ import annotations

import random
from statistics import fmean, variance

import pytest

from flywheel_log.loop.statistics.estimate import Mean, Share
from flywheel_log.loop.statistics.groups import bucket


def test_groups_that_are_each_of_one_mind_tell_as_much_as_one_number_each():
    dice = random.Random(3)
    numbers = [dice.gauss(10, 2) for _ in range(40)]
    each, all_of_them = Mean(), Mean()
    for place, number in enumerate(numbers):
        each.add(number)
        for _ in range(25):
            all_of_them.add(number, place=place)
    assert all_of_them.effective == pytest.approx(40, rel=0.03)
    assert all_of_them.error == pytest.approx(each.error, rel=0.03)


def test_the_error_of_the_mean_is_that_of_the_means_of_the_groups():
    dice = random.Random(5)
    groups = [[dice.gauss(middle, 1) for _ in range(10)] for middle in (dice.gauss(0, 3) for _ in range(200))]
    mean = Mean()
    for place, group in enumerate(groups):
        for number in group:
            mean.add(number, place=place)
    assert mean.error == pytest.approx(variance(map(fmean, groups)) / len(groups), rel=0.02)


def test_numbers_that_belong_together_and_are_not_alike_tell_as_much_as_strangers():
    share, strangers = Share(), Share()
    for number in range(1000):
        share.add(hit=number % 10 == number // 10 % 10, place=number // 10)
        strangers.add(hit=number % 10 == number // 10 % 10)
    assert share.interval == strangers.interval


def test_what_is_in_no_group_is_independent_of_all():
    dice = random.Random(6)
    mean, alone = Mean(), Mean()
    for number in range(400):
        value = dice.gauss(5, 1)
        alone.add(value)
        mean.add(value, place=7 if number < 2 else 8 if number < 4 else None)
    assert mean.effective == pytest.approx(alone.effective, rel=0.05)


def test_hits_among_all_are_their_share():
    dice = random.Random(8)
    share, hits, whole = Share(), Share(), Share()
    for _ in range(300):
        hit, weight, place = dice.random() < 0.3, dice.choice((1, 5)), dice.choice((None, *range(20)))
        share.add(hit=hit, weight=weight, place=place)
        for counted in (whole, hits) if hit else (whole,):
            counted.add(hit=True, weight=weight, place=place)
    made = hits.among(whole)
    assert (made, made.interval) == (share, share.interval)
    assert share.spread.effect > 1


def test_two_halves_are_the_whole():
    dice = random.Random(7)
    whole, halves = Mean(), (Mean(), Mean())
    for number in range(500):
        value, place = dice.gauss(number % 50, 1), bucket(f"session-{number % 50}")
        whole.add(value, 2, place)
        halves[number % 2].add(value, 2, place)
    halves[0].merge(halves[1])
    assert halves[0].interval == pytest.approx(whole.interval)
    assert halves[0].effective < 60  # groups, not the 500 numbers
