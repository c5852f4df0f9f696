"""What is sent, and for how much, settled beforehand."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from flywheel_log.loop.replay.change import Change, Text
from flywheel_log.loop.replay.fit import request_of
from flywheel_log.loop.replay.forecast import Estimate, Forecast, estimate
from flywheel_log.loop.replay.origin import JUDGE, Settled, identity, of_run, run_name, settled, stamp
from flywheel_log.loop.replay.plan import Plan, plan
from flywheel_log.pipeline.price import Prices

from .events import call, replayed

TABLE = {"cheap": {"input": 0.5, "output": 2.0}}
NOW = "2026-02-01T00:00:00.000Z"
COST = partial(estimate, price=Prices(TABLE), now=NOW)


def body(event: Any, change: Change = Change("cheap")) -> Any:  # noqa: B008  it is immutable
    return request_of(event, change, anywhere=False)


def planned(events: list[Any], **how: Any) -> Plan:
    return plan(events, body, COST, **how)


def sent(made: Plan, events: list[Any]) -> list[str]:
    return [event["id"] for event, _ in made.jobs(events, body)]


CALLS = [call(f"r-{number}", input_tokens=100 + number, output_tokens=number) for number in range(40)]


def test_the_forecast_is_the_sum_at_the_price_of_the_new_model():
    made = planned(CALLS)
    tokens_in, tokens_out = sum(range(100, 140)), sum(range(40))
    assert made.forecast == Forecast(
        40, 40, tokens_in, tokens_out, pytest.approx((tokens_in * 0.5 + tokens_out * 2) / 1e6)
    )


def test_a_model_without_a_price_has_no_forecast_in_dollars():
    made = plan(CALLS, partial(body, change=Change("no-such-model")), COST)
    assert (made.forecast.requests, made.forecast.priced, made.forecast.input_tokens) == (40, 0, sum(range(100, 140)))


@pytest.mark.parametrize(
    ("event", "change", "expected"),
    [
        (CALLS[5], Change("cheap", Text("Be brief." + "x" * 40, "2")), Estimate(115, 5, (115 * 0.5 + 5 * 2) / 1e6)),
        (call(answer="x" * 39), Change("cheap"), Estimate(23, 10, (23 * 0.5 + 10 * 2) / 1e6)),
        (call(status="error", response={"error": {}}), Change("cheap"), Estimate(23, None, 23 * 0.5 / 1e6)),
    ],
    ids=["a longer prompt", "no counts on record", "no answer"],
)
def test_what_is_not_on_record_is_estimated_by_characters(event: Any, change: Change, expected: Estimate):
    assert COST(event, change.of(event)) == expected


def test_an_answer_that_never_came_may_be_as_long_as_the_request_allows():
    event = call(status="error", input_tokens=10)
    event["request"]["max_tokens"] = 50
    assert COST(event, body(event)).output_tokens == 50


def test_what_failed_costs_its_question_at_least():
    failed = [call(f"f-{number}", status="error", response={}, input_tokens=100) for number in range(3)]
    assert planned([*failed, CALLS[5]]).forecast == Forecast(4, 4, 405, 5, pytest.approx((405 * 0.5 + 5 * 2) / 1e6), 3)


def test_what_a_change_leaves_as_it_was_is_not_measured():
    event = call(input_tokens=100, output_tokens=5)
    event["request"]["messages"] = event["response"]["choices"] = [object()]  # what cannot be measured
    assert COST(event, Change("cheap").of(event)) == Estimate(100, 5, 60 / 1e6)


def test_each_request_is_sent_once_and_no_replay_again():
    events = [CALLS[0], CALLS[0], replayed("r-0"), {"timestamp": "t", "kind": "step"}, CALLS[1]]
    made = planned(events)
    assert (made.calls, made.fit, made.left_out) == (3, 2, {"twice": 1})
    assert (made.forecast.requests, sent(made, events)) == (2, ["r-0", "r-1"])


def test_what_came_since_the_plan_was_made_is_not_sent():
    made = planned(CALLS[:3])
    assert sent(made, [*CALLS[:3], CALLS[9], replayed("r-0")]) == ["r-0", "r-1", "r-2"]


def test_reasons_are_counted():
    made = planned(
        [call("a", provider="groq"), call("b", training_unsafe=["trimmed"]), call("c", provider="groq"), call()]
    )
    assert (made.calls, made.fit, dict(made.left_out)) == (4, 1, {"other_provider": 2, "trimmed": 1})


def test_a_sample_depends_on_the_seed_and_the_ids_alone():
    one, two = (sent(planned(CALLS, sample=8, seed=seed), CALLS) for seed in (1, 2))
    backwards = CALLS[::-1]
    assert sorted(sent(planned(backwards, sample=8, seed=1), backwards)) == sorted(one)
    assert (len(one), len(two), one == two) == (8, 8, False)


def test_what_is_answered_is_in_the_sample_and_not_sent_again():
    first = sent(planned(CALLS, sample=8), CALLS)
    made = planned(CALLS, before=Settled({*first[:3], "r-x"}, set()), sample=8)
    assert (made.done, sent(made, CALLS)) == (3, first[3:])


def test_what_was_refused_is_in_the_sample_and_not_sent_again_unless_it_was_answered_since():
    first = sent(planned(CALLS, sample=8), CALLS)
    made = planned(CALLS, before=Settled({*first[:1]}, {*first[:3], "r-x"}), sample=8)
    assert (made.done, made.refused, sent(made, CALLS)) == (1, 2, first[3:])


def test_refused_is_what_the_server_will_not_take_however_often_it_is_asked():
    statuses = {"a": 400, "b": 422, "c": 429, "d": 401, "e": None, "f": 404, "g": 413}
    log = [replayed(of, status="error", error={"status_code": status}) for of, status in statuses.items()]
    judged = call("j-1", status="error", error={"status_code": 400}, metadata={"judge": {"of": "h", "run": "run"}})
    log += [judged, replayed("i", "other", status="error", error={"status_code": 400}), replayed("j")]
    ours = [*of_run(log, "run")]
    assert (settled(ours).refused, settled(ours, JUDGE).refused) == ({"a", "b", "g"}, {"h"})


def test_answered_is_what_the_run_has_a_whole_answer_to():
    log = [
        replayed("r-1"),
        replayed("r-2", status="error"),
        replayed("r-3", "other"),
        call("r-4"),
        replayed("r-5", status="incomplete"),
    ]
    assert settled(of_run(log, "run")).answered == {"r-1"}


def test_a_replay_says_whose_it_is_and_of_what():
    event = call(
        client_id="shop", workload_id="support", user_id="u1", trace_id="t", tags=["beta"], metadata={"tenant": "acme"}
    )
    assert stamp(event, "run") == {
        "client_id": "shop",
        "workload_id": "support.replay",
        "user_id": "u1",
        "tags": ["beta"],
        "metadata": {"tenant": "acme", "replay": {"of": "r-1", "run": "run"}},
    }


def test_records_without_ids_have_names_as_well():
    a, b = ({"timestamp": "t", "kind": "llm", "request": {"messages": [text]}} for text in "ab")
    assert len({identity(a), identity(dict(a)), identity(b)}) == 2


def test_a_run_is_named_after_what_is_new():
    assert run_name("GPT 4.1/mini", None, "v3", content=["x"]) == run_name("GPT 4.1/mini", "v3", content=["x"])
    assert run_name("GPT 4.1/mini", "v3", content=["x"]).startswith("gpt-4.1-mini-v3-")
    assert run_name("m", content=["x"]) != run_name("m", content=["y"])
