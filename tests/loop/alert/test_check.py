"""Rules against calls: what fires, what does not, and what cannot be told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flywheel_log.loop.alert import Outcome, check, earliest, parse
from flywheel_log.loop.alert.words import in_words
from flywheel_log.loop.feedback import Feedbacks

from .calls import NOON, call, failed


def checked(rule: str, events: list[Any]) -> Outcome:
    (outcome,) = check([parse(rule)], events, Feedbacks(events), NOON)
    return outcome


def state(rule: str, events: list[Any]) -> str:
    return checked(rule, events).state


FEW_FAIL = [*(call(minute, minute) for minute in range(1, 15)), failed(3, 1), failed(5, 1), failed(20, 1)]


def test_a_share_over_its_limit_fires_with_the_latest_examples():
    rule = parse("error_rate > 5% over 15m")
    assert check([rule], FEW_FAIL, Feedbacks(()), NOON) == [
        Outcome(
            rule=rule,
            state="fired",
            value=2 / 16,
            baseline=None,
            chance=None,
            calls=16,
            measured=16,
            estimated=16,
            baseline_measured=0,
            since=NOON - timedelta(minutes=15),
            until=NOON,
            examples=["r-3-1", "r-5-1"],
        )
    ]


def test_of_a_sample_the_figures_are_those_of_all_calls():
    kept = [
        *(call(5, n, sample_rate=0.1, cost_usd=1.0, latency_ms=10.0) for n in range(20)),
        *(failed(5, n) for n in range(20, 25)),
    ]
    rate = checked("error_rate > 5% over 15m", kept)
    assert (rate.state, rate.value, rate.calls, rate.measured, rate.estimated) == ("quiet", 5 / 205, 25, 25, 205)
    assert in_words(rate) == "error_rate > 5% over 15m: 2.439% (5 of 205 calls, estimated of 25 on record)"
    assert [checked(f"{name} > 0 over 15m", kept).value for name in ("calls", "errors", "cost")] == [205, 5, 200]


def test_the_window_begins_when_it_says_and_ends_before_its_end():
    at = [failed(15.001), *(failed(15, number) for number in range(10)), failed(0)]
    assert (checked("errors > 0 over 15m", at).value, checked("errors > 0 over 16m", at).value) == (10, 11)


def test_what_is_not_above_its_limit_is_quiet():
    assert state("error_rate > 12.5% over 15m", FEW_FAIL) == "quiet"
    assert state("error_rate >= 12.5% over 15m", FEW_FAIL) == "fired"
    assert state("error_rate < 12.5% over 15m", FEW_FAIL) == "quiet"
    assert state("error_rate <= 12.5% over 15m", FEW_FAIL) == "fired"


def test_few_calls_are_too_little_data_unless_the_rule_takes_fewer():
    assert state("error_rate > 5% over 6m", FEW_FAIL) == "too_little_data"
    assert state("error_rate > 5% over 6m min 8", FEW_FAIL) == "fired"


def test_no_calls_at_all_are_noticed():
    assert state("calls < 1 over 15m", [call(16)]) == "fired"
    assert state("calls < 1 over 17m", [call(16)]) == "quiet"
    assert state("calls < 1 over 15m where workload_id=chat", [call(3, workload_id="help")]) == "fired"
    assert state("calls < 1 over 15m", [call(3, kind="step")]) == "fired"


def test_filters_say_which_calls_are_meant():
    some = [
        *(call(1, number, model="small") for number in range(10)),
        *(failed(1, n, model="large") for n in range(10)),
    ]
    assert checked("error_rate > 5% over 15m where model=small", some).value == 0
    assert checked("error_rate > 5% over 15m where model=l*", some).value == 1
    assert checked("error_rate > 5% over 15m", some).value == 0.5


def test_percentiles_name_the_slowest_calls():
    some = [call(5, number, latency_ms=number * 100.0, time_to_first_token_ms=7.0) for number in range(1, 21)]
    slow = checked("latency_p95 > 1s over 15m", some)
    assert (slow.state, slow.value, slow.examples) == ("fired", 1900.0, ["r-5-20", "r-5-19", "r-5-18"])
    assert checked("first_token_p50 < 10ms over 15m", some).value == 7.0
    assert checked("latency_mean > 1s over 15m", some).value == 1050.0


@pytest.mark.parametrize(
    ("rule", "value", "examples"),
    [
        ("cost > $1 over 1h", 5.5, ["r-3-0", "r-5-0"]),
        ("tokens > 50 over 1h", 165, ["r-3-0", "r-5-0"]),
        ("output_tokens > 5 over 1h", 15, ["r-3-0", "r-5-0"]),
        ("calls > 1 over 1h", 3, ["r-1-0", "r-3-0", "r-5-0"]),
    ],
)
def test_totals_are_sums_of_what_is_known(rule, value, examples):
    some = [
        call(5, cost_usd=0.5, input_tokens=50, output_tokens=5),
        call(3, cost_usd=5.0, input_tokens=100, output_tokens=10),
        call(1),
    ]
    outcome = checked(rule, some)
    assert (outcome.state, outcome.value, outcome.examples) == ("fired", value, examples)


def test_a_cost_that_no_call_has_is_not_zero():
    assert state("cost > $1 over 1h", [call(1)]) == "too_little_data"
    assert state("cost > $1 over 1h", []) == "quiet"


def test_what_people_said_counts_for_the_time_of_the_call():
    said = [
        {"timestamp": "2026-01-31T11:59:00Z", "kind": "feedback", "target": f"r-5-{number}", "quality": quality}
        for number, quality in enumerate([{"thumbs": "down"}, {"rating": 4, "thumbs": "up"}, {"rating": 2}])
    ]
    flagged = {"timestamp": "2026-01-31T11:59:00Z", "kind": "feedback", "target": "r-5-9", "hallucination_flag": True}
    some = [*(call(5, number) for number in range(10)), *said, flagged]
    assert (checked("low_rating_rate > 50% over 6m min 3", some).value, state("low_ratings > 0 over 4m", some)) == (
        2 / 3,
        "quiet",
    )
    assert checked("score_mean < 3.5 over 6m min 2", some).value == 3
    assert checked("score_mean < 3.5 over 6m min 2", some).examples == ["r-5-2", "r-5-1"]
    assert checked("hallucinations > 0 over 6m", some).examples == ["r-5-9"]
    assert state("score_mean < 3 over 6m", some) == "too_little_data"


def refused(minutes: float, number: int, *, yes: bool) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "refusal": "no" if yes else None}
    return call(minutes, number, response={"choices": [{"message": message}]})


def test_a_rate_that_rises_by_more_than_chance_explains_fires():
    before = [refused(90 + number, number, yes=number % 20 == 0) for number in range(200)]
    more = [refused(5, number, yes=number < 12) for number in range(40)]
    same = [refused(5, number, yes=number < 3) for number in range(40)]
    rule = "refusal_rate rises over 1h against 6h"
    fired = checked(rule, [*before, *more])
    assert (fired.state, fired.value, fired.baseline) == ("fired", 0.3, 0.05)
    assert fired.chance is not None
    assert fired.chance < 0.001
    assert state(rule, [*before, *same]) == "quiet"
    assert state("refusal_rate falls over 1h against 6h", [*before, *more]) == "quiet"
    assert state("refusal_rate changes over 1h against 6h", [*before, *more]) == "fired"
    assert state(rule, more) == "too_little_data"


def sessions(begin: int, count: int, bad: int) -> list[dict[str, Any]]:
    """*count* sessions of ten calls, of which *bad* fail from the first call to the last."""
    return [
        (failed if number < bad else call)(
            begin + number, turn, session_id=f"s-{begin}-{number}", latency_ms=float(number < bad)
        )
        for number in range(count)
        for turn in range(10)
    ]


@pytest.mark.parametrize("quantity", ["error_rate", "latency_mean"])
def test_three_sessions_that_fail_are_no_thirty_calls(quantity: str):
    some = [*sessions(70, 100, bad=10), *sessions(10, 12, bad=3)]
    rule = f"{quantity} rises over 1h against 6h"
    strangers = [{**event, "session_id": None} for event in some]
    assert [checked(rule, events).value for events in (some, strangers)] == pytest.approx([0.25, 0.25])
    assert [state(rule, events) for events in (some, strangers)] == ["quiet", "fired"]


def test_a_change_that_is_sure_but_small_can_be_let_pass():
    some = [call(m, m, latency_ms=110.0 + m % 3 if m < 60 else 100.0 + m % 3) for m in range(1, 360)]
    assert state("latency_mean rises over 1h against 5h", some) == "fired"
    assert state("latency_mean rises by 5% over 1h against 5h", some) == "fired"
    assert state("latency_mean rises by 20% over 1h against 5h", some) == "quiet"
    assert state("latency_mean falls over 1h against 5h", some) == "quiet"


def test_a_multiple_of_before_compares_as_much_time():
    steady = [call(minute, minute, cost_usd=1.0) for minute in range(1, 361)]
    outcome = checked("cost > 2x over 1h against 5h", steady)
    assert (outcome.state, outcome.value, outcome.baseline) == ("quiet", 60.0, 60.0)
    burst = [call(5, number, cost_usd=1.0) for number in range(100)]
    assert state("cost > 2x over 1h against 5h", [*steady, *burst]) == "fired"
    assert state("latency_p50 > 2x over 1h against 5h", [*steady, *burst]) == "too_little_data"


def test_a_log_that_is_younger_than_the_time_before_counts_from_its_beginning():
    young = [call(minute, minute) for minute in range(1, 181)]
    outcome = checked("calls > 2x over 1h against 7d", young)
    assert (outcome.state, outcome.value, outcome.baseline) == ("quiet", 60.0, 60.0)
    assert state("calls > 2x over 1h against 7d", young[:90]) == "too_little_data"


def test_times_that_cannot_be_read_are_left_out():
    assert checked("calls > 0 over 1h", [call(1), {**call(1), "timestamp": "yesterday"}]).value == 1


def test_the_earliest_time_that_matters_is_that_of_the_rule_that_looks_farthest():
    rules = [parse("calls > 2x over 1h against 7d"), parse("errors > 1 over 2d")]
    assert earliest(rules, NOON) == NOON - timedelta(days=7, hours=1)
