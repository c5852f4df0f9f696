"""Rules as text: what they mean, and what is said about those that mean nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flywheel_log.loop.alert.rule import Limit, Rule, Trend, parse
from flywheel_log.loop.filter import Filter


def meant(rule: Rule) -> tuple[object, ...]:
    return rule.quantity.name, rule.condition, rule.window, rule.baseline, rule.where, rule.least


MINUTES, HOUR, DAY, WEEK = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
NO_FILTER = Filter()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error_rate > 5% over 15m", ("error_rate", Limit(">", 0.05), MINUTES, None, NO_FILTER, 10)),
        ("error_rate>=0.05 over 15m", ("error_rate", Limit(">=", 0.05), MINUTES, None, NO_FILTER, 10)),
        ("latency p95 > 2s over 1h", ("latency_p95", Limit(">", 2000.0), HOUR, None, NO_FILTER, 10)),
        ("latency_ms_p99.9 > 800ms over 1h", ("latency_p99.9", Limit(">", 800.0), HOUR, None, NO_FILTER, 10)),
        (
            "time_to_first_token_p50 < 1m over 1d",
            ("first_token_p50", Limit("<", 60_000.0), DAY, None, NO_FILTER, 10),
        ),
        ("cost > $10 over 1d", ("cost", Limit(">", 10.0), DAY, None, NO_FILTER, 0)),
        ("cost_usd > .5 over 1d min 3 calls", ("cost", Limit(">", 0.5), DAY, None, NO_FILTER, 3)),
        ("tokens > 2M over 1d", ("tokens", Limit(">", 2e6), DAY, None, NO_FILTER, 0)),
        ("calls < 1 over 15m", ("calls", Limit("<", 1.0), MINUTES, None, NO_FILTER, 0)),
        ("cost > 2x over 1d against 1w", ("cost", Limit(">", 2.0, multiple=True), DAY, WEEK, NO_FILTER, 0)),
        ("refusal_rate rises over 1h against 1w", ("refusal_rate", Trend("rises"), HOUR, WEEK, NO_FILTER, 10)),
        (
            "output_tokens_mean changes by 20% over 1h against 1w",
            ("output_tokens_mean", Trend("changes", 0.2), HOUR, WEEK, NO_FILTER, 10),
        ),
        (
            "score_mean falls over 1h against 1w where workload_id=chat and model=gpt-4.1* and workload_id=help min 5",
            (
                "score_mean",
                Trend("falls"),
                HOUR,
                WEEK,
                Filter(where={"workload_id": ("chat", "help"), "model": ("gpt-4.1*",)}),
                5,
            ),
        ),
        (
            "errors > 3 over 1h where metadata.team='a and b > c'",
            ("errors", Limit(">", 3.0), HOUR, None, Filter(where={"metadata.team": ("a and b > c",)}), 0),
        ),
    ],
)
def test_a_line_is_a_rule(text, expected):
    assert meant(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a condition; expected QUANTITY > NUMBER over TIME"),
        ("error_rate over 15m", "'error_rate' is not a condition; expected QUANTITY > NUMBER over TIME"),
        ("eror_rate > 5% over 15m", "quantity 'eror_rate' is unknown; expected one of error_rate, incomplete_rate, "),
        ("latency > 2s over 1h", "quantity 'latency' is unknown; expected one of error_rate, "),
        (
            "error_rate > 5 over 15m",
            "error_rate is a share, at most 1, and compared with '5'; expected a share such as 5%",
        ),
        ("error_rate > 5s over 15m", "error_rate is compared with '5s'; expected a share such as 5% or 0.05, or 2x"),
        (
            "latency_p95 > 2000 over 1h",
            "latency_p95 is compared with '2000'; expected a time such as 800ms or 2s, or 2x",
        ),
        ("cost > 10% over 1h", "cost is compared with '10%'; expected an amount such as $10, or 2x"),
        ("calls > many over 1h", "calls is compared with 'many'; expected a number such as 20, 1.5k or 2M, or 2x"),
        ("calls > 5 or more over 1h", "> is followed by '5 or more'; expected a number such as 20, 1.5k or 2M, or 2x"),
        ("error_rate > 5%", "it does not say over which time; expected over 90s, 15m, 2h, 3d, 1w"),
        ("error_rate > 5% over 15", "over is followed by '15'; expected over 90s, 15m, 2h, 3d, 1w"),
        ("error_rate > 5% over 0m", "over is followed by '0m'; expected over 90s, 15m, 2h, 3d, 1w"),
        ("error_rate > 5% over 1h over 2h", "'over' is there twice; expected QUANTITY > NUMBER"),
        ("error_rate > 5% over 1h where chat", "condition 'chat' has no value; expected one such as workload_id=chat"),
        ("error_rate > 5% over 1h where modle=x", "field 'modle' is unknown; did you mean model?"),
        ("error_rate > 5% over 1h min few", "min is followed by 'few'; expected a number of calls, such as min 20"),
        ("cost > 2x over 1d", "it compares with an earlier time and does not say which; add against 1d, 7d, 4w"),
        ("error_rate rises over 1d", "it compares with an earlier time and does not say which; add against 1d"),
        ("cost > $2 over 1d against 7d", "against has no meaning with a fixed number; use rises, falls"),
        ("error_rate rises 20% over 1h against 1d", "'20%' is not a change; expected one such as: by 20%"),
        (
            "cost rises over 1h against 1d",
            "a change of cost, a total, has no test; use a multiple such as cost > 1.5x",
        ),
        ("latency_p95 rises over 1h against 1d", "a change of latency_p95, a percentile, has no test; "),
        ("errors > 1 over 1h where user_id='x", "No closing quotation"),
    ],
)
def test_a_wrong_rule_is_an_error_that_names_both_sides(text, message):
    with pytest.raises(ValueError, match="rule ") as error:
        parse(text)
    assert str(error.value).startswith(f"rule {text!r}: {message}")
