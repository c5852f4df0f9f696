"""Two versions side by side."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flywheel_log.loop.compare import Side, compare, drift, sides
from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.statistics.estimate import Share

NONE = Feedbacks(())


def call(number: int = 0, version: str = "1", **fields: Any) -> dict[str, Any]:
    at = f"2026-01-31T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
    return {"id": f"r-{number}", "timestamp": at, "kind": "llm", "prompt": {"version": version}, **fields}


def test_sides_are_the_values_of_a_field_the_most_frequent_first():
    events = [call(1, "2"), call(2), call(3), {"timestamp": "t", "kind": "llm"}, call(4, kind="step")]
    assert {name: side.calls for name, side in sides(events, NONE, "prompt.version").items()} == {"1": 2, "": 1, "2": 1}


def test_a_side_measures_rates_means_and_ratings():
    side = Side()
    said = Feedbacks(
        [{"timestamp": "t", "kind": "feedback", "target": "r-1", "quality": {"thumbs": "up", "rating": 5}}]
    )
    side.add(call(1, latency_ms=100.0, input_tokens=10, retries=1), said)
    side.add(call(2, latency_ms=300.0, training_unsafe=["length"]), said)
    side.add(call(3, latency_ms=9.0, status="error", error={"type": "x"}), said)
    assert {name: measured.value for name, measured in side.measured.items() if measured.of} == {
        "error_rate": 1 / 3,
        "incomplete_rate": 0.0,
        "refusal_rate": 0.0,
        "cut_rate": 1 / 3,
        "invalid_tool_arguments_rate": 0.0,
        "hallucination_rate": 0.0,
        "retried_rate": 1 / 3,
        "good_rate": 1.0,
        "score": 5.0,
        "input_tokens": 10.0,
        "latency_ms": 200.0,
    }


def test_a_real_difference_is_one_and_chance_is_none():
    dice = random.Random(4)
    events = [
        call(number, version, latency_ms=dice.gauss(100, 10), status="error" if dice.random() < share else "ok")
        for version, share in (("1", 0.05), ("2", 0.2))
        for number in range(600)
    ]
    found = sides(events, NONE, "prompt.version")
    by_name = {one.name: one for one in compare(found["1"], found["2"])}
    assert {name: one.differs for name, one in by_name.items() if name in ("error_rate", "latency_ms", "cut_rate")} == {
        "error_rate": True,
        "latency_ms": False,
        "cut_rate": False,
    }
    assert (by_name["cut_rate"].a, by_name["cut_rate"].chance) == (Share(0, 600), 1.0)


def test_between_equal_sides_few_differences_are_found():
    """With the correction, about one comparison in twenty finds a difference where there is none."""
    dice, found = random.Random(2), 0
    for _ in range(400):
        a, b = Side(), Side()
        for side in (a, b) * 40:
            numbers = {name: dice.gauss(100, 10) for name in ("latency_ms", "input_tokens", "cost_usd")}
            side.add(call(**numbers, status="error" if dice.random() < 0.3 else "ok"), NONE)
        found += any(one.differs for one in compare(a, b))
    assert found <= 32


def test_what_only_one_side_has_is_not_compared():
    a, b = Side(), Side()
    a.add(call(cost_usd=1.0), NONE)
    b.add(call(), NONE)
    assert "cost_usd" not in [one.name for one in compare(a, b)]


def test_drift_is_a_difference_of_the_later_half():
    events = [
        call(number * 20, input_tokens=100 + (number % 3) + (50 if number >= 135 else 0)) for number in range(300)
    ]
    found = drift(events, NONE, most=10)
    tokens = next(one for one in found.differences if one.name == "input_tokens")
    assert (found.period, tokens.differs) == ("15 minutes", True)
    assert [round(value or 0) for value in found.by_period["input_tokens"]] == [101, 101, 101, 151, 151, 151, 151]
    assert sum(half.calls for half in found.halves) == 300


def test_merging_is_adding():
    a, b, whole = Side(), Side(), Side()
    for number in range(20):
        event = call(number, latency_ms=number * 7.0, status="error" if number % 3 else "ok")
        whole.add(event, NONE)
        (a if number < 7 else b).add(event, NONE)
    a.merge(b)
    assert a.calls == whole.calls
    assert [one.value for one in a.measured.values()] == pytest.approx([one.value for one in whole.measured.values()])


def test_a_sample_counts_as_the_calls_it_stands_for():
    """Of the answers every tenth was kept, and all errors: 10 of 100 failed, at the latencies of the others."""
    events = [call(number, status="error") for number in range(10)]
    events += [call(number, sample_rate=0.1, latency_ms=float(number)) for number in range(9)]
    plain, scaled = (sides(events, NONE, "workload_id", scaled=scaled)[""] for scaled in (False, True))
    assert [(one.calls, one.recorded, round(one.estimated)) for one in (plain, scaled)] == [
        (19, 19, 100),
        (100, 19, 100),
    ]
    rates = [one.measured["error_rate"] for one in (plain, scaled)]
    assert [round(rate.value or 0, 3) for rate in rates] == [0.526, 0.1]
    latency = [one.measured["latency_ms"].interval for one in (plain, scaled)]
    assert latency[0] == pytest.approx(latency[1])


def related(seed: int, *, named: bool) -> list[dict[str, Any]]:
    """Return calls of 30 sessions, each of which is fast or slow, and cut or not, as a whole; of two versions."""
    dice = random.Random(seed)
    events = []
    for session in range(30):
        speed, cut = dice.gauss(500, 100), ["length"] if dice.random() < 0.3 else []
        who = {"session_id": f"s{session}"} if named else {}
        events += [
            call(session, "12"[session % 2], latency_ms=dice.gauss(speed, 50), training_unsafe=cut, **who)
            for _ in range(20)
        ]
    return events


@pytest.mark.parametrize(("named", "least", "most"), [(True, 0, 8), (False, 40, 100)])
def test_calls_of_one_session_tell_less_than_as_many_of_strangers(named: bool, least: int, most: int):
    found = 0
    for seed in range(100):
        both = sides(related(seed, named=named), NONE, "prompt.version")
        found += any(one.differs for one in compare(both["1"], both["2"]))
    assert least <= found <= most


def test_the_calls_of_a_single_session_are_told_apart_by_themselves():
    both = sides(
        [call(n, "12"[n % 2], latency_ms=100.0 * (n % 2) + n, session_id="s") for n in range(60)], NONE, "model"
    )
    assert (
        both[""].measured["latency_ms"].interval
        == sides([call(n, latency_ms=100.0 * (n % 2) + n) for n in range(60)], NONE, "model")[""]
        .measured["latency_ms"]
        .interval
    )
