"""Shares of marked calls."""

from __future__ import annotations

import random

import pytest

from flywheel_log.loop.statistics.estimate import Share
from flywheel_log.loop.statistics.shares import Shares


def test_they_are_what_each_share_would_be_that_counts_every_call():
    dice, found, later, alone = random.Random(1), Shares(), Shares(), {name: Share() for name in ("a", "b", "never")}
    for number in range(200):
        marks = {name for name, likely in (("a", 0.3), ("b", 0.05)) if dice.random() < likely}
        weight, place = dice.choice((1.0, 5.0)), dice.choice((None, number // 8))
        (found if number < 120 else later).add(marks, weight, place)
        for name, share in alone.items():
            share.add(hit=name in marks, weight=weight, place=place)
    found.merge(later)
    for name, share in alone.items():
        assert found.of(name) == share
        assert found.of(name).effective == pytest.approx(share.effective)


def test_a_call_may_be_marked_when_it_has_been_added():
    found = Shares()
    found.add(())
    found.add(())
    found.mark("slow")
    assert (found.of("slow"), Shares().of("slow").value) == (Share(1, 2), None)
